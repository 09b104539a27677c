"""Learning rates, by the numbers that were published."""

import pytest

from maskdet.train.classifier.passes.schedules import schedule


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("constant", 1e-4, 1e-4),
        # Keras's former decay of rate / passes: 1e-4 / (1 + 1e-4 / 20 * 700).
        ("inverse-time", 1e-4, 1e-4 / 1.0035),
        ("cosine", 1e-4, 0.0),
    ],
)
def test_rates_of_a_phase(name: str, first: float, last: float) -> None:
    """Twenty passes of 35 steps at 1e-4: the rate of the first step, and after the last one."""
    rate = schedule(name, rate=1e-4, epochs=20, steps=700, warm=0)
    assert float(rate(0)) == pytest.approx(first)
    assert float(rate(700)) == pytest.approx(last, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", ["constant", "inverse-time", "cosine"])
def test_a_warm_up_rises_in_a_straight_line(name: str) -> None:
    """Of ten steps: half the rate after five, all of it after ten."""
    rate = schedule(name, rate=1e-3, epochs=10, steps=100, warm=10)
    assert float(rate(5)) == pytest.approx(5e-4, rel=1e-5)
    assert float(rate(10)) == pytest.approx(1e-3, rel=1e-5)
