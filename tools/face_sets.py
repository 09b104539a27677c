"""The sets that `build_faces.py` trains on, written as pictures and YOLO labels.

Whoever boxed the photographs left many faces out, blurred or half hidden ones mostly. Taught as
background they would be the hardest of it, and unteach faces that are much like them. So the
teacher's boxes where no label is are given the class `OVERLOOKED`, which is ignored.

`UNLABELLED` knows more. It has what an earlier bundled detector (file 6137bf78) found in
``three_class``, at 320 or 640 and a score from .3 on, where no label is and the teacher is not sure
of a face, and what somebody who looked at it saw: no face, or one, or what nobody can tell, which
is ignored likewise.
"""

import csv
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import click
import cv2
import numpy as np

from classifier_faces import IGNORE, kept_apart, read_corrections
from face_teacher import (
    NO_BOXES,
    OVERLOOKED_SCORE,
    UNSURE,
    Taught,
    Teacher,
    free_of,
    teach,
)
from faceless_pictures import free_windows, parts, windows_around
from faceless_pictures import kept_apart as scenes_kept_apart
from maskdet.annotations import BoxedPhotograph, read_annotations
from maskdet.detections import FloatArray
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.yunet import FILE_NAME
from maskdet.vision.preprocessing import UInt8Array

ROOT = Path(__file__).resolve().parents[1]
UNLABELLED = ROOT / "tools" / "unlabelled_boxes.csv"
NONE = "none"  # what a box of it shows; the others, `IGNORE`, a face or what nobody can tell
FACE = "face"
OVERLOOKED = "overlooked"
CLASSES = (FACE, OVERLOOKED)  # by their numbers in the label files
SUSPECT_SCORE = 0.15  # the teacher's, from which on it keeps cut-outs away
SUSPECT_SIDES = (1024, 720, 512)  # pixels, longer side
FACELESS_SEED = 5
QUALITY = 95  # of the JPEG files: they should not add artefacts of their own

Unlabelled = Mapping[str, Mapping[str, FloatArray]]
NOTHING: Mapping[str, FloatArray] = {IGNORE: NO_BOXES, NONE: NO_BOXES}  # of other photographs


def read_unlabelled() -> Unlabelled:
    """Returns what `UNLABELLED` has: photograph, then `IGNORE` or `NONE`, to (N, 4) boxes.

    Raises:
        ValueError: a line says something else.
    """
    found: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: {IGNORE: [], NONE: []})
    with UNLABELLED.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["shows"] not in (IGNORE, NONE):
                raise ValueError(f"{UNLABELLED}: {row['photograph']}: shows {row['shows']!r}")
            sides = [float(row[side]) for side in ("left", "top", "right", "bottom")]
            found[row["photograph"]][row["shows"]].append(sides)
    return {
        name: {shows: np.array(rows, np.float32).reshape(-1, 4) for shows, rows in kinds.items()}
        for name, kinds in found.items()
    }


def write_labels(folder: Path, stem: str, boxes: Taught, resolution_wh: tuple[int, int]) -> None:
    """Writes a picture's boxes, in its pixels, as YOLO labels."""
    lines = []
    for number, some in enumerate(boxes):
        shares = np.clip(some / np.tile(resolution_wh, 2), 0, 1)
        middles, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
        lines += [
            f"{number} " + " ".join(f"{value:.5f}" for value in row) + "\n"
            for row in np.concatenate([middles, sides], axis=1).tolist()
        ]
    (folder / f"{stem}.txt").write_text("".join(lines), encoding="utf-8")


def boxed(
    photograph: BoxedPhotograph,
    picture: UInt8Array,
    teacher: Teacher,
    unlabelled: Mapping[str, FloatArray],
    doubtful: frozenset[int],
) -> Taught:
    """Returns the labelled faces of a photograph, and what is to be ignored in it.

    Args:
        photograph: with its labels.
        picture: (H, W, 3) uint8 BGR.
        teacher: made with a threshold of `OVERLOOKED_SCORE`.
        unlabelled: of the photograph, see `read_unlabelled`.
        doubtful: numbers of the labels that are to be ignored.
    """
    labelled = photograph.xyxy(picture.shape[1], picture.shape[0])
    sure = np.array([number not in doubtful for number in range(len(labelled))], bool)
    # What was looked at and is none is taught as none, even if the teacher sees a face there.
    missed = free_of(teacher.look(picture)[0], np.concatenate([labelled, unlabelled[NONE]]))
    ignored = [labelled[~sure], unlabelled[IGNORE], free_of(missed, unlabelled[IGNORE])]
    return Taught(labelled[sure], np.concatenate(ignored))


def photographs(data: Path, name: str) -> list[BoxedPhotograph]:
    """Returns the photographs of a folder below ``detection`` that may teach."""
    folder = data / "detection" / name
    annotations, kind = ("annotations", "voc") if name == "three_class" else ("labels", "yolo")
    found = read_annotations(folder / "images", folder / annotations, kind).photographs
    apart = kept_apart()
    return [photograph for photograph in found if photograph.path.stem not in apart]


def write_boxed(name: str, data: Path, target: Path) -> None:
    """Writes the photographs of a folder below ``detection``, with what their labels overlook."""
    teacher = Teacher(data / "weights" / FILE_NAME, OVERLOOKED_SCORE)
    unlabelled, corrections = read_unlabelled(), read_corrections()
    counts = np.zeros(2, int)
    for photograph in photographs(data, name):
        picture = read_picture(photograph.path)
        file = photograph.path.relative_to(data).as_posix()
        doubtful = frozenset(
            number
            for number in range(len(photograph.labels))
            if corrections.get((file, str(number))) == IGNORE
        )
        of_it = unlabelled.get(photograph.path.name, NOTHING)
        boxes = boxed(photograph, picture, teacher, of_it, doubtful)
        shutil.copyfile(photograph.path, target / "images" / photograph.path.name)
        write_labels(target / "labels", photograph.path.stem, boxes, picture.shape[1::-1])
        counts += [len(some) for some in boxes]
    click.echo(f"{name}: {counts[0]} faces, {counts[1]} ignored", err=True)


def write_taught(data: Path, target: Path) -> None:
    """Writes the class pictures in which the teacher is sure of a face."""
    teacher = Teacher(data / "weights" / FILE_NAME, UNSURE)
    for name in ("balaji", "observations"):
        counts = np.zeros(3, int)
        for path in sorted((data / "classification" / name).glob("*/*")):
            picture = cv2.imread(str(path))
            if picture is None:
                continue
            boxes = teach(teacher, picture)
            if boxes is None:
                continue
            # Names repeat between the class folders.
            stem = f"{name}-{path.parent.name}-{path.stem}"
            shutil.copyfile(path, target / "images" / f"{stem}{path.suffix}")
            write_labels(target / "labels", stem, boxes, picture.shape[1::-1])
            counts += [1, *(len(some) for some in boxes)]
        click.echo(
            f"{name}: {counts[0]} pictures, {counts[1]} faces, {counts[2]} ignored", err=True
        )


def write_faceless(data: Path, target: Path) -> None:
    """Writes pictures without faces: parts of scenes, and cut-outs of photographs of people.

    The photographs are those of ``detection/three_class``. Cut-outs of ``detection/train`` would
    show the pictures that pick the best pass.
    """
    random = np.random.default_rng(FACELESS_SEED)

    def write(stem: str, picture: UInt8Array) -> None:
        file = str(target / "images" / f"{stem}.jpg")
        cv2.imwrite(file, picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        (target / "labels" / f"{stem}.txt").touch()

    scenes = sorted((data / "faceless").iterdir())
    apart = scenes_kept_apart(scenes)
    for path in scenes:
        if path.name not in apart:
            for number, part in enumerate(parts(read_picture(path), random)):
                write(f"{path.stem}-{number}", part)
    teacher, unlabelled = Teacher(data / "weights" / FILE_NAME, SUSPECT_SCORE), read_unlabelled()
    count = 0
    for photograph in photographs(data, "three_class"):
        picture = read_picture(photograph.path)
        size = picture.shape[1::-1]
        of_it = unlabelled.get(photograph.path.name, NOTHING)
        labelled = np.concatenate([photograph.xyxy(*size), of_it[IGNORE]])
        seen = free_of(teacher.look(picture, SUSPECT_SIDES)[0], of_it[NONE])
        suspects = np.concatenate([labelled, seen])
        windows = free_windows(size, suspects, random)
        windows += windows_around(of_it[NONE], size, suspects)
        for number, (left, top, right, bottom) in enumerate(windows):
            write(f"{photograph.path.stem}-{number}", picture[top:bottom, left:right])
        count += len(windows)
    click.echo(f"faceless: {len(apart)} scenes kept apart, {count} cut-outs", err=True)


def write_held_out(data: Path, target: Path) -> None:
    """Writes the photographs and scenes that only measure, the photographs with their labels."""
    boxed_ones, scenes = target / "photographs", target / "scenes"
    for folder in (boxed_ones / "images", boxed_ones / "annotations", scenes):
        folder.mkdir(parents=True)
    source = data / "detection" / "three_class"
    for name in sorted(kept_apart()):
        shutil.copy(source / "images" / f"{name}.jpg", boxed_ones / "images")
        shutil.copy(source / "annotations" / f"{name}.xml", boxed_ones / "annotations")
    for name in sorted(scenes_kept_apart(sorted((data / "faceless").iterdir()))):
        shutil.copy(data / "faceless" / name, scenes)
