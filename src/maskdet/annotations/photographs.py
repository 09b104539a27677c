"""The one form that boxed photographs take in memory, whatever format they were written in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.errors import DatasetError
from maskdet.files.folders import files_below, kinds_of
from maskdet.suffixes import is_picture

MEDICAL_JSON = "medical-json"
MEDICAL_NAMES = {"face_with_mask": MASK_LABEL, "face_no_mask": NO_MASK_LABEL}

SHARES = (1.0, 1.0)
"""The `BoxedPhotograph.size` of boxes given as shares of the picture's size."""

_TEXT_SUFFIXES = frozenset(
    {".cache", ".csv", ".data", ".json", ".md", ".names", ".txt", ".xml", ".yaml", ".yml"}
)
_MOST_NAMED = 3  # files in a message


def find_pictures(folder: Path) -> list[Path]:
    """Lists the pictures of a folder and of those in it, in the order of their names.

    Raises:
        DatasetError: no such folder, it cannot be read, or there is no picture in it.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    try:
        files = files_below(folder)
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None
    paths = list(filter(is_picture, files))
    if not paths:
        others = f", but {kinds_of(files)}" if files else ""
        raise DatasetError(f"{folder}: no pictures in it{others}")
    return paths


def overlooked(folder: Path) -> list[str]:
    """Returns a line on the files that `find_pictures` passes over, which may be pictures.

    Annotations may lie among pictures, so files of text do not count.

    Raises:
        OSError: a folder cannot be read.
    """
    others = [
        path
        for path in files_below(folder)
        if not is_picture(path) and path.suffix.lower() not in _TEXT_SUFFIXES
    ]
    if not others:
        return []
    named = ", ".join(path.name for path in others[:_MOST_NAMED])
    return [f"{folder}: not looked at: {kinds_of(others)}, such as {named}"]


@dataclass(frozen=True)
class BoxedPhotograph:
    """A photograph with its labelled faces.

    Attributes:
        path: the picture file.
        boxes: (N, 4) float32, left, top, right, bottom in units of `size`; not reversed, but they
            may reach beyond the picture.
        labels: N class names.
        size: width and height of the picture in the units of the boxes: `SHARES` for boxes in 0..1,
            pixels where the annotations state the picture's size, ``None`` for the pixels of the
            picture as it is.
    """

    path: Path
    boxes: FloatArray
    labels: tuple[str, ...]
    size: tuple[float, float] | None = SHARES

    def xyxy(self, width: int, height: int) -> FloatArray:
        """Returns the (N, 4) boxes in pixels of the picture at the given size."""
        if self.size is None:
            return self.boxes.copy()
        across, down = width / self.size[0], height / self.size[1]
        return self.boxes * np.array([across, down, across, down], np.float32)

    def relabelled(self, names: Mapping[str, str | None]) -> Self:
        """Returns a copy with classes renamed; those mapped to ``None`` are left out."""
        kept = [index for index, label in enumerate(self.labels) if names[label] is not None]
        labels = tuple(str(names[self.labels[index]]) for index in kept)
        return replace(self, boxes=self.boxes[kept], labels=labels)


@dataclass(frozen=True)
class Annotations:
    """What was read.

    Attributes:
        format: the format it was read as.
        photographs: in the order of their paths; one without faces has no boxes.
        problems: one line for each thing that was left out or set right.
    """

    format: str
    photographs: tuple[BoxedPhotograph, ...]
    problems: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names that occur, sorted."""
        return tuple(sorted({label for photo in self.photographs for label in photo.labels}))

    def names(self, mapping: Mapping[str, str]) -> dict[str, str | None]:
        """Returns what each class is to be called, ``None`` for left out.

        Args:
            mapping: class name to new name; an empty new name leaves the class out. Classes that
                it does not name keep theirs, save those of ``medical-json``: its two mask classes
                are called as elsewhere, its hats, glasses and the like are left out.

        Raises:
            DatasetError: it names a class that does not occur, or leaves nothing.
        """
        unknown = sorted(set(mapping) - set(self.labels))
        if unknown:
            raise DatasetError(
                f"no class {unknown[0]!r} to map: the annotations have {_listed(self.labels)}"
            )
        names = {
            label: mapping.get(label, self._usual_name(label)) or None for label in self.labels
        }
        if self.labels and not any(names.values()):
            raise DatasetError(
                f"the label map drops everything: the annotations have {_listed(self.labels)}"
            )
        return names

    def relabelled(self, mapping: Mapping[str, str]) -> Self:
        """Returns a copy with classes renamed and left out; see `names`."""
        names = self.names(mapping)
        photographs = tuple(photo.relabelled(names) for photo in self.photographs)
        return replace(self, photographs=photographs)

    def _usual_name(self, label: str) -> str:
        return MEDICAL_NAMES.get(label, "") if self.format == MEDICAL_JSON else label


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "no classes"
