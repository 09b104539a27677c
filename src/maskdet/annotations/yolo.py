"""YOLO text labels: a file a picture, a line a face in shares of its size."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from maskdet.annotations.entries import Entry, files_of
from maskdet.annotations.photographs import SHARES, BoxedPhotograph
from maskdet.annotations.yolo_names import find_class_names
from maskdet.annotations.yolo_rows import Row, are_polygons, parse_rows
from maskdet.errors import DatasetError
from maskdet.files.text_files import read_text
from maskdet.suffixes import PICTURE_SUFFIXES

# Written beside the labels by the usual tools; these files are no labels themselves.
_NOT_LABELS = {"classes.txt", "train.txt", "valid.txt", "val.txt", "test.txt"}
_LONGEST = 60  # signs of a line in a message


def label_files(folder: Path) -> list[Path]:
    """Returns the files of a folder that may be labels."""
    return [path for path in files_of(folder, ".txt") if not _is_other(path.name.casefold())]


def is_yolo(path: Path) -> bool:
    """Tells whether a text file holds labels: a line of them, or nothing at all."""
    rows = parse_rows(read_text(path))
    return not rows or any(row.kind is not None for row in rows)


def read(folder: Path) -> Iterator[Entry]:
    """Reads the label files of a folder.

    Classes are called by their names where a file that tells them (``classes.txt``, ``obj.names``,
    ``data.yaml``) is in the folder, beside it or at the root of its data set, else by their
    numbers. A picture with a line that cannot be read is left out.

    Raises:
        DatasetError: the file that tells the names cannot be understood.
    """
    files = {path: parse_rows(read_text(path)) for path in label_files(folder)}
    known = find_class_names(folder, files)
    polygons = not known.has_landmarks and are_polygons(
        row for rows in files.values() for row in rows
    )
    for path, rows in files.items():
        entry = Entry(path, _picture_names(path.relative_to(folder)), SHARES)
        for row in rows:
            if row.kind is None:
                entry.note(f"line {row.number}: {_complaint(row)}: its picture is left out")
                entry.readable = False
                continue
            label = known.names.get(row.kind, str(row.kind))
            entry.add(label, row.corners(polygons=polygons), f"line {row.number}")
        yield entry


def read_yolo(
    images: Path, annotations: Path, names: Mapping[int, str]
) -> Iterator[BoxedPhotograph]:
    """Reads YOLO labels known to be sound, a class number's name given.

    Args:
        images: folder of pictures.
        annotations: folder of ``.txt`` files named as the pictures.
        names: class number to class name; boxes of other classes are left out.

    Yields:
        Pictures in the order of their names, those without a label file left out.

    Raises:
        DatasetError: a folder is missing or a line is not a YOLO label.
    """
    for folder in (images, annotations):
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder")
    for path in sorted(images.iterdir()):
        label_file = annotations / f"{path.stem}.txt"
        if path.suffix.lower() not in PICTURE_SUFFIXES or not label_file.is_file():
            continue
        entry = Entry(label_file, (), SHARES)
        for row in parse_rows(read_text(label_file)):
            if row.kind is None:
                raise DatasetError(f"{label_file}:{row.number}: {_complaint(row)}")
            if row.kind in names:
                corners = row.corners(polygons=False)
                entry.add(names[row.kind], corners, f"line {row.number}")
        yield entry.photograph(path)


def _is_other(name: str) -> bool:
    return name in _NOT_LABELS or name.startswith("readme")


def _picture_names(label_file: Path) -> tuple[str, ...]:
    """Returns what a label file's picture may be called, which may lie in ``images`` instead."""
    own = PurePosixPath(label_file.with_suffix("").as_posix())
    parts = ["images" if part.casefold() == "labels" else part for part in own.parts[:-1]]
    beside = PurePosixPath(*parts, own.name)
    return tuple(name.as_posix() for name in dict.fromkeys((beside, own)))


def _complaint(row: Row) -> str:
    text = row.text if len(row.text) <= _LONGEST else f"{row.text[:_LONGEST]}…"
    return f"expected 'class cx cy w h', got {text!r}"
