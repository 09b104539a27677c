"""Figures, by sums worked out by hand."""

import numpy as np
import pytest

from maskdet.metrics import balanced_accuracy, bootstrap, expected_calibration_error, soften
from maskdet.train.classifier.metrics import fit_temperature, report_part


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


def test_temperature_is_found() -> None:
    """Answers made three times too sure are told a temperature near 3."""
    random = np.random.default_rng(0)
    honest = two(*random.uniform(0.02, 0.98, 20_000))
    labels = (random.random(20_000) > honest[:, 0]).astype(np.intp)
    assert fit_temperature(labels, soften(honest, 1 / 3)) == pytest.approx(3, rel=0.05)


def test_temperature_of_a_faultless_set_stays_finite() -> None:
    """Ten right answers are not reason enough for endless confidence."""
    temperature = fit_temperature(np.zeros(10, np.intp), two(*[0.9] * 10))
    assert temperature == pytest.approx(np.log(9) / np.log(11), rel=0.01)


def test_soften_changes_no_answer() -> None:
    """A temperature moves probabilities towards a half and keeps their order."""
    softened = soften(two(0.9, 0.2), 2.0)
    assert softened[0, 0] == pytest.approx(0.75, abs=1e-5)  # odds of 9 become odds of 3
    assert softened.argmax(axis=1).tolist() == [0, 1]


def test_bootstrap_draws_groups() -> None:
    """Copies in one group widen the interval that single pictures would give."""
    labels = np.zeros(40, np.intp)
    predicted = np.array([0] * 30 + [1] * 10)
    alone = bootstrap(labels, predicted, np.arange(40), seed=0)["accuracy"]
    copies = bootstrap(labels, predicted, np.arange(40) // 10, seed=0)["accuracy"]
    assert alone.value == copies.value == 0.75
    assert alone.low < 0.75 < alone.high
    assert copies.high - copies.low > 1.5 * (alone.high - alone.low)


def test_report_of_three_classes_one_absent() -> None:
    """A class without pictures does not break the report."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]], np.float32)
    found = report_part(
        np.array([0, 1]), probabilities, np.arange(2), ("a", "b", "c"), temperature=1, seed=0
    )
    assert found.figures["accuracy"]["value"] == 1
    assert "balanced accuracy            1.0000" in found.text
