"""Settles what the card of the bundled face detector promises, on the run's validation pictures.

The trainer's default confidence is where precision and recall balance: for whoever looks over what
was found. The bundled detector runs by itself, so its confidence is the least at which
`WANTED_PRECISION` of what it finds are faces, as far as labels tell, on the mean of its sizes. And
its 8-bit file may stand in for the other one only where it finds the same boxes.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from face_sets import CLASSES, OVERLOOKED
from maskdet.annotations.yolo import read_yolo
from maskdet.media.files import replacing
from maskdet.media.inputs.decoding import read_picture
from maskdet.train.faces.measure import FaceOutcome
from maskdet.vision.faces.card import read_face_card
from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.displacement import found_again
from maskdet.vision.faces.loading import load_face_detector
from maskdet.vision.preprocessing import UInt8Array

WANTED_PRECISION = 0.95
# Edges of the boxes may differ by so many pixels of the input, 95 of 100.
SAME_BOX = 1.0
_FLOOR = 0.05
# More digits would say more than seventy photographs do.
_STEPS = np.arange(0.05, 1.0, 0.05)
_PRECISIONS = ("float16", "int8")


def settle(card_path: Path, photographs: Path, split: Path) -> str:
    """Writes confidence and interchangeable files into a card.

    Args:
        card_path: of a detector with a 16-bit and an 8-bit file.
        photographs: folder of ``images/`` and ``labels/``, as `build_faces.py` writes sets.
        split: the run's ``split.csv``, which says which of them validated.

    Returns:
        What was settled, and on what grounds.

    Raises:
        ValueError: at no confidence is enough of what is found a face.
    """
    with split.open(encoding="utf-8", newline="") as stream:
        names = {Path(row["file"]).name for row in csv.DictReader(stream) if row["split"] == "val"}
    classes = dict(enumerate(CLASSES))
    chosen = [
        photograph
        for photograph in read_yolo(photographs / "images", photographs / "labels", classes)
        if photograph.path.name in names
    ]
    pictures = [read_picture(photograph.path) for photograph in chosen]
    labels = [
        photograph.xyxy(*one.shape[1::-1]) for photograph, one in zip(chosen, pictures, strict=True)
    ]
    ignored = [np.array([label == OVERLOOKED for label in one.labels], bool) for one in chosen]
    card = json.loads(card_path.read_text(encoding="utf-8"))
    sizes = read_face_card(card_path).sizes
    found = {
        (precision, size): find(card_path, precision, size, pictures)
        for precision in _PRECISIONS
        for size in sizes
    }
    outcomes = [
        FaceOutcome.together(
            [
                FaceOutcome.of(*what, boxes[~left_out], boxes[left_out])
                for what, boxes, left_out in zip(
                    found["float16", size], labels, ignored, strict=True
                )
            ]
        )
        for size in sizes
    ]
    mean = [np.mean([outcome.precision(step) for outcome in outcomes]) for step in _STEPS]
    enough = [
        step for step, precision in zip(_STEPS, mean, strict=True) if precision >= WANTED_PRECISION
    ]
    if not enough:
        raise ValueError(f"{card_path}: precise enough at no confidence, at most {max(mean):.3f}")
    confidence = round(float(enough[0]), 2)
    moved = max(
        displacement(found["float16", size], found["int8", size], pictures, size, confidence)
        for size in sizes
    )
    card["default_confidence"] = confidence
    if moved <= SAME_BOX:
        card["interchangeable"] = list(_PRECISIONS)
    else:
        card.pop("interchangeable", None)
    with replacing(card_path) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return f"confidence {confidence}; 8 bits move 95 of 100 edges by up to {moved:.1f} pixels"


def find(card_path: Path, precision: str, size: int, pictures: Sequence[UInt8Array]) -> list[Faces]:
    """Returns what one of a card's files finds in each picture, all but the least sure of it."""
    detector = load_face_detector(
        card_path.parent, confidence=_FLOOR, precision=precision, face_size=size
    )
    return [detector.detect(picture) for picture in pictures]


def displacement(
    first: Sequence[Faces],
    second: Sequence[Faces],
    pictures: Sequence[UInt8Array],
    size: int,
    confidence: float,
) -> float:
    """Returns how far edges of the same faces lie apart, 95 of 100, in pixels of the input.

    Args:
        first: boxes and scores of each picture.
        second: likewise, by another file.
        pictures: what they are of.
        size: side of the input in pixels.
        confidence: score from which on the first's are compared.
    """
    apart = []
    for (boxes, scores), (others, _), picture in zip(first, second, pictures, strict=True):
        sure = boxes[scores >= confidence]
        again = found_again(sure, others)
        same = again >= 0
        moved = np.abs(sure[same] - others[again[same]])
        apart.append(moved * size / np.tile(picture.shape[1::-1], 2))
    every = np.concatenate(apart)
    return float(np.quantile(every, 0.95)) if len(every) else 0.0
