"""Measures a classifier on the boxed faces of photographs it was not trained on.

    python benchmarks/classifier_crops.py --data ../shared/data/detection/valid
    python benchmarks/classifier_crops.py --video with_mask=../shared/data/videos/one_masked.mp4

Crops are cut with the margin of the model's card and run through the light runtime, as `maskdet
detect` would, but at the labelled boxes: faces that a face detector misses are not counted against
the classifier here. Figures are by the least height of the face in pixels.

In a video whose faces are all of one label, every face that the bundled face detector finds is
counted, frame by frame, without following faces from frame to frame.
"""

import json
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import read_yolo
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.networks import NetworkOptions, load_detector

NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
HEIGHTS = (16, 24, 32, 64, 128)  # pixels
BINS = 15  # of the expected calibration error


def classify_faces(
    data: Path, classifier: MaskClassifier
) -> tuple[FloatArray, NDArray[np.intp], FloatArray]:
    """Returns the (N,) heights, (N,) labels and (N, C) probabilities of all boxed faces."""
    heights, labels, probabilities = [], [], []
    for photograph in read_yolo(data / "images", data / "labels", NAMES):
        frame = cv2.imread(str(photograph.path))
        if frame is None or not photograph.labels:
            continue
        boxes = photograph.xyxy(frame.shape[1], frame.shape[0])
        probabilities.append(classifier.classify(frame, boxes)[0])
        heights += (boxes[:, 3] - boxes[:, 1]).tolist()
        labels += [classifier.labels.index(label) for label in photograph.labels]
    return np.array(heights, np.float32), np.array(labels), np.concatenate(probabilities)


def figures(labels: NDArray[np.intp], probabilities: FloatArray) -> dict[str, float]:
    """Returns balanced accuracy, right answers by class, and the expected calibration error."""
    right = probabilities.argmax(axis=1) == labels
    by_class = [float(right[labels == label].mean()) for label in np.unique(labels)]
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == number).mean()
        * abs(confidence[bins == number].mean() - right[bins == number].mean())
        for number in np.unique(bins)
    ]
    return {
        "faces": len(labels),
        "wrong": int((~right).sum()),
        "balanced_accuracy": float(np.mean(by_class)),
        **{f"right_{number}": value for number, value in enumerate(by_class)},
        "calibration_error": float(np.sum(gaps)),
    }


def wrong_in_video(path: Path, label: str, model: Path | None) -> tuple[int, int]:
    """Returns how many faces were found in a video, and how many of them got another label."""
    detector = load_detector(NetworkOptions(model=model))
    video = cv2.VideoCapture(str(path))
    faces = wrong = 0
    while True:
        read, frame = video.read()
        if not read:
            return faces, wrong
        found = detector(frame).predicted_labels
        faces += len(found)
        wrong += sum(name != label for name in found)


@click.command(help=__doc__)
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--video", "videos", multiple=True, metavar="LABEL=FILE", help="Repeatable.")
@click.option("--model", type=click.Path(path_type=Path), help="Default: the bundled one.")
@click.option("--precision", help="One of the card's; default: its default.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
def main(
    data: Path | None,
    videos: tuple[str, ...],
    model: Path | None,
    precision: str | None,
    as_json: bool,
) -> None:
    """Measures and prints."""
    for video in videos:
        label, _, file = video.partition("=")
        faces, wrong = wrong_in_video(Path(file), label, model)
        click.echo(
            f"{Path(file).name}: {wrong} of {faces} faces not {label} ({wrong / max(1, faces):.2%})"
        )
    if data is None:
        return
    classifier = MaskClassifier(find_card(model), precision=precision)
    heights, labels, probabilities = classify_faces(data, classifier)
    table = {
        least: figures(labels[heights >= least], probabilities[heights >= least])
        for least in HEIGHTS
    }
    if as_json:
        click.echo(json.dumps(table))
        return
    # A model may know labels that these photographs have no face of.
    names = [f"{classifier.labels[number]} right" for number in np.unique(labels)]
    click.echo(f"height  faces  wrong  balanced accuracy  {'  '.join(names)}  calibration error")
    for least, row in table.items():
        shares = "  ".join(
            f"{row[f'right_{number}']:>{len(name)}.4f}" for number, name in enumerate(names)
        )
        click.echo(
            f">={least:4}  {row['faces']:5}  {row['wrong']:5}  {row['balanced_accuracy']:17.4f}  "
            f"{shares}  {row['calibration_error']:17.4f}"
        )


if __name__ == "__main__":
    main()
