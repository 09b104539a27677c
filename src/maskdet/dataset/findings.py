"""What is wrong with class folders: files, near-duplicates, sizes, colour, balance."""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskdet.assets import sha256
from maskdet.class_folders.listing import Picture, list_classes, list_pictures, not_looked_at
from maskdet.class_folders.splits import SPLITS
from maskdet.duplicates import HashRow, group_duplicates, hash_picture, stack_hashes
from maskdet.errors import DatasetError, SourceError
from maskdet.files.folders import endings
from maskdet.media.inputs.decoding import read_picture

TINY, HUGE = 32, 4096  # pixels of the shorter and of the longer side
IMBALANCE = 1.5  # largest to smallest class from which on it is worth a word


@dataclass(frozen=True)
class Looked:
    """A picture that can be read.

    Attributes:
        picture: which.
        width: pixels.
        height: pixels.
        mode: ``colour``, ``grey``, ``grey as colour``, ``with alpha``, each perhaps "16-bit ";
            ``palette`` or ``CMYK``.
        digest: sha256 of the file.
    """

    picture: Picture
    width: int
    height: int
    mode: str
    digest: str


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        folder: that was checked.
        classes: names of the class folders, those without pictures, too.
        looked: N readable pictures.
        groups: (N,) group numbers; near-duplicates share one.
        within: near-duplicate pairs of one class.
        across: near-duplicate pairs of two classes.
        contradictory: indices of pictures that lie in several classes, the same to the byte.
        unreadable: one line for each picture that cannot be read, or has its box outside.
        others: what nothing looks at; see `not_looked_at`.
    """

    folder: Path
    classes: tuple[str, ...]
    looked: tuple[Looked, ...]
    groups: NDArray[np.intp]
    within: tuple[tuple[int, int], ...]
    across: tuple[tuple[int, int], ...]
    contradictory: frozenset[int]
    unreadable: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Readable pictures by class."""
        found = Counter(item.picture.label for item in self.looked)
        return {label: found[label] for label in self.classes}

    @property
    def empty(self) -> list[str]:
        """Classes of which no picture can be read."""
        return [label for label, count in self.counts.items() if count == 0]

    @property
    def imbalance(self) -> float:
        """The largest class as a multiple of the smallest that has pictures."""
        return max(self.counts.values()) / min(filter(None, self.counts.values()))

    def name(self, index: int) -> str:
        """Returns a picture's path below the folder."""
        return self.looked[index].picture.path.relative_to(self.folder).as_posix()

    @property
    def parts(self) -> dict[str, int]:
        """Readable pictures by part of a ready layout; empty where there is none."""
        found = Counter(item.picture.split for item in self.looked)
        return {part: found[part] for part in SPLITS if found[part]}

    @property
    def leaking(self) -> list[tuple[int, int]]:
        """Near-duplicate pairs that lie in two parts of a ready layout."""
        part = [item.picture.split for item in self.looked]
        return [(a, b) for a, b in (*self.within, *self.across) if part[a] != part[b]]

    @property
    def tiny(self) -> list[int]:
        """Indices of pictures too small to tell a mask in."""
        return [i for i, item in enumerate(self.looked) if min(item.width, item.height) < TINY]

    @property
    def huge(self) -> list[int]:
        """Indices of pictures so large that they only cost time."""
        return [i for i, item in enumerate(self.looked) if max(item.width, item.height) > HUGE]

    def report(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""
        pairs = {
            name: [[self.name(a), self.name(b)] for a, b in found]
            for name, found in (
                ("within_classes", self.within),
                ("across_classes", self.across),
                ("across_parts", self.leaking),
            )
        }
        return {
            "folder": str(self.folder),
            "pictures": self.counts,
            "imbalance": round(self.imbalance, 3),
            "empty_classes": self.empty,
            "parts": self.parts,
            "unreadable": list(self.unreadable),
            "other_files": list(self.others),
            "near_duplicates": pairs,
            "contradictory": sorted(self.name(index) for index in self.contradictory),
            "tiny": [self.name(index) for index in self.tiny],
            "huge": [self.name(index) for index in self.huge],
            "colour_modes": dict(Counter(item.mode for item in self.looked)),
        }

    def lines(self) -> list[str]:
        """Returns what to tell the user."""
        counts = ", ".join(f"{label} {count}" for label, count in self.counts.items())
        modes = Counter(item.mode for item in self.looked).most_common()
        involved = [len({index for pair in pairs for index in pair}) for pairs in self._pairs]
        rows = [
            ("pictures", f"{len(self.looked)}: {counts}"),
            *self._divided(),
            ("imbalance", f"{self.imbalance:.2f} to 1{self._remark()}"),
            ("unreadable files", f"{len(self.unreadable)}"),
            ("other files, not looked at", f"{len(self.others)}{self._endings()}"),
            ("near-duplicates within a class", f"{involved[0]} pictures"),
            ("near-duplicates across classes", f"{involved[1]} pictures"),
            ("same file in several classes", f"{len(self.contradictory)} pictures"),
            (f"tiny, below {TINY} pixels", f"{len(self.tiny)}"),
            (f"huge, above {HUGE} pixels", f"{len(self.huge)}"),
            ("colour", ", ".join(f"{mode} {count}" for mode, count in modes)),
        ]
        return [f"{name:32}{value}" for name, value in rows]

    def _divided(self) -> list[tuple[str, str]]:
        """Returns what to tell of a ready layout."""
        if not self.parts:
            return []
        leaking = len({index for pair in self.leaking for index in pair})
        return [
            ("divided", ", ".join(f"{part} {count}" for part, count in self.parts.items())),
            ("near-duplicates across parts", f"{leaking} pictures"),
        ]

    @property
    def _pairs(self) -> tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]:
        return self.within, self.across

    def _remark(self) -> str:
        if self.empty:
            return f": nothing to read in {', '.join(self.empty)}"
        return ": the classes differ much in size" if self.imbalance > IMBALANCE else ""

    def _endings(self) -> str:
        """Returns the endings of the other files: pictures may be among them."""
        found = endings([Path(name) for name in self.others])
        return f": {found}" if found else ""


def look(folder: Path, *, show: Callable[[float, str], None]) -> Finding:
    """Reads every picture once.

    Raises:
        DatasetError: there are no class folders, or nothing in them can be read.
    """
    listed = list_pictures(folder, empty=True)
    classes = tuple(sorted({found.label for found in list_classes(folder)}))
    others = tuple(path.relative_to(folder).as_posix() for path in not_looked_at(folder))
    looked: list[Looked] = []
    hashes: list[HashRow] = []
    unreadable: list[str] = []
    for done, picture in enumerate(listed, 1):
        show(done / len(listed), "looking at pictures")
        try:
            image = read_picture(picture.path)
        except SourceError as error:
            unreadable.append(str(error))
            continue
        height, width = image.shape[:2]
        misfit = picture.misfit(width, height)
        if misfit:
            unreadable.append(f"{picture.path}: {misfit}")
            continue
        looked.append(Looked(picture, width, height, _mode(picture.path), sha256(picture.path)))
        hashes.append(hash_picture(image))
    if not looked:
        raise DatasetError(f"{folder}: no class folders with pictures that can be read")
    groups, pairs = group_duplicates(stack_hashes(hashes), [item.picture.group for item in looked])
    both = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    label = [item.picture.label for item in looked]
    within = tuple((a, b) for a, b in both if label[a] == label[b])
    across = tuple((a, b) for a, b in both if label[a] != label[b])
    same = [(a, b) for a, b in across if looked[a].digest == looked[b].digest]
    contradictory = frozenset(index for pair in same for index in pair)
    return Finding(
        folder,
        classes,
        tuple(looked),
        groups,
        within,
        across,
        contradictory,
        tuple(unreadable),
        others,
    )


def _mode(path: Path) -> str:
    """Tells how a picture is stored."""
    try:
        # OpenCV turns these two into others as it reads them.
        with warnings.catch_warnings(action="ignore"), Image.open(path) as header:
            named = {"P": "palette", "PA": "palette", "CMYK": "CMYK"}.get(header.mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        named = None
    if named is not None:
        return named
    try:
        stored = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        stored = None
    if stored is None:
        return "colour"
    depth = "16-bit " if stored.dtype == np.uint16 else ""
    if stored.ndim == 2:
        return f"{depth}grey"
    if stored.shape[2] == 4:
        return f"{depth}with alpha"
    blue, green, red = cv2.split(stored)
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return f"{depth}grey as colour"
    return f"{depth}colour"
