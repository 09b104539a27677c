"""From boxed pictures on disk to what a run trains and validates on, with nothing on both sides."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import BoxedPhotograph, read_annotations
from maskdet.class_folders.splits import TRAIN, VALIDATION
from maskdet.duplicates import group_duplicates, near_pairs, stack_hashes
from maskdet.errors import DatasetError
from maskdet.files.text_files import composed
from maskdet.train.data import hash_files, hash_folders
from maskdet.train.faces.feed import FaceFeed
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.split import grouped_split

LEFT_OUT = "left out"
"""The part of pictures that nearly match one to exclude, or one of the validation."""

# Fewer pictures without faces (or with) than this are not shared out apart.
_FEWEST_TO_SHARE = 10


@dataclass(frozen=True)
class FacePictures:
    """The pictures of a run, divided.

    Attributes:
        photographs: N that can be read, set after set.
        sets: (N,) which set each is of.
        parts: N out of `TRAIN`, `VALIDATION` and `LEFT_OUT`.
        ignored_labels: classes that are no faces to learn.
        problems: one line for each thing the annotations had wrong, or each unreadable picture.
        train: to learn from.
        validation: to pick the best pass by.
    """

    photographs: tuple[BoxedPhotograph, ...]
    sets: NDArray[np.intp]
    parts: NDArray[np.str_]
    ignored_labels: frozenset[str]
    problems: tuple[str, ...]
    train: FaceFeed
    validation: FaceFeed

    @property
    def fingerprint(self) -> str:
        """A digest that changes with any picture's name, boxes or part."""
        digest = hashlib.sha256()
        for photograph, part in zip(self.photographs, self.parts, strict=True):
            digest.update(f"{photograph.path.name}|{part}|".encode())
            digest.update(photograph.boxes.tobytes())
            digest.update("|".join(photograph.labels).encode())
        return digest.hexdigest()

    def counts(self) -> list[dict[str, int]]:
        """Returns, for each set, pictures and faces by part."""
        rows = []
        for number in np.unique(self.sets):
            row: dict[str, int] = {}
            for part in (TRAIN, VALIDATION, LEFT_OUT):
                chosen = np.flatnonzero((self.sets == number) & (self.parts == part))
                row[part] = len(chosen)
                row[f"{part} faces"] = sum(
                    _faces(self.photographs[i], self.ignored_labels) for i in chosen
                )
            rows.append(row)
        return rows

    def write(self, folder: Path) -> None:
        """Writes ``split.csv`` and, where something was wrong, ``problems.txt``."""
        with (folder / "split.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file", "set", "faces", "split"))
            for photograph, number, part in zip(
                self.photographs, self.sets, self.parts, strict=True
            ):
                writer.writerow((photograph.path, number + 1, len(photograph.boxes), part))
        if self.problems:
            (folder / "problems.txt").write_text("\n".join(self.problems) + "\n", encoding="utf-8")


def prepare(options: FaceTrainOptions) -> FacePictures:
    """Reads, checks, groups and divides the pictures of a run.

    Validation pictures come from the first set: it is the one that looks like what the detector is
    for. Whatever in the other sets nearly matches one of them is left out.

    Raises:
        DatasetError: the pictures or annotations cannot teach finding faces.
    """
    ignored = frozenset(map(composed, options.ignored_labels))
    labels: set[str] = set()
    photographs: list[BoxedPhotograph] = []
    sets: list[int] = []
    problems: list[str] = []
    for number, (images, annotations) in enumerate(
        zip(options.images, options.annotations, strict=True)
    ):
        found = read_annotations(images, annotations, options.format)
        photographs += found.photographs
        sets += [number] * len(found.photographs)
        problems += found.problems
        labels.update(found.labels)
    if ignored - labels:
        raise DatasetError(
            f"no class {min(ignored - labels)!r} to ignore: the annotations have "
            f"{', '.join(sorted(labels))}"
        )
    hashed, bad = hash_files([photograph.path for photograph in photographs])
    usable = [index for index, photo in enumerate(photographs) if photo.path in hashed]
    problems += [f"{file.path.name}: {file.reason}: left out" for file in bad]
    photographs = [photographs[index] for index in usable]
    of_set = np.array([sets[index] for index in usable], np.intp)
    if not any(_faces(photograph, ignored) for photograph in photographs):
        raise DatasetError(f"{options.annotations[0]}: not a single face to learn from")
    stacked = stack_hashes([hashed[photograph.path] for photograph in photographs])
    groups, _ = group_duplicates(stacked, [None] * len(photographs))
    first = np.flatnonzero(of_set == 0)
    # Pictures with and without faces are the two classes to share out.
    classes = np.array([bool(_faces(photographs[index], ignored)) for index in first], np.intp)
    if classes.min() == classes.max() or min(np.bincount(classes)) < _FEWEST_TO_SHARE:
        classes = np.zeros(len(first), np.intp)
    parts = np.full(len(photographs), TRAIN, dtype="<U10")
    parts[first] = grouped_split(
        classes, groups[first], validation=options.validation, test=0.0, seed=options.seed
    )
    parts[(parts == TRAIN) & np.isin(groups, groups[parts == VALIDATION])] = LEFT_OUT
    if options.exclude_like:
        held, unread = hash_folders(options.exclude_like)
        problems += [
            f"{file.path}: {file.reason}: nothing like it can be left out" for file in unread
        ]
        pairs = near_pairs(stacked, held)
        parts[np.unique(pairs.first)] = LEFT_OUT
    for part in (TRAIN, VALIDATION):
        if not any(_faces(photographs[index], ignored) for index in np.flatnonzero(parts == part)):
            raise DatasetError(
                f"too few different pictures: no face is left for {part}; add pictures or change "
                "--validation"
            )
    feeds = [
        FaceFeed(
            [photographs[index] for index in np.flatnonzero(parts == part)],
            of_set[parts == part],
            options.per_set if part == TRAIN else None,
            options.seed,
            ignored,
        )
        for part in (TRAIN, VALIDATION)
    ]
    return FacePictures(tuple(photographs), of_set, parts, ignored, tuple(problems), *feeds)


def _faces(photograph: BoxedPhotograph, ignored: frozenset[str]) -> int:
    return sum(label not in ignored for label in photograph.labels)
