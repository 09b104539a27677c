"""Which part each picture of a run goes to: by its folder, a hash of its group, or a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.class_folders.split_file import read_split
from maskdet.class_folders.splits import TEST, TRAIN, VALIDATION
from maskdet.errors import DatasetError
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.data import Collection
from maskdet.train.split import folded_split, hashed_split, naive_split


def divide(
    options: TrainOptions, collection: Collection, groups: NDArray[np.intp]
) -> Sequence[str]:
    """Divides the pictures of a run.

    Args:
        options: of the run.
        collection: N pictures.
        groups: (N,) group numbers.

    Returns:
        N names out of `maskdet.class_folders.splits.SPLITS`.

    Raises:
        DatasetError: a class has nothing in a part, or the options do not fit the folders.
    """
    ready = [picture.split for picture in collection.pictures]
    if any(ready):
        if None in ready:
            raise DatasetError("some --dataset folders have train/ val/ test/ in them, some not")
        if options.split_file or options.folds:
            raise DatasetError(
                "--split and --folds are for folders that are not divided into train/ val/ test/"
            )
        return _completed(options, collection, groups, [part for part in ready if part is not None])
    everything = np.arange(len(groups))
    return _drawn(options, collection, groups, everything, test=options.test)


def _completed(
    options: TrainOptions, collection: Collection, groups: NDArray[np.intp], parts: list[str]
) -> Sequence[str]:
    """Takes a ready layout as it is; without a validation part, one is drawn from the training."""
    _check_part(collection, parts, TRAIN)
    if VALIDATION not in parts:
        chosen = np.flatnonzero(np.array(parts) == TRAIN)
        drawn = _drawn(
            options,
            collection,
            groups,
            chosen,
            test=0.0 if TEST in parts else options.test,
        )
        for index, part in zip(chosen, drawn, strict=True):
            parts[index] = part
    _check_part(collection, parts, VALIDATION)
    return parts


def _check_part(
    collection: Collection, parts: Sequence[str], part: str, whose: str = "the ready layout"
) -> None:
    pictures = zip(collection.pictures, parts, strict=True)
    missing = set(collection.labels) - {picture.label for picture, of in pictures if of == part}
    if missing:
        raise DatasetError(f"{whose} has no pictures of {min(missing)!r} for {part!r}")


def _drawn(
    options: TrainOptions,
    collection: Collection,
    groups: NDArray[np.intp],
    chosen: NDArray[np.intp],
    *,
    test: float,
) -> Sequence[str]:
    """Divides some of the pictures."""
    labels, groups = collection.label_indices[chosen], groups[chosen]
    names, seed, validation = collection.labels, options.seed, options.validation
    if options.naive_split:
        return naive_split(labels, validation=validation, test=test, seed=seed, names=names)
    keys = [_key(collection, index) for index in chosen.tolist()]
    if options.fold:
        return folded_split(
            labels, groups, keys, names, fold=options.fold - 1, folds=options.folds, seed=seed
        )
    parts = hashed_split(labels, groups, keys, names, validation=validation, test=test, seed=seed)
    if options.split_file is None:
        return parts
    return _as_before(options.split_file, collection, groups, parts)


def _key(collection: Collection, index: int) -> bytes:
    """Returns what a picture is known by, whatever others there are: its photograph or its look."""
    picture = collection.pictures[index]
    if picture.group is not None:
        # Without the number of its folder, which another order of folders would change.
        return picture.group.partition("/")[2].encode("utf-8", "surrogateescape")
    return np.packbits(collection.hashes.fine[index] > 0).tobytes()


def _as_before(
    path: Path, collection: Collection, groups: NDArray[np.intp], parts: Sequence[str]
) -> list[str]:
    """Returns the parts that an earlier run's file names, and what was drawn for the others.

    A picture that is new goes with its group; where that is on two sides by now, it trains.

    Raises:
        DatasetError: the file is none, or names none of the pictures; or a class lacks a part.
    """
    given = {row.path: row.split for row in read_split(path)}
    before = [given.get(picture.path.absolute()) for picture in collection.pictures]
    if not any(before):
        raise DatasetError(f"{path}: names none of the pictures, such as {next(iter(given))}")
    of_group: dict[int, str] = {}
    for group, part in zip(groups.tolist(), before, strict=True):
        if part is not None and of_group.get(group) != TRAIN:
            of_group[group] = part
    divided = [
        part or of_group.get(group, drawn)
        for part, group, drawn in zip(before, groups.tolist(), parts, strict=True)
    ]
    for part in (TRAIN, VALIDATION):
        _check_part(collection, divided, part, f"{path}:")
    return divided
