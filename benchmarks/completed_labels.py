"""Completes the labels of `detection/valid` with the faces that they leave out.

Most boxes that counted as false there were faces in the background. Everything that a low
confidence finds and no label names was looked at, and written to `valid_boxes.csv`: faces that can
be told with their label, those that can hardly be told (or are painted, or cut by the frame) as
``ignore``, whose detection counts neither for nor against anything.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from maskdet.annotations import BoxedPhotograph
from maskdet.annotations.yolo import read_yolo
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL
from maskdet.media.inputs.decoding import read_picture

BOXES = Path(__file__).with_name("valid_boxes.csv")
IGNORED = "ignore"
CLASSES = (NO_MASK_LABEL, MASK_LABEL, IGNORED)  # by their numbers in the label files
MAPPING = {"0": NO_MASK_LABEL, "1": MASK_LABEL, "2": ""}  # for `maskdet evaluate`


def completed(photographs: Iterable[BoxedPhotograph]) -> Iterator[BoxedPhotograph]:
    """Yields photographs with the boxes of `BOXES` among theirs, in shares of the picture."""
    added: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
    with BOXES.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            sides = [float(row[side]) for side in ("left", "top", "right", "bottom")]
            added[row["photograph"]].append((row["label"], sides))
    for photograph in photographs:
        more = added.get(photograph.path.name)
        if not more:
            yield photograph
            continue
        height, width = read_picture(photograph.path).shape[:2]
        shares = np.array([sides for _, sides in more]) / [width, height, width, height]
        boxes = np.concatenate([photograph.boxes, shares.astype(np.float32)])
        labels = (*photograph.labels, *(label for label, _ in more))
        yield replace(photograph, boxes=boxes, labels=labels)


def write_completed(images: Path, labels: Path, target: Path) -> None:
    """Writes completed YOLO labels, whose class numbers are those of `CLASSES`."""
    target.mkdir(parents=True)
    names = {0: NO_MASK_LABEL, 1: MASK_LABEL}
    for photograph in completed(read_yolo(images, labels, names)):
        corners, sizes = photograph.boxes[:, :2], photograph.boxes[:, 2:] - photograph.boxes[:, :2]
        lines = [
            f"{CLASSES.index(label)} " + " ".join(f"{value:.6f}" for value in (*middle, *size))
            for label, middle, size in zip(
                photograph.labels, corners + sizes / 2, sizes, strict=True
            )
        ]
        text = "".join(f"{line}\n" for line in lines)
        (target / f"{photograph.path.stem}.txt").write_text(text, encoding="utf-8")
