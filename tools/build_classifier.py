"""Builds the classifier of three classes: cuts faces out of photographs, runs the preset on them.

    python tools/build_classifier.py --data ../shared/data

Makes a dataset folder, runs ``maskdet train --config configs/three_classes.toml`` on its parts and
leaves the model trio in ``models/``:

- ``street`` and ``three_class``: a crop around each boxed face of ``detection/train`` and of
  ``detection/three_class``, with context around it, the box and the photograph it is from noted in
  ``faces.csv``; see `classifier_faces.py` for whose labels these are;
- ``balaji``: class pictures, with the face's box where a face detector (YuNet) finds exactly one,
  so that training sees faces framed as they are in use;
- ``drawn``: what is drawn on bare faces of these; see `drawn_faces.py`;
- ``held_out``: photographs and crops of ``detection/valid`` and of the photographs kept apart;
  training pictures that nearly match one of these are left out.
"""

import csv
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click
import cv2

from classifier_faces import (
    IGNORE,
    ROOT,
    Face,
    kept_apart,
    read_corrections,
    street_faces,
    three_class_faces,
)
from drawn_faces import covered_mouths, drawn_masks

QUALITY = 95  # of the JPEG files: the crops should not add artefacts of their own
BOXED = ("street", "three_class")
CLASS_PICTURES = ("balaji",)
PARTS = (*BOXED, *CLASS_PICTURES, "drawn")

Corrections = dict[tuple[str, str], str]
Row = tuple[object, ...]


def write_crops(faces: Iterable[Face], target: Path) -> None:
    """Writes faces as class folders with their `faces.csv`."""
    rows: list[Row] = []
    for number, face in enumerate(faces):
        file = Path(face.label) / f"{number:05d}.jpg"
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target / file), face.crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        box = (round(float(side), 1) for side in face.box)
        rows.append((file.as_posix(), face.photograph, *box, *face.key))
    write_faces(target, rows)


def write_class_pictures(
    data: Path, name: str, target: Path, corrections: Corrections, detector: cv2.FaceDetectorYN
) -> None:
    """Copies class folders and notes the box of the face where exactly one is found."""
    rows: list[Row] = []
    for path in sorted((data / "classification" / name).glob("*/*")):
        picture = cv2.imread(str(path))
        key = path.relative_to(data).as_posix()
        label = corrections.get((key, ""), path.parent.name)
        if picture is None or label == IGNORE:
            continue
        file = Path(label) / path.name
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / file)
        detector.setInputSize(picture.shape[1::-1])
        found = detector.detect(picture)[1]
        if found is not None and len(found) == 1:
            left, top, width, height = (round(float(value), 1) for value in found[0][:4])
            box = (left, top, left + width, top + height)
            rows.append((file.as_posix(), "", *box, key, ""))
    write_faces(target, rows)


def write_faces(target: Path, rows: list[Row]) -> None:
    """Writes the file that tells the trainer where the faces are, and a reader where from."""
    names = ("file", "group", "left", "top", "right", "bottom", "source", "note")
    with (target / "faces.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])


def write_held_out(data: Path, target: Path, measured: Iterable[Face]) -> None:
    """Writes what training must not contain: photographs that measure, and their faces."""
    photographs, faces = target / "photographs", target / "faces"
    shutil.copytree(data / "detection" / "valid" / "images", photographs)
    for name in sorted(kept_apart()):
        shutil.copy(data / "detection" / "three_class" / "images" / f"{name}.jpg", photographs)
    faces.mkdir()
    for number, face in enumerate(measured):
        cv2.imwrite(str(faces / f"{number:05d}.png"), face.crop)


def exclude_photographs(photographs: Path, target: Path, held_out: Path) -> None:
    """Takes crops out whose whole photograph nearly matches one that is held out."""
    from maskdet.duplicates import near_pairs, stack_hashes
    from maskdet.train.data import hash_files, hash_folders

    held, _ = hash_folders([held_out / "photographs"])
    hashed, _ = hash_files(sorted(photographs.iterdir()))
    found = near_pairs(stack_hashes(list(hashed.values())), held)
    paths = list(hashed)
    names = {paths[index].stem for index in found.first.tolist()} - kept_apart()
    with (target / "faces.csv").open(encoding="utf-8", newline="") as stream:
        _, *rows = csv.reader(stream)
    for row in rows:
        if row[1] in names:
            (target / row[0]).unlink()
    write_faces(target, [tuple(row) for row in rows if row[1] not in names])
    click.echo(
        f"{len(names)} photographs of {target.name} nearly match one held out: "
        f"{sum(row[1] in names for row in rows)} crops left out",
        err=True,
    )


def write_dataset(data: Path, work: Path) -> None:
    """Writes all parts."""
    corrections, apart = read_corrections(), kept_apart()
    boxed = list(three_class_faces(data, corrections))
    measured = [face for face in boxed if face.photograph in apart]
    measured += street_faces(data, "valid", corrections)
    write_held_out(data, work / "held_out", measured)
    write_crops(street_faces(data, "train", corrections), work / "street")
    write_crops((f for f in boxed if f.photograph not in apart), work / "three_class")
    for name, folder in (("street", "train"), ("three_class", "three_class")):
        images = data / "detection" / folder / "images"
        exclude_photographs(images, work / name, work / "held_out")
    weights = data / "weights" / "face_detection_yunet_2023mar.onnx"
    detector = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), 0.7)
    for name in CLASS_PICTURES:
        write_class_pictures(data, name, work / name, corrections, detector)
    masks = drawn_masks(work, work / "drawn", weights)
    write_faces(work / "drawn", [*masks, *covered_mouths(work, work / "drawn", weights)])
    for name in PARTS:
        counts = Counter(path.parent.name for path in (work / name).glob("*/*"))
        click.echo(f"{name}: {dict(sorted(counts.items()))}", err=True)


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
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "models/mask_detector3")
@click.option("--only-data", is_flag=True, help="Makes the dataset and stops.")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    data: Path, work: Path, output: Path, only_data: bool, train_options: tuple[str, ...]
) -> None:
    """Makes the dataset, then trains."""
    if not work.exists():
        write_dataset(data, work)
    if only_data:
        return
    datasets = [f"--dataset={work / name}" for name in PARTS]
    command = [
        *(sys.executable, "-m", "maskdet", "train"),
        *("--config", str(ROOT / "configs" / "three_classes.toml"), *datasets),
        *("--exclude-like", str(work / "held_out"), "--output", str(output), "--overwrite"),
        *train_options,
    ]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
