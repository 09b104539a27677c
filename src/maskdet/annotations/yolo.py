"""YOLO text labels: a file a picture, ``class cx cy width height`` a line in shares of its size."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskdet.annotations.entries import Entry
from maskdet.annotations.photographs import PICTURE_SUFFIXES, SHARES, BoxedPhotograph
from maskdet.errors import DatasetError

# Written beside the labels by the usual tools; these files are no labels themselves.
_NAMES_FILES = ("classes.txt", "obj.names", "_darknet.labels", "data.yaml", "dataset.yaml")
_NOT_LABELS = {"classes.txt", "train.txt", "valid.txt", "val.txt", "test.txt", "README.txt"}

_Row = tuple[int, tuple[float, float, float, float]]


def label_files(folder: Path) -> list[Path]:
    """Returns the files of a folder that may be labels."""
    return sorted(path for path in folder.rglob("*.txt") if path.name not in _NOT_LABELS)


def is_yolo(path: Path) -> bool:
    """Tells whether a text file holds labels: a line of them, or nothing at all."""
    rows = [row for _, _, row in _rows(path)]
    return not rows or any(row is not None for row in rows)


def read(folder: Path) -> Iterator[Entry]:
    """Reads the label files of a folder.

    Classes are called by their names where a names file (``classes.txt``, ``obj.names``,
    ``data.yaml``) is in the folder or beside it, else by their numbers.
    """
    names = _class_names(folder)
    for path in label_files(folder):
        relative = path.relative_to(folder).with_suffix("").as_posix()
        entry = Entry(path, (relative,), SHARES)
        for number, line, row in _rows(path):
            if row is None:
                entry.note(f"line {number}: expected 'class cx cy w h', got {line!r}: left out")
                continue
            entry.add(names.get(row[0], str(row[0])), row[1], f"line {number}")
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
        for number, line, row in _rows(label_file):
            if row is None:
                raise DatasetError(
                    f"{label_file}:{number}: expected 'class cx cy w h', got {line!r}"
                )
            if row[0] in names:
                entry.add(names[row[0]], row[1], f"line {number}")
        yield entry.photograph(path)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()


def _rows(path: Path) -> Iterator[tuple[int, str, _Row | None]]:
    """Yields number, text and content of each line that is not empty; ``None`` for no label."""
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            yield number, line, _parse(line)


def _parse(line: str) -> _Row | None:
    """Reads a line; a sixth number, some tools' confidence, is passed over."""
    words = line.split()
    try:
        kind, (cx, cy, width, height) = int(words[0]), (float(word) for word in words[1:5])
    except (IndexError, ValueError):
        return None
    if len(words) > 6:
        return None
    return kind, (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)


def _class_names(folder: Path) -> dict[int, str]:
    """Reads the names file in the folder, or beside it."""
    for place in (folder, folder.parent):
        for name in _NAMES_FILES:
            path = place / name
            if path.is_file():
                lines = _lines(path)
                names = _yaml_names(lines) if path.suffix == ".yaml" else lines
                return {number: line.strip() for number, line in enumerate(names) if line.strip()}
    return {}


def _yaml_names(lines: list[str]) -> list[str]:
    """Returns the ``names`` of a ``data.yaml``: an inline list, a list, or numbered lines."""
    text = "\n".join(lines)
    inline = re.search(r"^names:\s*\[([^\]]*)\]", text, re.MULTILINE)
    if inline:
        return [word.strip().strip("'\"") for word in inline[1].split(",")]
    block = re.search(r"^names:\s*\n((?:\s*(?:-|\d+:)\s*.+\n?)+)", text, re.MULTILINE)
    found = re.findall(r"^\s*(?:-|\d+:)\s*(.+?)\s*$", block[1], re.MULTILINE) if block else []
    return [word.strip("'\"") for word in found]
