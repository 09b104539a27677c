"""The boxed faces that `build_classifier.py` cuts out: read, relabelled and corrected.

Labels come from three places, the later ones overruling the earlier: the annotations; second,
independent labels of some of the street photographs; and `corrections.csv`, in which somebody who
looked at a face wrote down what it shows.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskdet.annotations import BoxedPhotograph, read_annotations, read_yolo
from maskdet.boxes import clip_boxes, cut, expand_boxes, intersection_over_union
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.vision.preprocessing import UInt8Array

ROOT = Path(__file__).resolve().parents[1]
CORRECTIONS = ROOT / "tools" / "corrections.csv"
KEPT_APART = ROOT / "benchmarks" / "kept_apart.txt"

STREET_NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
NAMES = {
    "with_mask": MASK_LABEL,
    "without_mask": NO_MASK_LABEL,
    "with_incorrect_mask": INCORRECT_LABEL,
    "mask_weared_incorrect": INCORRECT_LABEL,
}
IGNORE = "ignore"  # a correction: nobody can tell, or the face is none
CONTEXT = 0.8  # margin of the crops: room for the largest random margin, turned and shifted
SMALLEST = 24  # height in pixels below which even a person often cannot tell
SAME_FACE = 0.45  # overlap of a box with one of the second labels'


@dataclass(frozen=True)
class Face:
    """A boxed face.

    Attributes:
        crop: (H, W, 3) uint8 BGR, the face with context around it.
        box: (4,) float32, the face in the crop.
        label: what it is taken to show.
        annotated: what its annotation says.
        photograph: name of the file it is from, without ending.
        key: file below the data folder and number of the box, as `corrections.csv` names it.
    """

    crop: UInt8Array
    box: FloatArray
    label: str
    annotated: str
    photograph: str
    key: tuple[str, str]


def read_corrections() -> dict[tuple[str, str], str]:
    """Returns the corrected label, or `IGNORE`, by file and number of the box ("" for the whole).

    Raises:
        ValueError: a line names no label.
    """
    known = {MASK_LABEL, NO_MASK_LABEL, INCORRECT_LABEL, IGNORE}
    found: dict[tuple[str, str], str] = {}
    with CORRECTIONS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["label"] not in known:
                raise ValueError(f"{CORRECTIONS}: {row['file']}: no label {row['label']!r}")
            found[row["file"], row["box"]] = row["label"]
    return found


def kept_apart() -> frozenset[str]:
    """Returns the names of the photographs that only measure; see `keep_apart.py`."""
    return frozenset(KEPT_APART.read_text(encoding="utf-8").split())


def street_faces(data: Path, part: str, corrections: dict[tuple[str, str], str]) -> Iterator[Face]:
    """Yields the faces of `detection/train` or `detection/valid`."""
    folder = data / "detection" / part
    second = _second_labels(data / "detection" / "three_class.json")
    for photograph in read_yolo(folder / "images", folder / "labels", STREET_NAMES):
        file = photograph.path.relative_to(data / "detection").as_posix()
        yield from _faces(data, photograph, corrections, second.get(file))


def three_class_faces(data: Path, corrections: dict[tuple[str, str], str]) -> Iterator[Face]:
    """Yields the faces of `detection/three_class`."""
    folder = data / "detection" / "three_class"
    read = read_annotations(folder / "images", folder / "annotations", "voc")
    for photograph in read.photographs:
        yield from _faces(data, photograph.relabelled(NAMES), corrections, None)


def _faces(
    data: Path,
    photograph: BoxedPhotograph,
    corrections: dict[tuple[str, str], str],
    second: tuple[FloatArray, list[str]] | None,
) -> Iterator[Face]:
    frame = cv2.imread(str(photograph.path))
    if frame is None:
        return
    height, width = frame.shape[:2]
    boxes = clip_boxes(photograph.xyxy(width, height), width, height)
    labels = list(photograph.labels)
    if second is not None:
        labels = _agreed(boxes / [width, height, width, height], labels, *second)
    file = photograph.path.relative_to(data).as_posix()
    rows = zip(boxes, labels, photograph.labels, strict=True)
    for number, (box, named, annotated) in enumerate(rows):
        if box[3] - box[1] < SMALLEST or box[2] - box[0] < SMALLEST / 2:
            continue
        key = (file, str(number))
        label = corrections.get(key, named)
        if label == IGNORE:
            continue
        around = clip_boxes(expand_boxes(box[np.newaxis], CONTEXT), width, height)[0]
        inside = box - np.floor(around[[0, 1, 0, 1]])
        yield Face(cut(frame, around), inside, label, annotated, photograph.path.stem, key)


def _agreed(
    boxes: FloatArray, labels: list[str], others: FloatArray, other_labels: list[str]
) -> list[str]:
    """Returns the labels after hearing a second opinion, which knows the third class.

    Of the other two classes the opinions never contradict one another on the street photographs.
    """
    if not len(others):
        return labels
    overlap = intersection_over_union(boxes.astype(np.float32), others)
    best = [other_labels[int(row.argmax())] if row.max() >= SAME_FACE else "" for row in overlap]
    return [
        other if other == INCORRECT_LABEL else label
        for label, other in zip(labels, best, strict=True)
    ]


def _second_labels(path: Path) -> dict[str, tuple[FloatArray, list[str]]]:
    """Returns the second labels: boxes as shares of the photograph, and their classes, by file."""
    found = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        scale = np.array([entry["width"], entry["height"]] * 2, np.float32)
        boxes = [item["bbox"] for item in entry["objects"]]
        shares = np.array(boxes, np.float32).reshape(-1, 4) / scale
        found[entry["image"]] = (shares, [NAMES[item["name"]] for item in entry["objects"]])
    return found
