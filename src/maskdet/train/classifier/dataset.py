"""From dataset folders to the three feeds of a run, with what was found on the way."""

import csv
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.class_folders.split_file import SplitRow, write_split
from maskdet.class_folders.splits import SPLITS, TRAIN
from maskdet.detections import FloatArray
from maskdet.duplicates import Pairs, group_duplicates, near_pairs
from maskdet.errors import DatasetError
from maskdet.train.classifier.dividing import divide
from maskdet.train.classifier.feed import Feed
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.data import BadFile, Collection, collect, hash_folders

SKIPPED_FILE = "skipped.csv"

# How much more than its folder's average a picture may count for being of a rare class there.
_MOST_WEIGHT = 4.0
# The power of a class's count that its pictures weigh together.
_POWERS = {"balanced": 0.0, "halfway": 0.5}


@dataclass(frozen=True)
class Dataset:
    """The pictures of a run, divided.

    Attributes:
        collection: N pictures.
        groups: (N,) group numbers; near-duplicates share one.
        parts: N names out of `SPLITS`.
        duplicates: near-duplicate pairs.
        excluded: how many pictures were left out for being like the ones to exclude.
        unread: pictures to exclude that cannot be read.
        feeds: for each part.
    """

    collection: Collection
    groups: NDArray[np.intp]
    parts: tuple[str, ...]
    duplicates: Pairs
    excluded: int
    unread: tuple[BadFile, ...]
    feeds: dict[str, Feed]

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in index order."""
        return self.collection.labels

    @property
    def conflicts(self) -> list[tuple[Path, Path, int]]:
        """Near-duplicates in different classes, with the bits of 256 they differ in."""
        pictures, pairs = self.collection.pictures, self.duplicates
        return [
            (pictures[a].path, pictures[b].path, int(distance))
            for a, b, distance in zip(pairs.first, pairs.second, pairs.distance, strict=True)
            if pictures[a].label != pictures[b].label
        ]

    @property
    def duplicated(self) -> int:
        """How many pictures have a near-duplicate."""
        return len(np.union1d(self.duplicates.first, self.duplicates.second))

    @property
    def leaked(self) -> int:
        """How many validation and test pictures have a near-duplicate among the training ones."""
        first = np.concatenate([self.duplicates.first, self.duplicates.second])
        second = np.concatenate([self.duplicates.second, self.duplicates.first])
        parts = np.array(self.parts)
        leaks = (parts[first] == TRAIN) & (parts[second] != TRAIN)
        return len(np.unique(second[leaks]))

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns pictures by part and class."""
        seen = Counter(
            (part, picture.label)
            for part, picture in zip(self.parts, self.collection.pictures, strict=True)
        )
        return {part: {label: seen[part, label] for label in self.labels} for part in SPLITS}

    def indices(self, part: str) -> NDArray[np.intp]:
        """Returns which of the pictures are of a part, in the order of its feed."""
        return np.flatnonzero(np.array(self.parts) == part)

    def part_groups(self, part: str) -> NDArray[np.intp]:
        """Returns the group numbers of a part's pictures, in the order of its feed."""
        of_part: NDArray[np.intp] = self.groups[np.array(self.parts) == part]
        return of_part

    def write(self, folder: Path) -> None:
        """Writes ``split.csv``, and ``conflicts.csv`` and ``skipped.csv`` where there are any."""
        pictures = self.collection.pictures
        write_split(
            folder,
            (
                SplitRow(picture.path, picture.label, str(group), part, picture.box)
                for picture, group, part in zip(pictures, self.groups, self.parts, strict=True)
            ),
        )
        if self.conflicts:
            header = ("file", "same_as", "differing_bits_of_256")
            _write_csv(folder / "conflicts.csv", header, self.conflicts)
        skipped = (*self.collection.bad, *self.unread, *self.collection.unseen)
        if skipped:
            lines = [(file.path, file.reason) for file in skipped]
            _write_csv(folder / SKIPPED_FILE, ("file", "reason"), lines)


def prepare(options: TrainOptions) -> Dataset:
    """Lists, checks, groups and divides the pictures of a run.

    Raises:
        DatasetError: the pictures cannot teach what was asked.
    """
    collection = collect(options.dataset, max_bad=options.max_bad)
    excluded: list[int] = []
    unread: tuple[BadFile, ...] = ()
    if options.exclude_like:
        held, unread = hash_folders(options.exclude_like)
        pairs = near_pairs(collection.hashes, held)
        excluded = np.unique(pairs.first).tolist()
        collection = collection.without(excluded)
        if set(collection.labels) != {picture.label for picture in collection.pictures}:
            raise DatasetError("--exclude-like leaves a class without pictures")
    given = [picture.group for picture in collection.pictures]
    groups, duplicates = group_duplicates(collection.hashes, given)
    parts = tuple(divide(options, collection, groups))
    labels = collection.label_indices
    weights = _weights(options, collection, parts)
    whole = Feed(
        collection.pictures,
        labels,
        weights,
        len(collection.labels),
        options.crop_margin,
        options.seed,
    )
    feeds = {part: whole.subset(np.flatnonzero(np.array(parts) == part)) for part in SPLITS}
    return Dataset(collection, groups, parts, duplicates, len(excluded), unread, feeds)


def _weights(options: TrainOptions, collection: Collection, parts: Sequence[str]) -> FloatArray:
    """Weighs the classes: alike within each dataset folder as far as is wise, then over all.

    Within each folder, since its look is otherwise a hint at the class where its pictures are
    mostly of one; but no picture counts more than `_MOST_WEIGHT` times, or a dozen of a class would
    speak as loudly as the folder's thousands. Over all, since a class that comes in a folder of its
    own would otherwise weigh what that folder does: all alike, or halfway (the geometric mean)
    between that and the number of its pictures, as a class that weighs more than it is seen is
    answered more often than it is there.
    """
    weights = np.ones(len(collection.pictures), np.float32)
    if options.class_weights == "none":
        return weights
    keys = [
        (part, picture.dataset, picture.label)
        for part, picture in zip(parts, collection.pictures, strict=True)
    ]
    seen = Counter(keys)
    for index, (part, dataset, label) in enumerate(keys):
        present = [seen[part, dataset, other] for other in collection.labels]
        present = [count for count in present if count]
        weights[index] = min(
            _MOST_WEIGHT, sum(present) / (len(present) * seen[part, dataset, label])
        )
    for part in SPLITS:
        inside = np.array(parts) == part
        if not inside.any():
            continue
        of_class = [
            inside & (collection.label_indices == number)
            for number in range(len(collection.labels))
        ]
        shown = [members for members in of_class if members.any()]
        totals = np.array([members.sum() for members in shown]) ** _POWERS[options.class_weights]
        totals *= inside.sum() / totals.sum()
        for members, total in zip(shown, totals, strict=True):
            weights[members] *= total / weights[members].sum()
    return weights


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(itertools.chain([header], rows))
