"""Reads class folders: which pictures there are, of which class, and which cannot be used."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import PICTURE_SUFFIXES
from maskdet.class_folders import Picture, list_pictures
from maskdet.duplicates import Hashes, HashRow, hash_picture, stack_hashes
from maskdet.errors import DatasetError
from maskdet.vision.preprocessing import UInt8Array


@dataclass(frozen=True)
class BadFile:
    """A file that was skipped, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Collection:
    """All usable pictures of a run.

    Attributes:
        labels: the C class names, sorted.
        pictures: N pictures in a fixed order.
        hashes: of these pictures.
        bad: what was skipped.
    """

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]
    hashes: Hashes
    bad: tuple[BadFile, ...]

    @property
    def label_indices(self) -> NDArray[np.intp]:
        """(N,) index of each picture's class."""
        index = {label: number for number, label in enumerate(self.labels)}
        return np.array([index[picture.label] for picture in self.pictures], np.intp)

    @property
    def fingerprint(self) -> str:
        """A digest that changes with any picture, its class or its place in the order."""
        digest = hashlib.sha256(repr(self.labels).encode())
        for picture in self.pictures:
            digest.update(f"{picture.path.name}|{picture.label}|{picture.box}".encode())
        digest.update(self.hashes.fine.astype(np.int8).tobytes())
        return digest.hexdigest()

    def without(self, drop: Iterable[int]) -> "Collection":
        """Returns the collection with the pictures of these indices left out."""
        dropped = set(drop)
        kept = [index for index in range(len(self.pictures)) if index not in dropped]
        hashes = Hashes(
            self.hashes.fine[kept], self.hashes.mirrored[kept], self.hashes.coarse[kept]
        )
        return replace(self, pictures=tuple(self.pictures[i] for i in kept), hashes=hashes)


def read_picture(path: Path) -> UInt8Array | None:
    """Reads an (H, W, 3) uint8 BGR picture; ``None`` if it is not one that can be read."""
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError:
        return None
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None


def collect(folders: Sequence[Path], *, max_bad: float) -> Collection:
    """Lists the pictures of dataset folders, decoding each once to know that it can be.

    Args:
        folders: each holds class folders, or ``train/ val/ test/`` with class folders in them.
        max_bad: share of unreadable files beyond which the data is refused.

    Raises:
        DatasetError: no such folder, fewer than two classes, an empty class, labels that clash, too
            few pictures, or too many bad ones.
    """
    listed = [
        picture
        for number, folder in enumerate(folders)
        for picture in list_pictures(folder, number)
    ]
    labels = tuple(sorted({picture.label for picture in listed}))
    _check_labels(labels, folders)
    with ThreadPoolExecutor() as pool:
        hashed = list(pool.map(_hash_file, (picture.path for picture in listed)))
    pictures = tuple(p for p, found in zip(listed, hashed, strict=True) if found is not None)
    bad = tuple(
        BadFile(p.path, "is not a picture that can be read")
        for p, found in zip(listed, hashed, strict=True)
        if found is None
    )
    if listed and len(bad) / len(listed) > max_bad:
        raise DatasetError(
            f"{len(bad)} of {len(listed)} files are not pictures that can be read, the first "
            f"{bad[0].path}: more than --max-bad {max_bad:g} allows"
        )
    _check_counts(labels, pictures)
    hashes = stack_hashes([found for found in hashed if found is not None])
    return Collection(labels, pictures, hashes, bad)


def hash_folders(folders: Sequence[Path]) -> Hashes:
    """Hashes every readable picture below some folders.

    Raises:
        DatasetError: one of them is not a folder.
    """
    paths: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder")
        paths += sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
    with ThreadPoolExecutor() as pool:
        return stack_hashes([found for found in pool.map(_hash_file, paths) if found is not None])


def _hash_file(path: Path) -> HashRow | None:
    picture = read_picture(path)
    return None if picture is None else hash_picture(picture)


def _check_labels(labels: Sequence[str], folders: Sequence[Path]) -> None:
    where = ", ".join(str(folder) for folder in folders)
    if len(labels) < 2:
        found = f"only {labels[0]!r}" if labels else "none"
        raise DatasetError(f"{where}: two class folders or more are needed, found {found}")
    plain: dict[str, str] = {}
    for label in labels:
        key = "_".join(label.casefold().replace("-", " ").replace("_", " ").split())
        if key in plain:
            raise DatasetError(
                f"class folders {plain[key]!r} and {label!r} differ in spelling only: rename one"
            )
        plain[key] = label


def _check_counts(labels: Sequence[str], pictures: Sequence[Picture]) -> None:
    for label in labels:
        count = sum(picture.label == label for picture in pictures)
        if count < 2:
            raise DatasetError(
                f"class {label!r} has {count} usable pictures: two or more a class are needed, "
                "and some hundreds for a useful model"
            )
