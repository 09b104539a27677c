"""The temperature: found, and kept only where it helps pictures it was not fitted on."""

import numpy as np
import pytest

from maskdet.metrics import soften
from maskdet.train.classifier.reporting.metrics import report_part
from maskdet.train.classifier.reporting.temperature import choose_temperature, fit_temperature


def two(*masked: float) -> np.ndarray:
    """Returns the (N, 2) probabilities of N faces from that of the first class."""
    first = np.array(masked, np.float32)
    return np.stack([first, 1 - first], axis=1)


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


def test_a_temperature_that_helps_is_kept() -> None:
    """Answers made three times too sure: out of sample the error falls, and that is said."""
    random = np.random.default_rng(0)
    honest = two(*random.uniform(0.02, 0.98, 2000))
    labels = (random.random(2000) > honest[:, 0]).astype(np.intp)
    found = choose_temperature(labels, soften(honest, 1 / 3), np.arange(2000), seed=1)
    assert found.value == found.fitted == pytest.approx(3, rel=0.15)
    assert found.after < found.before
    assert "out of sample" in str(found)


def test_a_temperature_that_does_not_help_is_left_out() -> None:
    """Of answers that are honest already: the card gets 1, and the reason is said."""
    random = np.random.default_rng(0)
    honest = two(*random.uniform(0.02, 0.98, 400))
    labels = (random.random(400) > honest[:, 0]).astype(np.intp)
    left = choose_temperature(labels, honest, np.arange(400), seed=1)
    assert left.value == 1
    assert left.fitted != 1
    assert "does not help" in str(left)


def test_few_groups_tell_nothing() -> None:
    """A hundred copies of ten pictures are ten."""
    labels = np.zeros(100, np.intp)
    found = choose_temperature(labels, two(*[0.6] * 100), np.arange(100) // 10, seed=1)
    assert found.value == 1
    assert np.isnan(found.after)
    assert "fewer than 20 groups" in str(found)


def test_report_of_three_classes_one_absent() -> None:
    """A class without pictures does not break the report."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]], np.float32)
    found = report_part(
        np.array([0, 1]), probabilities, np.arange(2), ("a", "b", "c"), temperature=1
    )
    assert found.figures["accuracy"]["value"] == 1
    assert "balanced accuracy            1.0000 (0." in found.text
