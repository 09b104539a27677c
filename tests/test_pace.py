"""The time of a source: steady, unsteady, with gaps, set back."""

import pytest

from maskdet.pace import FIRST_INTERVAL, Pace


def test_a_steady_source() -> None:
    """The usual interval is the one it has; there are no gaps."""
    pace = Pace()
    assert pace.usual == FIRST_INTERVAL
    for index in range(100):
        assert pace.advance(7 + index / 12) == pytest.approx(index / 12)
        assert not pace.has_gap
    assert pace.usual == pytest.approx(1 / 12)


def test_a_gap_is_one_step_among_many() -> None:
    """It is noticed in its own frame alone, and changes nothing of what is usual."""
    pace = Pace()
    gaps = []
    for index in range(40):
        pace.advance(index / 25 + (90 if index >= 20 else 0))
        gaps.append(pace.has_gap)
    assert gaps == [index == 20 for index in range(40)]
    assert pace.usual == pytest.approx(1 / 25)


@pytest.mark.parametrize("interval", [3.0, 60.0])
def test_what_is_usual_is_no_gap(interval: float) -> None:
    """A source of a frame a minute has one only before that is known."""
    pace = Pace()
    gaps = [bool(pace.advance(index * interval) and pace.has_gap) for index in range(20)]
    assert not any(gaps[2:])
    pace.advance(20 * interval + 5 * interval)
    assert pace.has_gap


def test_a_clock_that_stands_still_or_is_set_back() -> None:
    """Time goes on by what is usual."""
    pace = Pace()
    for time in (0.0, 0.1, 0.2, 0.2, 0.1, 0.2):
        pace.advance(time)
    assert pace.now == pytest.approx(0.5)
    assert not pace.has_gap


def test_frames_without_a_time() -> None:
    """Each comes one usual interval after the one before."""
    pace = Pace()
    for time in (0.0, 0.5, None, None):
        pace.advance(time)
    assert pace.now == pytest.approx(1.5)
