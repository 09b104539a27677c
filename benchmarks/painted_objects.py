"""Counts bare faces that are called masked for what is held before the mouth.

    python benchmarks/painted_objects.py --data ../shared/data --model models/mask_detector.json

Paints a hand, a cup, a microphone, food and a clear shield before the mouths of bare faces of the
photographs kept apart, 40 of each, with the program whose drawings of other faces are among the
training pictures (`tools/covered_mouths.py`): what is measured is whether the faces carry over, not
other drawings. Clear shields were not taught.
``none`` are the same faces as they are.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.detections import NO_MASK_LABEL, FloatArray
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.preprocessing import UInt8Array

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

from classifier_faces import kept_apart, three_class_faces
from covered_mouths import KINDS, MORE_KINDS, cover

PAINTED = (*KINDS, *MORE_KINDS)
CLEAR = 60  # pixels of a face's height
MOST = 40  # faces of each kind
SEED = 7

Painted = tuple[str, UInt8Array, FloatArray]


def paint(data: Path) -> Iterator[Painted]:
    """Yields what was painted, the picture, and the labelled (1, 4) box of the face in it."""
    weights = data / "weights" / "face_detection_yunet_2023mar.onnx"
    detector, apart = YunetFaceDetector(weights, confidence=0.7), kept_apart()
    random = np.random.default_rng(SEED)
    taken = 0
    for face in three_class_faces(data, {}):
        wanted = face.photograph in apart and face.label == NO_MASK_LABEL
        if not wanted or face.box[3] - face.box[1] < CLEAR or taken == MOST:
            continue
        boxes, _, points = detector.detect_landmarks(face.crop)
        if len(boxes) != 1:
            continue
        taken += 1
        yield "none", face.crop, face.box[np.newaxis]
        for kind in PAINTED:
            yield kind, cover(face.crop, points[0], kind, random), face.box[np.newaxis]


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--model", "models", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--sheet", type=click.Path(path_type=Path), help="PNG of the pictures to write.")
def main(data: Path, models: tuple[Path, ...], sheet: Path | None) -> None:
    """Paints, counts and prints."""
    pictures = list(paint(data))
    if sheet is not None:
        tiles = [cv2.resize(picture, (160, 160)) for _, picture, _ in pictures]
        across = 2 * (1 + len(PAINTED))
        rows = [np.hstack(tiles[at : at + across]) for at in range(0, len(tiles), across)]
        cv2.imwrite(str(sheet), np.vstack([row for row in rows if row.shape == rows[0].shape]))
    for model in models:
        classifier = MaskClassifier(find_card(model))
        said: dict[str, Counter[str]] = {kind: Counter() for kind in ("none", *PAINTED)}
        for kind, picture, box in pictures:
            best = int(classifier.classify(picture, box)[0][0].argmax())
            said[kind][classifier.labels[best]] += 1
        click.echo(f"{model.parent.name}/{model.stem}")
        for kind, counts in said.items():
            told = ", ".join(f"{label} {counts[label]}" for label in classifier.labels)
            click.echo(f"  {kind:<11}{told}")


if __name__ == "__main__":
    main()
