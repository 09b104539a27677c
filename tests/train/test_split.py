"""Splitting: nothing leaks, nothing is left out, the same seed gives the same split."""

import numpy as np
import pytest

from maskdet.errors import DatasetError
from maskdet.train.split import grouped_split, naive_split


def made_up(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels and groups of 300 pictures, groups of 1 to 9, some over two classes."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(300), random.integers(1, 10, 300))[:300]
    labels = (random.random(300) < 0.3).astype(np.intp)
    return labels, groups


@pytest.mark.parametrize("seed", range(5))
def test_groups_never_straddle(seed: int) -> None:
    """Each group is in one part, and each part has its share of each class."""
    labels, groups = made_up(seed)
    parts = np.array(grouped_split(labels, groups, validation=0.2, test=0.1, seed=seed))
    for group in np.unique(groups):
        assert len(set(parts[groups == group])) == 1
    for label in (0, 1):
        of_class = parts[labels == label]
        assert np.mean(of_class == "val") == pytest.approx(0.2, abs=0.06)
        assert np.mean(of_class == "test") == pytest.approx(0.1, abs=0.06)


def test_seed_decides() -> None:
    """The same seed gives the same split, another one another."""
    labels, groups = made_up(0)
    first, again, other = (
        grouped_split(labels, groups, validation=0.2, test=0.1, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_naive_split_leaks() -> None:
    """The usual random split tears groups apart, at exact shares."""
    labels, groups = made_up(0)
    parts = np.array(naive_split(labels, validation=0.2, test=0.0, seed=0))
    assert any(len(set(parts[groups == group])) > 1 for group in np.unique(groups))
    assert np.mean(parts[labels == 1] == "val") == pytest.approx(0.2, abs=0.01)


def test_a_class_of_one_group_cannot_be_split() -> None:
    """A class whose pictures are all copies is refused: validation could not have it."""
    labels = np.array([0] * 6 + [1] * 6)
    groups = np.array([0, 1, 2, 3, 4, 5] + [6] * 6)
    with pytest.raises(DatasetError, match="too few different pictures"):
        grouped_split(labels, groups, validation=0.2, test=0.1, seed=0)


@pytest.mark.parametrize(("validation", "test"), [(0.0, 0.1), (0.6, 0.4), (0.9, 0.2)])
def test_impossible_shares(validation: float, test: float) -> None:
    """Shares that leave nothing to train or to validate on are refused."""
    labels, groups = made_up(0)
    with pytest.raises(DatasetError, match="leave nothing"):
        grouped_split(labels, groups, validation=validation, test=test, seed=0)
