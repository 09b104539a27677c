"""Builds the bundled face detector: YuNet's body under an SSD's heads, trained on masked faces.

    python tools/build_faces.py --data ../shared/data

Makes a network that starts as YuNet and one set of boxed pictures in ``build/faces/``, then runs
``maskdet train-faces --config faces`` from the one on the other and on the photographs of
``detection/train``, boxed by hand. The set is made of class pictures (``balaji`` and
``observations``) boxed by a teacher, YuNet again. A picture is kept if all that the teacher sees in
it is surely a face.

Whoever boxed the photographs left many faces out, blurred or half hidden ones mostly. Taught as
background they would be the hardest of it, and unteach faces that are much like them. So the
teacher's boxes where no label is are given the class `OVERLOOKED`, which is ignored.

``detection/valid`` is never trained on, nor is a picture that nearly matches one of it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import click
import cv2
import numpy as np

from maskdet.annotations import BoxedPhotograph, read_yolo
from maskdet.assets import sha256
from maskdet.boxes import intersection_over_union
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.card import CARD_FORMAT, CARD_KIND
from maskdet.vision.faces.prior_boxes import non_maximum_suppression
from maskdet.vision.faces.yunet import FILE_NAME
from maskdet.vision.preprocessing import UInt8Array

ROOT = Path(__file__).resolve().parents[1]
SURE = 0.7  # teacher's score from which on a box is taken for a face
UNSURE = 0.35  # a box between the two throws the picture out
# The teacher sees very large faces worse than middling ones, so it looks at two sizes.
TEACHER_SIDES = (320, 160)  # pixels, longer side
SMALLEST = 12  # pixels of the picture; below, the teacher's boxes are too rough
NMS_THRESHOLD = 0.3
OVERLOOKED = "overlooked"
OVERLOOKED_SCORE = 0.6  # the teacher's, as its authors' own threshold for video
FREE_OVERLAP = 0.3  # of a box with a label, below which the label is of something else
SEED = 5
FACELESS_PARTS = 15  # of each picture


def teach(teacher: cv2.FaceDetectorYN, picture: UInt8Array) -> FloatArray | None:
    """Returns the teacher's (N, 4) xyxy boxes in pixels; ``None`` where it is unsure or sees none.

    Args:
        teacher: made with a threshold of `UNSURE`.
        picture: (H, W, 3) uint8 BGR.
    """
    boxes, scores = [], []
    for side in TEACHER_SIDES:
        scale = side / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        teacher.setInputSize(small.shape[1::-1])
        found = teacher.detect(small)[1]
        if found is not None:
            corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
            boxes.append((corners / scale).astype(np.float32))
            scores.append(found[:, -1].astype(np.float32))
    if not boxes:
        return None
    xyxy, sure = np.concatenate(boxes), np.concatenate(scores)
    kept = non_maximum_suppression(xyxy, sure, NMS_THRESHOLD)
    sides = xyxy[kept, 2:] - xyxy[kept, :2]
    if sure[kept].min() < SURE or sides.min() < SMALLEST:
        return None
    return xyxy[kept]


def yolo_lines(shares: FloatArray, numbers: Sequence[int]) -> list[str]:
    """Returns a YOLO label a box, (N, 4) xyxy as shares of the picture."""
    centres, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    rows = np.concatenate([centres, sides], axis=1).tolist()
    return [
        f"{number} " + " ".join(f"{value:.5f}" for value in row)
        for number, row in zip(numbers, rows, strict=True)
    ]


def taught(folder: Path, teacher: cv2.FaceDetectorYN) -> Iterator[tuple[Path, list[str]]]:
    """Yields each picture below a folder that the teacher is sure of, with its YOLO lines."""
    for path in sorted(folder.glob("*/*")):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        boxes = teach(teacher, picture)
        if boxes is None:
            continue
        height, width = picture.shape[:2]
        shares = np.clip(boxes / np.array([width, height, width, height], np.float32), 0, 1)
        yield path, yolo_lines(shares.astype(np.float32), [0] * len(shares))


def overlooked(photograph: BoxedPhotograph, teacher: cv2.FaceDetectorYN) -> FloatArray:
    """Returns what the teacher sees and nobody labelled: (N, 4) boxes, shares of the picture.

    Args:
        photograph: its boxes in shares of its size.
        teacher: made with a threshold of `OVERLOOKED_SCORE`.
    """
    picture = read_picture(photograph.path)
    teacher.setInputSize(picture.shape[1::-1])
    found = teacher.detect(picture)[1]
    if found is None:
        return np.zeros((0, 4), np.float32)
    xyxy = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
    within = np.clip(xyxy / np.tile(picture.shape[1::-1], 2), 0, 1)
    shares: FloatArray = within.astype(np.float32)
    if not len(photograph.boxes):
        return shares
    overlaps = intersection_over_union(shares, photograph.boxes)
    return cast("FloatArray", shares[overlaps.max(axis=1) < FREE_OVERLAP])


def write_street(data: Path, target: Path) -> None:
    """Writes the labels of ``detection/train`` with what they overlook."""
    street = data / "detection" / "train"
    weights = data / "weights" / FILE_NAME
    teacher = cv2.FaceDetectorYN.create(
        str(weights), "", (320, 320), OVERLOOKED_SCORE, NMS_THRESHOLD
    )
    target.mkdir(parents=True)
    names = {0: NO_MASK_LABEL, 1: MASK_LABEL}
    count = 0
    for photograph in read_yolo(street / "images", street / "labels", names):
        missed = overlooked(photograph, teacher)
        count += len(missed)
        numbers = [0 if label == NO_MASK_LABEL else 1 for label in photograph.labels]
        lines = yolo_lines(
            np.concatenate([photograph.boxes, missed]), [*numbers, *[2] * len(missed)]
        )
        (target / f"{photograph.path.stem}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (target / "classes.txt").write_text("\n".join([*names.values(), OVERLOOKED, ""]), "utf-8")
    click.echo(f"detection/train: {count} faces overlooked", err=True)


def write_taught(data: Path, target: Path) -> None:
    """Writes the class pictures the teacher is sure of as ``images/`` and YOLO ``labels/``."""
    weights = data / "weights" / FILE_NAME
    teacher = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), UNSURE, NMS_THRESHOLD)
    for part in ("images", "labels"):
        (target / part).mkdir(parents=True)
    for name in ("balaji", "observations"):
        count = 0
        for path, lines in taught(data / "classification" / name, teacher):
            # Names repeat between the class folders.
            stem = f"{name}-{path.parent.name}-{path.stem}"
            shutil.copyfile(path, target / "images" / f"{stem}{path.suffix}")
            text = "\n".join(lines) + "\n"
            (target / "labels" / f"{stem}.txt").write_text(text, encoding="utf-8")
            count += 1
        click.echo(f"{name}: the teacher is sure of {count} pictures", err=True)
    (target / "labels" / "classes.txt").write_text("face\n", encoding="utf-8")


def write_faceless(folder: Path, target: Path) -> None:
    """Writes pictures without faces, whole and in parts, as ``images/`` and empty ``labels/``."""
    for part in ("images", "labels"):
        (target / part).mkdir(parents=True)
    random = np.random.default_rng(SEED)
    for path in sorted(folder.iterdir()):
        picture = read_picture(path)
        size = np.array(picture.shape[:2])
        for number in range(FACELESS_PARTS):
            shares = np.ones(2) if number == 0 else random.uniform(0.25, 0.9, 2)
            height, width = (shares * size).astype(int)
            top, left = (random.random(2) * (size - [height, width])).astype(int)
            stem = f"{path.stem}-{number}"
            shown = picture[top : top + height, left : left + width]
            cv2.imwrite(str(target / "images" / f"{stem}.jpg"), shown)
            (target / "labels" / f"{stem}.txt").touch()
    (target / "labels" / "classes.txt").write_text("face\n", encoding="utf-8")


def write_start(data: Path, target: Path) -> None:
    """Writes a face detector's folder, its weights alone: what training goes on from."""
    # TensorFlow reads this once, when it is first imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from maskdet.train.faces.networks.registry import LIGHT
    from maskdet.train.faces.networks.yunet import load_yunet_weights, read_yunet
    from maskdet.train.faces.weights import WEIGHTS_KEY, arrays_of

    model = LIGHT.build()
    load_yunet_weights(model, read_yunet(data / "weights" / FILE_NAME))
    target.mkdir(parents=True)
    path = target / "yunet_weights.npz"
    np.savez(path, **arrays_of(model))
    entry = {"name": path.name, "sha256": sha256(path)}
    card = {"format": CARD_FORMAT, "kind": CARD_KIND, "files": {WEIGHTS_KEY: entry}}
    (target / "yunet.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "faces",
    help="Folder for the beginning, the taught set and the added labels; made unless there.",
)
@click.option(
    "--faceless",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of photographs of anything but people, which teach what is no face.",
)
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "face_detector")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    data: Path, work: Path, faceless: Path | None, output: Path, train_options: tuple[str, ...]
) -> None:
    """Makes beginning and sets, then trains."""
    start, taught_set, labels = work / "yunet", work / "taught", work / "street"
    if not start.exists():
        write_start(data, start)
    if not taught_set.exists():
        write_taught(data, taught_set)
    if not labels.exists():
        write_street(data, labels)
    more: list[str] = []
    if faceless is not None:
        parts = work / "faceless"
        if not parts.exists():
            write_faceless(faceless, parts)
        more = ["--images", str(parts / "images"), "--annotations", str(parts / "labels")]
    command = [
        *(sys.executable, "-m", "maskdet", "train-faces", "--config", "faces"),
        *("--from", str(start)),
        *("--images", str(data / "detection" / "train" / "images"), "--annotations", str(labels)),
        *("--ignore", OVERLOOKED),
        *("--images", str(taught_set / "images"), "--annotations", str(taught_set / "labels")),
        *more,
        *("--exclude-like", str(data / "detection" / "valid" / "images")),
        *("--output", str(output), "--overwrite"),
        *train_options,
    ]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
