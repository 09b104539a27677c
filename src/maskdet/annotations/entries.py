"""What every format is read into first: entries naming pictures, then the pictures they name."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np

from maskdet.annotations.photographs import (
    PICTURE_SUFFIXES,
    Annotations,
    BoxedPhotograph,
    find_pictures,
)
from maskdet.errors import DatasetError

Corners = tuple[float, float, float, float]

_FAR = 1e9  # pixels or shares; beyond is no place in a picture, and 32-bit floats end later


@dataclass
class Entry:
    """The annotations of one picture.

    Attributes:
        file: where they are written.
        names: what the picture may be called, the likeliest first: a path below the folder of
            pictures, with or without its suffix.
        size: see `BoxedPhotograph.size`.
        boxes: label and corners of each face, corners in any order.
        problems: one line for each thing left out or set right.
        readable: whether it says what faces there are; else its picture is left out, as one
            without faces is something else than one of which nothing is known.
    """

    file: Path
    names: tuple[str, ...]
    size: tuple[float, float] | None
    boxes: list[tuple[str, Corners]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    readable: bool = True

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
            self.note(f"{where} has no box of four numbers: left out")
            return
        # Written so that "not a number" fails, too.
        if not all(abs(side) < _FAR for side in (left, top, right, bottom)):
            self.note(f"{where} has a box that is not finite: left out")
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
            self.note(f"{where} lies outside the picture: left out")
            return
        self.boxes.append((label, (left, top, right, bottom)))

    @classmethod
    def unreadable(cls, file: Path, why: str) -> Self:
        """Returns what stands for a file that says nothing about its picture."""
        entry = cls(file, (), None, readable=False)
        entry.note(f"{why}: left out")
        return entry

    def note(self, text: str) -> None:
        """Adds a line about this file to the problems."""
        self.problems.append(f"{self.file.name}: {text}")

    def photograph(self, path: Path) -> BoxedPhotograph:
        """Returns the boxes as those of a picture."""
        boxes = np.array([corners for _, corners in self.boxes], np.float32).reshape(-1, 4)
        return BoxedPhotograph(path, boxes, tuple(label for label, _ in self.boxes), self.size)


def stated_size(width: object, height: object) -> tuple[float, float] | None:
    """Returns the size that annotations state for a picture, ``None`` where it cannot be one."""
    sides = [side for side in (width, height) if isinstance(side, int | float) and 0 < side < _FAR]
    return (float(sides[0]), float(sides[1])) if len(sides) == 2 else None


class PictureIndex:
    """Finds the pictures of a folder by what annotations call them.

    Args:
        folder: pictures, in folders of their own or not.

    Raises:
        DatasetError: no such folder, or there is no picture in it.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = find_pictures(folder)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            relative = path.relative_to(folder)
            whole, bare = relative.as_posix(), relative.with_suffix("").as_posix()
            for name in {whole, bare, path.name, path.stem}:
                self._by_name[name].append(path)

    def find(self, names: Iterable[str]) -> list[Path]:
        """Returns the pictures that the first name known here may mean, none if none is known."""
        for name in names:
            path = PurePosixPath(name.replace("\\", "/"))
            # "a.b" may stand for "a.b.jpg", not for "a.jpg".
            bare = path.stem if path.suffix.lower() in PICTURE_SUFFIXES else path.name
            for key in (path.as_posix(), path.name, bare):
                if self._by_name.get(key):
                    return self._by_name[key]
        return []


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
    problems: list[str] = []
    owner: dict[Path, Entry] = {}
    count = 0
    for entry in entries:
        count += 1
        problems += entry.problems
        if not entry.readable:
            continue
        found = index.find(entry.names)
        if len(found) != 1:
            what = "no picture" if not found else "several pictures"
            said = f"{what} of the name {entry.names[0]}" if entry.names else "names no picture"
            problems.append(f"{entry.file.name}: {said}: left out")
            continue
        other = owner.setdefault(found[0], entry)
        if other is not entry:
            files = " and ".join(sorted({str(other.file), str(entry.file)}))
            raise DatasetError(f"{found[0]} is annotated twice, in {files}: keep one of them")
    if count and not owner:
        raise DatasetError(
            f"none of the {count} annotations belongs to a picture in {images}: {problems[-1]}"
        )
    bare = [path for path in index.paths if path not in owner]
    problems += [f"{path.name}: has no annotations: left out" for path in bare]
    photographs = tuple(entry.photograph(path) for path, entry in sorted(owner.items()))
    return Annotations(format_name, photographs, tuple(problems))
