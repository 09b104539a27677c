"""What `build_classifier.py` draws on bare faces where photographs are few.

Masks worn wrongly and masks of printed cloth, by `maskdet dataset synthesize`; hands, cups,
microphones and food before bare mouths, by `covered_mouths.py`.
"""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from covered_mouths import KINDS, cover
from maskdet.dataset.synthesize import SynthesizeOptions, synthesize
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.yunet import YunetFaceDetector

CLEAR = 90  # height in pixels of a face from which up a drawn mask shows what it is
EVERY = {"three_class": 1, "balaji": 5}  # of their bare faces one in so many is taken
PRINTED = "cloth"  # the kind of mask whose correctly worn ones are kept
COVERED_EVERY = 2  # of the faces that get a mask one in so many gets something before its mouth
SEED = 1
QUALITY = 95
Row = tuple[object, ...]


@dataclass(frozen=True)
class _Source:
    """A bare face in a part of the data set: its file below it, and its group."""

    file: Path
    group: str


def _sources(work: Path, part: str) -> Iterator[_Source]:
    """Yields the bare faces of a part that are clear enough, one in `EVERY`."""
    with (work / part / "faces.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            row
            for row in csv.DictReader(stream)
            if row["file"].startswith(f"{NO_MASK_LABEL}/")
            and float(row["bottom"]) - float(row["top"]) >= CLEAR
        ]
    for row in rows[:: EVERY[part]]:
        yield _Source(work / part / row["file"], row["group"])


def drawn_masks(work: Path, target: Path, landmarks: Path) -> list[Row]:
    """Draws masks and returns the rows of the part's `faces.csv`.

    Every face gets a mask worn wrongly; correctly worn ones are kept where they are of cloth, since
    photographs of plain masks are many. A face's group is that of the one it was drawn on.

    Args:
        work: folder of the parts written so far.
        target: folder of class folders to write.
        landmarks: YuNet's file.
    """
    with tempfile.TemporaryDirectory() as folder:
        faces, made = Path(folder) / "faces", Path(folder) / "made"
        faces.mkdir()
        groups = {}
        for part in EVERY:
            for source in _sources(work, part):
                name = f"{part}-{source.file.stem}{source.file.suffix}"
                shutil.copyfile(source.file, faces / name)
                groups[name] = source.group
        options = SynthesizeOptions(faces, made, incorrect=True, landmarks=landmarks)
        synthesize(options, show=lambda *_: None)
        with (made / "faces.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        kept = []
        for row in rows:
            label = row["file"].split("/")[0]
            if label == INCORRECT_LABEL or (label == MASK_LABEL and PRINTED in row["note"]):
                (target / label).mkdir(parents=True, exist_ok=True)
                shutil.move(made / row["file"], target / row["file"])
                group = groups[row["source"]] or row["group"]
                box = (row[side] for side in ("left", "top", "right", "bottom"))
                kept.append((row["file"], group, *box, row["source"], row["note"]))
    return kept


def covered_mouths(work: Path, target: Path, landmarks: Path) -> list[Row]:
    """Paints things before bare mouths and returns the rows of the part's `faces.csv`.

    Args are those of `drawn_masks`; the faces are still bare ones.
    """
    detector = YunetFaceDetector(landmarks, confidence=0.7)
    random = np.random.default_rng(SEED)
    sources = [source for part in EVERY for source in _sources(work, part)][::COVERED_EVERY]
    (target / NO_MASK_LABEL).mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for number, source in enumerate(sources):
        picture = read_picture(source.file)
        boxes, _, points = detector.detect_landmarks(picture)
        if len(boxes) != 1:
            continue
        kind = KINDS[number % len(KINDS)]
        covered = cover(picture, points[0], kind, random)
        file = f"{NO_MASK_LABEL}/{source.file.parents[1].name}-{source.file.stem}-{kind}.jpg"
        cv2.imwrite(str(target / file), covered, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        box = (round(float(side), 1) for side in boxes[0])
        rows.append((file, source.group, *box, source.file.name, kind))
    return rows
