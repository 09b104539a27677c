"""The file in which a run says which part each picture went to: `SPLIT_FILE`."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from maskdet.class_folders.faces_file import Box
from maskdet.class_folders.splits import SPLITS
from maskdet.errors import DatasetError
from maskdet.files.text_files import read_text

SPLIT_FILE = "split.csv"  # in the folder of a run

_SIDES = ("left", "top", "right", "bottom")
_COLUMNS = ("file", "label", "group", "split", *_SIDES)


@dataclass(frozen=True)
class SplitRow:
    """A line of it.

    Attributes:
        path: of the picture.
        label: its class.
        group: pictures of one group are never on two sides.
        split: one of `SPLITS`.
        box: of the face, pixels; ``None`` for the whole picture.
    """

    path: Path
    label: str
    group: str
    split: str
    box: Box | None = None


def write_split(folder: Path, rows: Iterable[SplitRow]) -> None:
    """Writes the `SPLIT_FILE` of a run's folder; paths are made absolute.

    Raises:
        OSError: it cannot be written.
    """
    with (folder / SPLIT_FILE).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for row in rows:
            sides = ("",) * 4 if row.box is None else row.box
            writer.writerow((row.path.absolute(), row.label, row.group, row.split, *sides))


def read_split(path: Path) -> list[SplitRow]:
    """Reads such a file.

    Raises:
        DatasetError: it is missing or is none.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, ValueError):
        raise DatasetError(f"{path}: cannot be read; it is the {SPLIT_FILE} of a run") from None
    rows = []
    for number, row in enumerate(csv.DictReader(lines), 2):
        try:
            if row["split"] not in SPLITS:
                raise ValueError
            sides = [row.get(side) or "" for side in _SIDES]
            left, top, right, bottom = (float(side) for side in sides) if any(sides) else [0.0] * 4
            box = (left, top, right, bottom) if any(sides) else None
            rows.append(SplitRow(Path(row["file"]), row["label"], row["group"], row["split"], box))
        except (KeyError, TypeError, ValueError):
            raise DatasetError(
                f"{path}:{number}: is not a line of the {SPLIT_FILE} of a run "
                f"({', '.join(_COLUMNS[:4])})"
            ) from None
    if not rows:
        raise DatasetError(f"{path}: names no picture")
    return rows
