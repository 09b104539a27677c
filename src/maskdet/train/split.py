"""Divides pictures into training, validation and test so that no group is on two sides."""

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
    names = list(shares)
    result = [names[part_of_group[member]] for member in members]
    _check_every_class(result, labels, names)
    return result


def naive_split(
    labels: NDArray[np.intp], *, validation: float, test: float, seed: int
) -> list[str]:
    """Splits each class at random, as the usual scripts do: near-duplicates leak.

    Args, result and errors are those of `grouped_split`.
    """
    return grouped_split(
        labels, np.arange(len(labels)), validation=validation, test=test, seed=seed
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
    parts: Sequence[str], labels: NDArray[np.intp], names: Sequence[str]
) -> None:
    present = set(zip(parts, labels.tolist(), strict=True))
    for name in names:
        for label in range(int(labels.max()) + 1):
            if (name, label) not in present:
                raise DatasetError(
                    f"too few different pictures: a class has none left for {name!r}; add "
                    "pictures or lower --validation and --test"
                )
