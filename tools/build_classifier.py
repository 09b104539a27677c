"""Builds the bundled classifier: cuts faces out of boxed photographs and runs the preset on them.

    python tools/build_classifier.py --data ../shared/data

Makes a dataset folder of three parts, runs ``maskdet train --config configs/bundled.toml`` on it
and leaves the model trio in ``models/``:

- ``street``: a crop around each boxed face of ``detection/train``, with context around it, the box
  and the photograph it is from noted in ``faces.csv``;
- ``balaji`` and ``observations``: the class pictures, with the face's box where a face detector
  (YuNet) finds exactly one, so that training sees faces framed as they are in use;
- ``held_out``: photographs and crops of ``detection/valid``; training pictures that nearly match
  one of these are left out.
"""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.annotations import read_yolo
from maskdet.boxes import clip_boxes, cut, expand_boxes
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.vision.preprocessing import UInt8Array

ROOT = Path(__file__).resolve().parents[1]
NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
CONTEXT = 0.8  # margin of the crops: room for the largest random margin, turned and shifted
SMALLEST = 24  # height in pixels below which even a person often cannot tell
QUALITY = 95  # of the JPEG files: the crops should not add artefacts of their own

Row = tuple[object, ...]


def crops(
    data: Path, part: str, smallest: float
) -> Iterator[tuple[UInt8Array, FloatArray, str, str]]:
    """Yields crop, face box within it, label and photograph name for each boxed face."""
    folder = data / "detection" / part
    for photograph in read_yolo(folder / "images", folder / "labels", NAMES):
        frame = cv2.imread(str(photograph.path))
        if frame is None:
            continue
        height, width = frame.shape[:2]
        boxes = clip_boxes(photograph.xyxy(width, height), width, height)
        for box, label in zip(boxes, photograph.labels, strict=True):
            if box[3] - box[1] < smallest or box[2] - box[0] < smallest / 2:
                continue
            around = clip_boxes(expand_boxes(box[np.newaxis], CONTEXT), width, height)[0]
            inside = box - np.floor(around[[0, 1, 0, 1]])
            yield cut(frame, around), inside, label, photograph.path.stem


def write_street(data: Path, target: Path) -> None:
    """Writes the crops of `detection/train` as class folders with their `faces.csv`."""
    rows: list[Row] = []
    for number, (crop, box, label, photograph) in enumerate(crops(data, "train", SMALLEST)):
        file = Path(label) / f"{number:05d}.jpg"
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target / file), crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        rows.append((file.as_posix(), photograph, *(round(float(side), 1) for side in box)))
    write_faces(target, rows)


def write_class_pictures(source: Path, target: Path, detector: cv2.FaceDetectorYN) -> None:
    """Copies class folders and notes the box of the face where exactly one is found."""
    rows: list[Row] = []
    for path in sorted(source.glob("*/*")):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        file = path.relative_to(source)
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / file)
        detector.setInputSize(picture.shape[1::-1])
        found = detector.detect(picture)[1]
        if found is not None and len(found) == 1:
            left, top, width, height = (round(float(value), 1) for value in found[0][:4])
            rows.append((file.as_posix(), "", left, top, left + width, top + height))
    write_faces(target, rows)


def write_faces(target: Path, rows: list[Row]) -> None:
    """Writes the file that tells the trainer where the faces are."""
    with (target / "faces.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("file", "group", "left", "top", "right", "bottom"), *rows])


def write_held_out(data: Path, target: Path) -> None:
    """Writes what training must not contain: photographs of `detection/valid`, and their faces."""
    shutil.copytree(data / "detection" / "valid" / "images", target / "photographs")
    (target / "faces").mkdir()
    for number, (crop, _, _, _) in enumerate(crops(data, "valid", SMALLEST)):
        cv2.imwrite(str(target / "faces" / f"{number:05d}.png"), crop)


def exclude_photographs(data: Path, target: Path) -> None:
    """Takes crops out whose whole photograph nearly matches one of `detection/valid`."""
    from maskdet.duplicates import near_pairs, stack_hashes
    from maskdet.train.data import hash_files, hash_folders

    held, _ = hash_folders([data / "detection" / "valid" / "images"])
    hashed, _ = hash_files(sorted((data / "detection" / "train" / "images").iterdir()))
    found = near_pairs(stack_hashes(list(hashed.values())), held)
    paths = list(hashed)
    names = {paths[index].stem for index in found.first.tolist()}
    with (target / "faces.csv").open(encoding="utf-8", newline="") as stream:
        _, *rows = csv.reader(stream)
    for row in rows:
        if row[1] in names:
            (target / row[0]).unlink()
    write_faces(target, [tuple(row) for row in rows if row[1] not in names])
    click.echo(
        f"{len(names)} photographs of detection/train nearly match one of detection/valid: "
        f"{sum(row[1] in names for row in rows)} crops left out",
        err=True,
    )


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "classifier",
    help="Folder for the dataset; made anew unless it is there.",
)
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "models/mask_detector")
@click.option("--only-data", is_flag=True, help="Makes the dataset and stops.")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    data: Path, work: Path, output: Path, only_data: bool, train_options: tuple[str, ...]
) -> None:
    """Makes the dataset, then trains."""
    if not work.exists():
        write_street(data, work / "street")
        exclude_photographs(data, work / "street")
        weights = data / "weights" / "face_detection_yunet_2023mar.onnx"
        detector = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), 0.7)
        for name in ("balaji", "observations"):
            write_class_pictures(data / "classification" / name, work / name, detector)
        write_held_out(data, work / "held_out")
    if only_data:
        return
    datasets = [f"--dataset={work / name}" for name in ("street", "balaji", "observations")]
    command = [
        *(sys.executable, "-m", "maskdet", "train"),
        *("--config", str(ROOT / "configs" / "bundled.toml"), *datasets),
        *("--exclude-like", str(work / "held_out"), "--output", str(output), "--overwrite"),
        *train_options,
    ]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
