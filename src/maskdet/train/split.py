"""Divides pictures into training, validation and test so that no group is on two sides."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskdet.class_folders.splits import TEST, TRAIN, VALIDATION
from maskdet.errors import DatasetError


def grouped_split(
    labels: NDArray[np.intp],
    groups: NDArray[np.intp],
    *,
    validation: float,
    test: float,
    seed: int,
    names: Sequence[str] = (),
) -> list[str]:
    """Splits by group, keeping each class's share in each part as near as groups allow.

    Groups are dealt in random order, large ones first, each to the part that its classes are
    furthest behind in.

    Args:
        labels: (N,) class indices.
        groups: (N,) group numbers.
        validation: share of each class for validation.
        test: share of each class for the test.
        seed: decides the order.
        names: of the classes, for the message.

    Returns:
        N names out of `maskdet.class_folders.splits.SPLITS`.

    Raises:
        DatasetError: a class has too few groups to be in every part asked for.
    """
    shares = _shares(validation, test)
    classes = int(labels.max()) + 1
    _, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((int(members.max()) + 1, classes))
    np.add.at(counts, (members, labels), 1)
    random = np.random.default_rng(seed)
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    wanted = np.array([[share] for share in shares.values()]) * counts.sum(axis=0)
    missing = wanted.copy()
    part_of_group = np.zeros(len(counts), np.intp)
    for group in order:
        # How far behind a part is, in shares of what it wants, over the classes of this group.
        need = (missing / np.maximum(wanted, 1e-9)) @ counts[group]
        part = int(np.argmax(need))
        part_of_group[group] = part
        missing[part] -= counts[group]
    parts = list(shares)
    result = [parts[part_of_group[member]] for member in members]
    _check_every_class(result, labels, parts, names)
    return result


def hashed_split(
    labels: NDArray[np.intp],
    groups: NDArray[np.intp],
    keys: Sequence[bytes],
    names: Sequence[str],
    *,
    validation: float,
    test: float,
    seed: int,
) -> list[str]:
    """Splits by a hash of each group, so that it stays on its side when other pictures come.

    A group's place between 0 and 1 follows from the smallest of its pictures' keys and the seed:
    below `test` it tests, above that and below `test + validation` it validates. So shares are met
    as nearly as chance allows. Where a class would have nothing in a part, the group that is
    nearest to it moves there.

    Args:
        labels: (N,) class indices.
        groups: (N,) group numbers.
        keys: N of what each picture is known by, whichever others there are.
        names: of the classes.
        validation: share for validation.
        test: share for the test.
        seed: decides, too.

    Returns:
        N names out of `maskdet.class_folders.splits.SPLITS`.

    Raises:
        DatasetError: a class has too few groups to be in every part asked for.
    """
    shares = _shares(validation, test)
    places, members = group_places(groups, keys, seed)
    ends = {TEST: (0.0, test), VALIDATION: (test, test + validation), TRAIN: (test + validation, 1)}
    part_of = [
        next(
            part for part, (_, end) in ends.items() if part in shares and (place < end or end == 1)
        )
        for place in places
    ]
    has = np.zeros((len(places), int(labels.max()) + 1), bool)
    has[members, labels] = True
    for part in (TRAIN, VALIDATION, TEST):
        for label in range(has.shape[1]) if part in shares else ():
            _fill(part_of, part, label, has=has, places=places, ends=ends[part])
    result = [part_of[member] for member in members]
    _check_every_class(result, labels, list(shares), names)
    return result


def folded_split(
    labels: NDArray[np.intp],
    groups: NDArray[np.intp],
    keys: Sequence[bytes],
    names: Sequence[str],
    *,
    fold: int,
    folds: int,
    seed: int,
) -> list[str]:
    """Splits by the same hash into folds, of which one validates and the others train.

    Args:
        labels: (N,) class indices.
        groups: (N,) group numbers.
        keys: N of what each picture is known by.
        names: of the classes.
        fold: number of the one that validates, from 0.
        folds: how many there are.
        seed: decides, too.

    Returns:
        N names, of training and validation.

    Raises:
        DatasetError: a class has too few groups to be in both.
    """
    places, members = group_places(groups, keys, seed)
    of_fold = np.minimum((places * folds).astype(int), folds - 1) == fold
    result = [VALIDATION if of_fold[member] else TRAIN for member in members]
    _check_every_class(result, labels, [TRAIN, VALIDATION], names)
    return result


def group_places(
    groups: NDArray[np.intp], keys: Sequence[bytes], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Returns the place of each of G groups between 0 and 1, and (N,) which group a picture is."""
    _, members = np.unique(groups, return_inverse=True)
    smallest: dict[int, bytes] = {}
    for member, key in zip(members.tolist(), keys, strict=True):
        smallest[member] = min(key, smallest.get(member, key))
    places = []
    for member in range(len(smallest)):
        digest = hashlib.sha256(f"{seed}|".encode() + smallest[member]).digest()
        places.append(int.from_bytes(digest[:8], "big") / 2**64)
    return np.array(places), members.astype(np.intp)


def _fill(
    part_of: list[str],
    part: str,
    label: int,
    *,
    has: NDArray[np.bool_],
    places: NDArray[np.float64],
    ends: tuple[float, float],
) -> None:
    """Moves the nearest group with a class into a part without it, if that empties no other."""
    parts = np.array(part_of)
    if (has[:, label] & (parts == part)).any():
        return

    def spared(group: int) -> bool:
        same = parts == parts[group]
        return bool((has[same].sum(axis=0) > has[group]).all())

    able = [group for group in np.flatnonzero(has[:, label]).tolist() if spared(group)]
    if able:
        low, high = ends
        part_of[min(able, key=lambda group: max(low - places[group], places[group] - high))] = part


def naive_split(
    labels: NDArray[np.intp],
    *,
    validation: float,
    test: float,
    seed: int,
    names: Sequence[str] = (),
) -> list[str]:
    """Splits each class at random, as the usual scripts do: near-duplicates leak.

    Args, result and errors are those of `grouped_split`.
    """
    return grouped_split(
        labels,
        np.arange(len(labels)),
        validation=validation,
        test=test,
        seed=seed,
        names=names,
    )


def _shares(validation: float, test: float) -> dict[str, float]:
    if not 0 < validation + test < 1 or validation <= 0 or test < 0:
        raise DatasetError(
            f"--validation {validation:g} and --test {test:g} leave nothing to train or to "
            "validate on"
        )
    shares = {TRAIN: 1 - validation - test, VALIDATION: validation, TEST: test}
    return {name: share for name, share in shares.items() if share > 0}


def _check_every_class(
    parts: Sequence[str],
    labels: NDArray[np.intp],
    wanted: Sequence[str],
    names: Sequence[str],
) -> None:
    present = set(zip(parts, labels.tolist(), strict=True))
    for part in wanted:
        for label in range(int(labels.max()) + 1):
            if (part, label) not in present:
                name = repr(names[label]) if names else "a class"
                raise DatasetError(
                    f"too few different pictures: {name} has none left for {part!r}; add pictures "
                    "of it, or lower --validation and --test"
                )
