"""How many look for faces at a time."""

import threading

import pytest

from maskdet.serve.watching import lanes
from maskdet.serve.watching.lanes import Lanes
from watched_cameras import wait_for


class Clock:
    """Stands for the `time` module; the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Returns the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The lanes' clock."""
    made = Clock()
    monkeypatch.setattr(lanes, "time", made)
    return made


def wait_for_a_lane(two: Lanes, clock: Clock, seconds: float) -> None:
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
    thread.join(5)
    assert through.is_set()


def test_one_is_enough_while_hardly_anybody_waits(clock: Clock) -> None:
    """The second lane stays closed, and with it memory unused, if waits are short."""
    two = Lanes(2)
    wait_for_a_lane(two, clock, 4.0)
    clock.now = 10.0
    with two.one():
        pass
    assert two.open == 1


def test_another_is_opened_where_one_is_waited_for(clock: Clock) -> None:
    """Once somebody has waited most of the time two go through; never more than there may be."""
    two = Lanes(2)
    wait_for_a_lane(two, clock, 6.0)
    clock.now = 10.0
    with two.one():
        assert two.open == 2
        with two.one():
            assert two.waiting == 0
    clock.now = 30.0
    with two.one():
        assert two.open == 2
