"""The time of a source: steady, unsteady, with gaps, set back."""

from itertools import pairwise

import pytest

from maskdet.pace import FIRST_INTERVAL, Pace, Rate


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


@pytest.mark.parametrize("rate", [1.0, 5.0, 12.0, 25.0, 40.0])
def test_a_rate_takes_so_many_frames_evenly(rate: float) -> None:
    """Of 25 frames a second that come a little unevenly as many as asked are taken; all at most."""
    chosen = Rate(rate, early=0.2)
    taken = [
        index / 25 for index in range(1000) if chosen.takes(index / 25 + 0.004 * (index % 3 == 0))
    ]
    assert len(taken) == pytest.approx(min(rate, 25) * 40, abs=2)
    steps = [later - earlier for earlier, later in pairwise(taken)]
    assert max(steps) <= 1 / min(rate, 25) + 0.041


def test_a_rate_begins_anew_after_a_gap() -> None:
    """Nothing is made up for: after a silence frames are taken no faster than before it."""
    chosen = Rate(5, early=0.1)
    assert chosen.takes(0.0)
    assert [chosen.takes(60 + index / 25) for index in range(6)] == [True, *[False] * 4, True]


def test_no_rate_takes_all() -> None:
    """Every frame is one too many for nobody."""
    assert all(Rate(None, early=0).takes(index / 1000) for index in range(100))
