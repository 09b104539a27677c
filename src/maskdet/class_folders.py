"""Class folders, the form a data set has on disk: which pictures there are, of which class."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from maskdet.annotations import is_picture
from maskdet.errors import DatasetError

FACES_FILE = "faces.csv"  # optional, in a dataset folder: where the face is, what belongs together


TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """A picture to learn from.

    Attributes:
        path: its file.
        label: its class, the name of its folder.
        dataset: the `--dataset` folder it is in, by position.
        box: left, top, right, bottom of the face in pixels, where `FACES_FILE` says it.
        group: what `FACES_FILE` says it belongs together with, such as its photograph.
        split: given by a ready ``train/ val/ test/`` layout, else ``None``.
    """

    path: Path
    label: str
    dataset: int
    box: Box | None = None
    group: str | None = None
    split: str | None = None


def list_classes(folder: Path) -> list[tuple[Path, str | None]]:
    """Lists the class folders of a dataset folder, each with its split where that is given.

    Raises:
        OSError: a folder cannot be read.
    """
    inside = _folders(folder)
    ready = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "test": TEST}
    parts: list[tuple[Path, str | None]] = [(folder, None)]
    if inside and {path.name for path in inside} <= set(ready):
        parts = [(path, ready[path.name]) for path in inside]
    return [(path, split) for part, split in parts for path in _folders(part)]


def list_pictures(folder: Path, number: int = 0, *, empty: bool = False) -> list[Picture]:
    """Lists a dataset folder in the order of its names.

    Args:
        folder: holds class folders, or ``train/ val/ test/`` with class folders in them.
        number: becomes `Picture.dataset`.
        empty: put up with classes without pictures.

    Raises:
        DatasetError: no such folder, an empty class, or a `FACES_FILE` that cannot be understood.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    faces = _read_faces(folder / FACES_FILE)
    pictures = []
    try:
        for class_folder, split in list_classes(folder):
            paths = sorted(filter(is_picture, class_folder.rglob("*")))
            if not paths and not empty:
                raise DatasetError(f"{class_folder}: an empty class, no pictures in it")
            for path in paths:
                box, group = faces.get(path.relative_to(folder).as_posix(), (None, None))
                group = None if group is None else f"{number}/{group}"
                pictures.append(Picture(path, class_folder.name, number, box, group, split))
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror})") from None
    return pictures


@dataclass(frozen=True)
class FaceRow:
    """A line of `FACES_FILE`.

    Attributes:
        file: the picture's path below the dataset folder, with forward slashes.
        group: what it belongs together with, empty for nothing.
        box: of the face in the picture, pixels.
        source: the picture it was made from.
        source_box: of the face in that.
        note: anything a reader should know.
    """

    file: str
    group: str = ""
    box: Box | None = None
    source: str = ""
    source_box: Box | None = None
    note: str = ""


_SIDES = ("left", "top", "right", "bottom")
_COLUMNS = ("file", "group", *_SIDES, "source", *(f"source_{side}" for side in _SIDES), "note")


def write_faces(folder: Path, rows: Iterable[FaceRow]) -> None:
    """Writes the `FACES_FILE` of a dataset folder."""

    def sides(box: Box | None) -> list[object]:
        return [""] * 4 if box is None else [round(side, 1) for side in box]

    with (folder / FACES_FILE).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for row in rows:
            boxes = (*sides(row.box), row.source, *sides(row.source_box))
            writer.writerow([row.file, row.group, *boxes, row.note])


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _read_faces(path: Path) -> dict[str, tuple[Box | None, str | None]]:
    """Reads `FACES_FILE`: ``file,group,left,top,right,bottom``, group and box each optional."""
    if not path.is_file():
        return {}
    faces: dict[str, tuple[Box | None, str | None]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            sides = [row.get(name) or "" for name in _SIDES]
            try:
                box = None
                if any(sides):
                    left, top, right, bottom = (float(side) for side in sides)
                    box = (left, top, right, bottom)
                faces[row["file"]] = (box, row.get("group") or None)
            except (KeyError, ValueError):
                raise DatasetError(
                    f"{path}:{number}: expected file,group,left,top,right,bottom"
                ) from None
    return faces
