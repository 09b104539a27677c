"""Splitting: nothing leaks, nothing is left out, the same seed gives the same split."""

import numpy as np
import pytest

from maskdet.errors import DatasetError
from maskdet.train.split import folded_split, grouped_split, hashed_split, naive_split


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


def keys(count: int, seed: int = 0) -> list[bytes]:
    """Returns what made-up pictures are known by."""
    random = np.random.default_rng(seed)
    return [random.bytes(32) for _ in range(count)]


def test_pictures_stay_on_their_side_when_others_come() -> None:
    """900 pictures and the first 600 of them: what is in both is on the same side."""
    labels, groups = np.arange(900) % 2, np.arange(900) // 3
    known = keys(900)
    whole = hashed_split(labels, groups, known, ("a", "b"), validation=0.2, test=0.1, seed=1)
    first = hashed_split(
        labels[:600], groups[:600], known[:600], ("a", "b"), validation=0.2, test=0.1, seed=1
    )
    assert first == whole[:600]
    parts = np.array(whole)
    assert all(len(set(parts[groups == group])) == 1 for group in range(300))
    assert np.mean(parts == "val") == pytest.approx(0.2, abs=0.06)
    assert np.mean(parts == "test") == pytest.approx(0.1, abs=0.05)
    other = hashed_split(labels, groups, known, ("a", "b"), validation=0.2, test=0.1, seed=2)
    assert other != whole


def test_the_order_of_pictures_does_not_matter() -> None:
    """Nor do the numbers of groups: a picture is known by itself."""
    labels, groups, known = np.arange(60) % 2, np.arange(60), keys(60)
    order = np.random.default_rng(0).permutation(60)
    plain = hashed_split(labels, groups, known, ("a", "b"), validation=0.2, test=0.1, seed=1)
    mixed = hashed_split(
        labels[order], groups[::-1], [known[index] for index in order], ("a", "b"),
        validation=0.2, test=0.1, seed=1,
    )  # fmt: skip
    assert mixed == [plain[index] for index in order]


@pytest.mark.parametrize("seed", range(8))
def test_each_class_is_in_each_part_of_a_small_set(seed: int) -> None:
    """Of four pictures a class, one tests and one validates, whatever the hash says."""
    labels = np.arange(8) % 2
    parts = hashed_split(
        labels, np.arange(8), keys(8, seed), ("a", "b"), validation=0.2, test=0.1, seed=seed
    )
    assert len(set(zip(parts, labels.tolist(), strict=True))) == 6


def test_a_class_that_has_none_left_is_named() -> None:
    """Two masked pictures are too few for three parts."""
    labels = np.array([0] * 10 + [1] * 2)
    with pytest.raises(DatasetError, match="'with_mask' has none left for"):
        hashed_split(
            labels, np.arange(12), keys(12), ("bare", "with_mask"), validation=0.2, test=0.1, seed=1
        )


def test_each_group_validates_in_one_fold() -> None:
    """Four folds of 200 groups: together all of them, none twice."""
    labels, groups, known = np.arange(400) % 2, np.arange(400) // 2, keys(400)
    seen = np.zeros(400, int)
    for fold in range(4):
        parts = folded_split(labels, groups, known, ("a", "b"), fold=fold, folds=4, seed=1)
        assert set(parts) == {"train", "val"}
        seen += np.array(parts) == "val"
    assert seen.tolist() == [1] * 400
