"""Compares the converted face detector with OpenCV 4's own importer of the Caffe model.

Needs an environment with opencv-python 4, the last that reads Caffe models, and no TensorFlow:

    python -m venv V && V/bin/pip install opencv-python==4.14.0.94 ai-edge-litert click pillow
    PYTHONPATH=src V/bin/python benchmarks/ssd_parity.py --caffe DIR --face DIR --images DIR

Boxes are compared at the network's own 300x300, one by one: each box one of the two finds above
the confidence with the box of the other that overlaps it most.
"""

from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.assets import bundled, read_card
from maskdet.boxes import intersection_over_union
from maskdet.media.inputs.decoding import read_picture
from maskdet.suffixes import PICTURE_SUFFIXES
from maskdet.vision.faces.caffe import CAFFE_INPUT_SIZE
from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.loading import CARD_NAME, load_face_detector

SAME_FACE = 0.5  # intersection over union from which on two boxes are of one face
SLACK = 0.1  # the other detector's boxes are looked for down to this much less confidence


def compare(found: Faces, other: Faces) -> tuple[list[float], list[float], int]:
    """Compares one picture's boxes with the nearest of another detector's.

    Returns:
        The largest difference of a coordinate of each box, in the boxes' unit; the difference of
        each score; how many boxes have no counterpart.
    """
    if len(found[0]) == 0:
        return [], [], 0
    if len(other[0]) == 0:
        return [], [], len(found[0])
    overlaps = intersection_over_union(found[0], other[0])
    nearest = overlaps.argmax(axis=1)
    paired = overlaps.max(axis=1) >= SAME_FACE
    boxes = np.abs(found[0] - other[0][nearest]).max(axis=1)[paired]
    scores = np.abs(found[1] - other[1][nearest])[paired]
    return boxes.tolist(), scores.tolist(), int((~paired).sum())


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--caffe", type=_FOLDER, required=True, help="Folder with the Caffe pair.")
@click.option("--images", type=_FOLDER, required=True, help="Folder of photographs.")
@click.option("--face", type=_FOLDER, help="Converted folder; default the bundled one.")
@click.option("--confidence", type=float, default=0.2, show_default=True)
def main(caffe: Path, images: Path, face: Path | None, confidence: float) -> None:
    """Prints, for each precision, how far its boxes and scores are from OpenCV's."""
    folder = face or bundled("face_detector/original")
    paths = sorted(path for path in images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    click.echo(f"{len(paths)} photographs, OpenCV {cv2.__version__}, confidence {confidence:g}\n")
    click.echo(
        "| network | boxes | without counterpart | box, px: worst (median) "
        "| score: worst (median) | over 0.5 px or 0.001 |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- |")
    reference = load_face_detector(caffe, confidence=confidence - SLACK)
    side = CAFFE_INPUT_SIZE
    for precision in read_card(folder / CARD_NAME)["files"]:
        if precision == "weights":  # for training on
            continue
        detector = load_face_detector(folder, precision=precision, confidence=confidence - SLACK)
        boxes: list[float] = []
        scores: list[float] = []
        lonely = 0
        for path in paths:
            frame = read_picture(path)
            height, width = frame.shape[:2]
            unit = np.array([width, height, width, height], np.float32) / np.float32(side)
            ours, theirs = (
                (xyxy / unit, confidences)
                for xyxy, confidences in (detector.detect(frame), reference.detect(frame))
            )
            for found, other in ((ours, theirs), (theirs, ours)):
                sure = found[1] >= confidence
                box, score, missing = compare((found[0][sure], found[1][sure]), other)
                boxes += box
                scores += score
                lonely += missing
        over = sum(box > 0.5 or score > 1e-3 for box, score in zip(boxes, scores, strict=True))
        click.echo(
            f"| {precision} | {len(boxes) + lonely} | {lonely} "
            f"| {max(boxes):.4f} ({np.median(boxes):.4f}) "
            f"| {max(scores):.5f} ({np.median(scores):.5f}) | {over} |"
        )


if __name__ == "__main__":
    main()
