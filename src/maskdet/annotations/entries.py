"""What every format is read into first: entries naming pictures, then the pictures they name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from maskdet.annotations.index import PictureIndex
from maskdet.annotations.photographs import (
    SHARES,
    Annotations,
    BoxedPhotograph,
    overlooked,
)
from maskdet.annotations.turning import Corners, read_size
from maskdet.errors import DatasetError
from maskdet.files.folders import files_below
from maskdet.files.text_files import composed

_FAR = 1e9  # pixels or shares; beyond is no place in a picture, and 32-bit floats end later


@dataclass
class Entry:
    """The annotations of one picture.

    Attributes:
        file: where they are written.
        names: what the picture may be called, the likeliest first: a path below the folder of
            pictures, with or without its suffix. The file's own name comes first: pictures are
            renamed together with their annotations, what is written inside stays.
        size: see `BoxedPhotograph.size`.
        boxes: label and corners of each face, corners in any order.
        problems: one line for each thing left out or set right.
        readable: whether it says what faces there are; else its picture is left out, as one
            without faces is something else than one of which nothing is known.
        lost: how many things it has in the picture of which nobody can say where they are.
    """

    file: Path
    names: tuple[str, ...]
    size: tuple[float, float] | None
    boxes: list[tuple[str, Corners]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    readable: bool = True
    lost: int = 0

    def add(self, label: str, corners: Iterable[object], where: str) -> None:
        """Takes a box, reversed corners put right; notes what is not a box.

        Args:
            label: class name.
            corners: left, top, right, bottom, numbers or their text.
            where: what a note calls it, such as "object 3".
        """
        try:
            left, top, right, bottom = (float(value) for value in corners)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            self.lose(f"{where} has no box of four numbers")
            return
        # Written so that "not a number" fails, too.
        if not all(abs(side) < _FAR for side in (left, top, right, bottom)):
            self.lose(f"{where} has a box that is not finite")
            return
        if right < left or bottom < top:
            self.note(f"{where} has a reversed box: turned round")
            left, right = sorted((left, right))
            top, bottom = sorted((top, bottom))
        if right == left or bottom == top:
            self.note(f"{where} has an empty box: left out")
            return
        if self.size is not None and (
            right <= 0 or bottom <= 0 or left >= self.size[0] or top >= self.size[1]
        ):
            self.lose(f"{where} lies outside the picture")
            return
        self.boxes.append((composed(label), (left, top, right, bottom)))

    @classmethod
    def unreadable(cls, file: Path, why: str) -> Self:
        """Returns what stands for a file that says nothing about its picture."""
        entry = cls(file, (), None, readable=False)
        entry.note(f"{why}: left out")
        return entry

    def note(self, text: str) -> None:
        """Adds a line about this file to the problems."""
        self.problems.append(f"{self.file.name}: {text}")

    def lose(self, text: str) -> None:
        """Notes something that is in the picture, but nobody can say where or what."""
        self.lost += 1
        self.note(f"{text}: left out")

    def fit(self, path: Path) -> str:
        """Sees whether the boxes belong to a picture, and turns them as it is turned.

        Returns:
            Why they do not, empty if they do.
        """
        if self.size is None or self.size == SHARES:
            return ""
        picture = read_size(path)
        how = "upright" if picture is None else picture.how_written(self.size)
        if picture is None or how == "upright":
            return ""
        if how is None:
            stated, found = (f"{size[0]:g} x {size[1]:g}" for size in (self.size, picture.upright))
            return f"is of a picture of {stated}, {path.name} is of {found}"
        self.note("has boxes of the picture before it is turned upright: turned with it")
        self.boxes = [(label, picture.turn(box, self.size)) for label, box in self.boxes]
        self.size = (self.size[1], self.size[0])
        return ""

    def photograph(self, path: Path) -> BoxedPhotograph:
        """Returns the boxes as those of a picture."""
        boxes = np.array([corners for _, corners in self.boxes], np.float32).reshape(-1, 4)
        return BoxedPhotograph(path, boxes, tuple(label for label, _ in self.boxes), self.size)


def files_of(folder: Path, suffix: str) -> list[Path]:
    """Returns the files of a folder that have a suffix, in any capitals."""
    return [path for path in files_below(folder) if path.suffix.lower() == suffix]


def stated_size(width: object, height: object) -> tuple[float, float] | None:
    """Returns the size that annotations state for a picture, ``None`` where it cannot be one."""
    sides = [side for side in (width, height) if isinstance(side, int | float) and 0 < side < _FAR]
    return (float(sides[0]), float(sides[1])) if len(sides) == 2 else None


def resolve(format_name: str, images: Path, entries: Iterable[Entry]) -> Annotations:
    """Finds the picture of each entry.

    Args:
        format_name: what the entries were read as.
        images: folder of pictures.
        entries: from one of the readers.

    Raises:
        DatasetError: no such folder, no pictures, a picture named by two annotation files, or
            annotations none of which belongs to a picture.
    """
    index = PictureIndex(images)
    owners: dict[Path, tuple[int, Entry]] = {}
    refused: set[Path] = set()
    read: list[Entry] = []
    for entry in entries:
        read.append(entry)
        if not entry.names:
            if entry.readable:
                entry.note("names no picture: left out")
            continue
        path, rank = _picture(index, entry, refused)
        if path is None:
            continue
        other_rank, other = owners.get(path, (rank, entry))
        if other is entry or rank < other_rank:
            owners[path] = (rank, entry)
        if other is not entry and rank == other_rank:
            files = " and ".join(sorted({str(other.file), str(entry.file)}))
            raise DatasetError(f"{path} is annotated twice, in {files}: keep one of them")
        if rank != other_rank:
            loser = entry if rank > other_rank else other
            loser.note(f"is of {path.name} by what is written inside, which has its own: left out")
    photographs = []
    for path, (_, entry) in sorted(owners.items()):
        if entry.readable and entry.lost and not entry.boxes:
            entry.note(f"nothing in it can be used: {path.name} left out")
        elif entry.readable:
            photographs.append(entry.photograph(path))
    problems = overlooked(images) + [problem for entry in read for problem in entry.problems]
    if read and not photographs:
        what, why = f"belongs to a picture in {images}", problems
        if owners:
            what = "can be used"
            why = [problem for _, entry in owners.values() for problem in entry.problems]
        raise DatasetError(f"none of the {len(read)} annotations {what}: {why[-1]}")
    bare = [path for path in index.paths if path not in owners and path not in refused]
    problems += [f"{path.name}: has no annotations: left out" for path in bare]
    return Annotations(format_name, tuple(photographs), tuple(problems))


def _picture(index: PictureIndex, entry: Entry, refused: set[Path]) -> tuple[Path | None, int]:
    """Finds the picture of an entry, noting why where there is none.

    Args:
        index: of the pictures.
        entry: whose boxes are turned, should the picture be.
        refused: gets the pictures that the entry names, but cannot be of.

    Returns:
        The picture, and which of the entry's names it goes by.
    """
    reasons = []
    for rank, name in enumerate(entry.names):
        found = index.find(name)
        reason = entry.fit(found[0]) if len(found) == 1 else ""
        if len(found) == 1 and not reason:
            return found[0], rank
        if reason:
            refused.add(found[0])
        if reason or found:
            reasons.append(reason or f"several pictures of the name {name}")
    entry.note(f"{(reasons or [f'no picture of the name {entry.names[0]}'])[0]}: left out")
    return None, 0
