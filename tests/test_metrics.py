"""Figures and intervals, by sums worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from maskdet.metrics import (
    Interval,
    accuracy_intervals,
    average_precision_by_draw,
    balanced_accuracy,
    calibration_error_by_draw,
    class_intervals,
    confusion,
    effective_count,
    expected_calibration_error,
    mean_interval,
    precision_and_recall,
    resample,
    share_interval,
    soften,
)


def two(*masked: float) -> np.ndarray:
    """Returns the (N, 2) probabilities of N faces from that of the first class."""
    first = np.array(masked, np.float32)
    return np.stack([first, 1 - first], axis=1)


def test_balanced_accuracy() -> None:
    """3 of 4 and 1 of 2 right: the mean of .75 and .5."""
    labels, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0])
    assert balanced_accuracy(labels, predicted) == pytest.approx(0.625)


def test_calibration_error() -> None:
    """Four answers at .9 of which two are right, one at .6 and right: (4 x .4 + 1 x .4) / 5."""
    labels = np.array([0, 0, 1, 1, 0])
    error = expected_calibration_error(labels, two(0.9, 0.9, 0.9, 0.9, 0.6))
    assert error == pytest.approx(0.4, abs=1e-6)


def test_certain_and_right_is_calibrated() -> None:
    """Probability 1 falls into the last bin."""
    assert expected_calibration_error(np.array([0, 1]), two(1.0, 0.0)) == pytest.approx(0)


def test_soften_changes_no_answer() -> None:
    """A temperature moves probabilities towards a half and keeps their order."""
    softened = soften(two(0.9, 0.2), 2.0)
    assert softened[0, 0] == pytest.approx(0.75, abs=1e-5)  # odds of 9 become odds of 3
    assert softened.argmax(axis=1).tolist() == [0, 1]


def test_the_interval_holds_at_the_edges() -> None:
    """20 right of 20: the lower end is 0.025^(1/20), by Clopper and Pearson; so for none."""
    all_right = share_interval(np.ones(20, bool), np.arange(20))
    assert (all_right.value, all_right.high) == (1, 1)
    assert all_right.low == pytest.approx(0.025 ** (1 / 20), abs=1e-9)
    assert all_right.low == pytest.approx(0.8316, abs=1e-4)
    none = share_interval(np.zeros(20, bool), np.arange(20))
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20), abs=1e-9)


def test_the_interval_of_tables() -> None:
    """15 of 20, as tables of Clopper and Pearson's have it: 0.509 to 0.913."""
    found = share_interval(np.arange(20) < 15, np.arange(20))
    assert (found.low, found.high) == pytest.approx((0.5090, 0.9134), abs=1e-4)


def test_copies_are_one_piece_of_evidence() -> None:
    """Forty copies of four pictures are worth four; groups of 3 and 1 are worth 16 / 10."""
    assert effective_count(np.arange(40) // 10) == pytest.approx(4)
    assert effective_count(np.array([0, 0, 0, 1])) == pytest.approx(1.6)
    copies = share_interval(np.ones(40, bool), np.arange(40) // 10)
    assert copies.low == pytest.approx(0.025 ** (1 / 4))
    assert np.isnan(share_interval(np.ones(0, bool), np.arange(0)).value)


def test_means_of_shares_add_squares() -> None:
    """0.9 +- 0.3 down and 0.5 +- 0.4 down: the mean 0.7 goes down by 0.5 / 2."""
    mean = mean_interval([Interval(0.9, 0.6, 1.0), Interval(0.5, 0.1, 0.5)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.7, 0.45, 0.75))


def test_balanced_accuracy_of_a_faultless_set_is_no_certainty() -> None:
    """Ten and ten right: the lower end is neither 1 nor below that of either class."""
    labels = np.repeat([0, 1], 10)
    found = accuracy_intervals(labels, labels, np.arange(20))
    below = (1 - 0.025 ** (1 / 10)) / np.sqrt(2)
    assert found["balanced_accuracy"].low == pytest.approx(1 - below)
    assert found["accuracy"].low == pytest.approx(0.025 ** (1 / 20))


def test_figures_of_a_class() -> None:
    """True 0, 1, 2, said 1, 2, 3: precision and recall 2 of 3, F1 from an overlap of 2 in 4."""
    labels, predicted = np.array([0, 0, 0, 1]), np.array([1, 0, 0, 0])
    found = class_intervals(labels, predicted, np.arange(4), 0)
    assert found["precision"].value == found["recall"].value == pytest.approx(2 / 3)
    assert found["f1"].value == pytest.approx(2 / 3)
    overlap = share_interval(np.array([True, True, False, False]), np.arange(4))
    assert found["f1"].low == pytest.approx(2 * overlap.low / (1 + overlap.low))


def test_the_bootstrap_is_mended_at_the_edges() -> None:
    """A share that is 1 in every draw of ten groups has a lower end; so has 0 an upper one."""
    ones, zeros = np.ones(10), np.zeros(10)
    found = resample(
        lambda times: {"one": times @ ones / 10, "zero": times @ zeros / 10},
        np.arange(10),
        seed=1,
        times=20,
    )
    chance = 0.025 ** (1 / 10)
    assert (found["one"].low, found["one"].high) == pytest.approx((chance, 1))
    assert (found["zero"].low, found["zero"].high) == pytest.approx((0, 1 - chance))


def test_the_bootstrap_of_a_class_is_that_of_scikit_learn() -> None:
    """Rows counted as often as they are drawn give what scikit-learn says of the rows themselves.

    Draws by hand, over groups, with the same seed: the interval is theirs; rounded scores tie.
    """
    random = np.random.default_rng(4)
    true, groups = random.random(60) < 0.4, random.integers(0, 25, 60)
    scores = np.round(random.normal(true * 0.7, 1), 1).astype(np.float32)
    found = resample(
        lambda times: {"ap": average_precision_by_draw(true, scores, times)},
        groups,
        seed=9,
        times=100,
    )["ap"]
    names, draws = np.unique(groups), np.random.default_rng(9)
    by_hand = []
    for _ in range(100):
        picked = names[draws.integers(0, len(names), len(names))]
        rows = np.concatenate([np.flatnonzero(groups == group) for group in picked])
        by_hand.append(average_precision_score(true[rows], scores[rows]))
    low, high = np.percentile(by_hand, (2.5, 97.5))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    assert found.value == pytest.approx(average_precision_score(true, scores), abs=1e-12)
    assert found.high - found.low > 0.1


def test_draws_without_the_class_have_no_average_precision() -> None:
    """The second draw has only the row that is not of it."""
    times = np.array([[1, 1], [0, 2]])
    found = average_precision_by_draw(np.array([True, False]), np.array([0.2, 0.8]), times)
    assert found[0] == pytest.approx(0.5)
    assert np.isnan(found[1])


def test_calibration_error_of_draws() -> None:
    """A row drawn twice counts as two: the same as of the rows themselves."""
    random = np.random.default_rng(6)
    labels, probabilities = random.integers(0, 2, 30), two(*random.random(30))
    rows = random.integers(0, 30, (5, 30))
    times = np.stack([np.bincount(row, minlength=30) for row in rows])
    expected = [expected_calibration_error(labels[row], probabilities[row]) for row in rows]
    assert calibration_error_by_draw(labels, probabilities, times) == pytest.approx(expected)
    assert np.ptp(expected) > 0.01


def test_curve_and_confusion_are_those_of_scikit_learn() -> None:
    """Thresholds that several rows share are one point; classes without rows keep their place."""
    random = np.random.default_rng(5)
    true = random.random(40) < 0.5
    scores = np.round(random.random(40), 1).astype(np.float32)
    precisions, recalls, _ = precision_recall_curve(true, scores)
    found = precision_and_recall(true, scores)
    assert found[0] == pytest.approx(precisions)
    assert found[1] == pytest.approx(recalls)
    labels, predicted = random.integers(0, 3, 40), random.integers(0, 4, 40)
    expected = confusion_matrix(labels, predicted, labels=range(4))
    assert confusion(labels, predicted, 4).tolist() == expected.tolist()
