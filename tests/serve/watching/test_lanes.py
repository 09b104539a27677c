"""How many look for faces at a time."""

import threading

import pytest

from maskdet.serve.watching import lanes
from maskdet.serve.watching.lanes import Lanes
from watched_cameras import wait_for


class Clock:
    """Stands for the `time` module; the test moves it."""

    def __init__(self) -> None:
        self.now = self.worked = 0.0

    def monotonic(self) -> float:
        """Returns the time."""
        return self.now

    def thread_time(self) -> float:
        """Returns the processor's time."""
        return self.worked


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The lanes' clock."""
    made = Clock()
    monkeypatch.setattr(lanes, "time", made)
    return made


def hold(two: Lanes, clock: Clock, seconds: float, *, worked: float) -> None:
    """Holds the one lane for some seconds, in which another waits for it."""
    through = threading.Event()

    def another() -> None:
        with two.one():
            through.set()

    with two.one():
        thread = threading.Thread(target=another)
        thread.start()
        wait_for(lambda: two.waiting)
        assert not through.is_set()
        clock.now += seconds
        clock.worked += worked
    thread.join(5)
    assert through.is_set()


@pytest.mark.parametrize(("waited", "worked"), [(2.0, 9.0), (6.0, 5.0)])
def test_one_is_enough(clock: Clock, waited: float, worked: float) -> None:
    """The second lane stays closed, and with it memory unused, where few wait or others work."""
    two = Lanes(2)
    hold(two, clock, waited, worked=worked)
    clock.now = 10.0
    with two.one():
        pass
    assert two.open == 1


def test_another_is_opened_where_one_is_too_few(clock: Clock) -> None:
    """Once it has worked most of the time, and was waited for, two go through; never more."""
    two = Lanes(2)
    hold(two, clock, 8.0, worked=8.0)
    clock.now = 10.0
    with two.one():
        assert two.open == 2
        with two.one():
            assert two.waiting == 0
        clock.worked += 40.0
    clock.now = 30.0
    with two.one():
        assert two.open == 2
