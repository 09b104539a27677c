"""Reads class folders: which pictures there are, of which class, and which cannot be used."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import find_pictures
from maskdet.class_folders.listing import Picture, list_pictures, not_looked_at
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL
from maskdet.duplicates import Hashes, HashRow, hash_picture, stack_hashes
from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.suffixes import is_picture


@dataclass(frozen=True)
class BadFile:
    """A file that was skipped, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Collection:
    """All usable pictures of a run.

    Attributes:
        labels: the C class names, those that maskdet knows first, then the others, sorted.
        pictures: N pictures in a fixed order.
        hashes: of these pictures.
        bad: what cannot be read, or has its box outside.
        unseen: what was not looked at, for its name or place.
    """

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]
    hashes: Hashes
    bad: tuple[BadFile, ...]
    unseen: tuple[BadFile, ...] = ()

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
    labels = tuple(sorted({picture.label for picture in listed}, key=_rank))
    _check_labels(labels, folders)
    hashed, bad = _hashed(listed)
    if listed and len(bad) / len(listed) > max_bad:
        raise DatasetError(
            f"{len(bad)} of {len(listed)} files are not pictures that can be used, the first "
            f"{bad[0].path} ({bad[0].reason}): more than --max-bad {max_bad:g} allows"
        )
    pictures = tuple(picture for picture in listed if picture.path in hashed)
    _check_counts(labels, pictures)
    hashes = stack_hashes([hashed[picture.path] for picture in pictures])
    unseen = tuple(_unseen(path) for folder in folders for path in not_looked_at(folder))
    return Collection(labels, pictures, hashes, bad, unseen)


def hash_folders(folders: Sequence[Path]) -> tuple[Hashes, tuple[BadFile, ...]]:
    """Hashes every picture below some folders; returns those that cannot be read, too.

    Raises:
        DatasetError: one of them is not a folder, or has no pictures in it.
    """
    hashed, bad = hash_files([path for folder in folders for path in find_pictures(folder)])
    return stack_hashes(list(hashed.values())), bad


def hash_files(paths: Sequence[Path]) -> tuple[dict[Path, HashRow], tuple[BadFile, ...]]:
    """Hashes picture files, several at a time; returns those that cannot be read, too."""
    return _hashed([Picture(path, "", 0) for path in paths])


def _hashed(pictures: Sequence[Picture]) -> tuple[dict[Path, HashRow], tuple[BadFile, ...]]:
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(_hash_file, pictures))
    hashed = {
        picture.path: result
        for picture, result in zip(pictures, results, strict=True)
        if not isinstance(result, BadFile)
    }
    return hashed, tuple(result for result in results if isinstance(result, BadFile))


def _hash_file(picture: Picture) -> HashRow | BadFile:
    path = picture.path
    try:
        image = read_picture(path)
    except SourceError as error:
        return BadFile(path, str(error).removeprefix(f"{path}: "))
    misfit = picture.misfit(image.shape[1], image.shape[0])
    return BadFile(path, misfit) if misfit else hash_picture(image)


def _unseen(path: Path) -> BadFile:
    reason = "lies in no class folder" if is_picture(path) else "is not called a picture"
    return BadFile(path, reason)


def _rank(label: str) -> tuple[int, str]:
    known = (MASK_LABEL, NO_MASK_LABEL, INCORRECT_LABEL)
    return (known.index(label) if label in known else len(known)), label


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
