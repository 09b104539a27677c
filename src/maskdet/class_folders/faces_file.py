"""The file in a dataset folder that says where faces are, and which pictures belong together."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import DatasetError
from maskdet.files.text_files import composed, read_text

FACES_FILE = "faces.csv"  # optional, in a dataset folder

Box = tuple[float, float, float, float]

_SIDES = ("left", "top", "right", "bottom")
_COLUMNS = ("file", "group", *_SIDES, "source", *(f"source_{side}" for side in _SIDES), "note")
_EXPECTED = "file,group,left,top,right,bottom"
_DELIMITERS = ",;\t"


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


def write_faces(folder: Path, rows: Iterable[FaceRow], name: str = FACES_FILE) -> None:
    """Writes the `FACES_FILE` of a dataset folder, or one of another name to become it."""

    def sides(box: Box | None) -> list[object]:
        return [""] * 4 if box is None else [round(side, 1) for side in box]

    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for row in rows:
            boxes = (*sides(row.box), row.source, *sides(row.source_box))
            writer.writerow([row.file, row.group, *boxes, row.note])


def read_faces(folder: Path) -> dict[str, tuple[Box | None, str | None]]:
    """Reads the `FACES_FILE` of a dataset folder, as any program saves it.

    Spreadsheets write it in other encodings, with semicolons or tabs, and with decimal commas.

    Returns:
        Box and group, each optional, by the picture's path below the folder, with forward slashes
        and composed accents; nothing where there is no such file.

    Raises:
        DatasetError: it cannot be understood.
        OSError: it cannot be read.
    """
    path = folder / FACES_FILE
    if not path.is_file():
        return {}
    faces: dict[str, tuple[Box | None, str | None]] = {}
    rows = _rows(path)
    header = next(rows, (1, []))[1]
    names = [name.strip().casefold() for name in header]
    if "file" not in names:
        raise DatasetError(f"{path}:1: expected a line of column names, such as {_EXPECTED}")
    for number, values in rows:
        # Cells beyond the header's are a comment, those that are missing are empty.
        row = dict(zip(names, (value.strip() for value in values), strict=False))
        if not any(row.values()):
            continue
        sides = [row.get(name, "") for name in _SIDES]
        try:
            box = _box(sides) if any(sides) else None
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: {error}, expected {_EXPECTED}") from None
        if not row["file"]:
            raise DatasetError(f"{path}:{number}: names no file, expected {_EXPECTED}")
        name = composed(row["file"].replace("\\", "/").removeprefix("./"))
        faces[name] = (box, row.get("group") or None)
    return faces


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields number and cells of each line that is not empty, whatever divides the cells."""
    text = read_text(path)
    skipped, delimiter = 0, ""
    if text[:4].casefold() == "sep=":  # Excel's own way of saying what divides the cells
        said, _, text = text.partition("\n")
        skipped, delimiter = 1, said[4:5]
    header = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter or max(_DELIMITERS, key=header.count)
    )
    try:
        for row in reader:
            if row:
                yield skipped + reader.line_num, row
    except csv.Error as error:
        line = skipped + reader.line_num
        raise DatasetError(f"{path}:{line}: is not a table ({error})") from None


def _box(sides: list[str]) -> Box:
    """Reads four numbers.

    Raises:
        ValueError: they are none, or no box; it says so.
    """
    try:
        left, top, right, bottom = (float(side.replace(",", ".")) for side in sides)
    except ValueError:
        raise ValueError("a box is four numbers") from None
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise ValueError("a box is four finite numbers")
    if right <= left or bottom <= top:
        raise ValueError("the box is empty or reversed")
    return left, top, right, bottom
