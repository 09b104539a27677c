"""Builds the bundled face detector: the public SSD, trained on with masked and small faces.

    python tools/build_faces.py --data ../shared/data

Makes one set of boxed pictures in ``build/faces/``, then runs ``maskdet train-faces --config
faces`` on it and on the photographs of ``detection/train``, boxed by hand, from the public network
(`--from original`). The set is made of class pictures (``balaji`` and ``observations``) boxed by a
teacher, YuNet. A picture is kept if all that the teacher sees in it is surely a face.

``detection/valid`` is never trained on, nor is a picture that nearly matches one of it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.prior_boxes import non_maximum_suppression

ROOT = Path(__file__).resolve().parents[1]
SURE = 0.7  # teacher's score from which on a box is taken for a face
UNSURE = 0.35  # a box between the two throws the picture out
# The teacher sees very large faces worse than middling ones, so it looks at two sizes.
TEACHER_SIDES = (320, 160)  # pixels, longer side
SMALLEST = 12  # pixels of the picture; below, the teacher's boxes are too rough
NMS_THRESHOLD = 0.3


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


def taught(folder: Path, teacher: cv2.FaceDetectorYN) -> Iterator[tuple[Path, list[str]]]:
    """Yields each picture below a folder that the teacher is sure of, with its YOLO lines."""
    for path in sorted(folder.glob("*/*")):
        picture = cv2.imread(str(path))
        boxes = None if picture is None else teach(teacher, picture)
        if boxes is None:
            continue
        height, width = picture.shape[:2]
        shares = np.clip(boxes / np.array([width, height, width, height], np.float32), 0, 1)
        centres, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
        rows = np.concatenate([centres, sides], axis=1).tolist()
        yield path, ["0 " + " ".join(f"{value:.5f}" for value in row) for row in rows]


def write_taught(data: Path, target: Path) -> None:
    """Writes the class pictures the teacher is sure of as ``images/`` and YOLO ``labels/``."""
    weights = data / "weights" / "face_detection_yunet_2023mar.onnx"
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


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "faces" / "taught",
    help="Folder for the taught set; made anew unless it is there.",
)
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "face_detector")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(data: Path, work: Path, output: Path, train_options: tuple[str, ...]) -> None:
    """Makes the taught set, then trains."""
    if not work.exists():
        write_taught(data, work)
    street = data / "detection" / "train"
    command = [
        *(sys.executable, "-m", "maskdet", "train-faces", "--config", "faces"),
        *("--from", "original"),
        *("--images", str(street / "images"), "--annotations", str(street / "labels")),
        *("--images", str(work / "images"), "--annotations", str(work / "labels")),
        *("--exclude-like", str(data / "detection" / "valid" / "images")),
        *("--output", str(output), *train_options),
    ]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
