"""Fairness: who is looked at next."""

import threading

from maskdet.serve.watching.turns import Turns
from watched_cameras import wait_for


class Camera:
    """Counts its turns, and notes their order."""

    def __init__(self, name: str, order: list[str], gate: threading.Event) -> None:
        self.name = name
        self._order = order
        self._gate = gate
        self.inside = self.most = 0

    def look(self) -> None:
        """Takes a turn, once the gate is open."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        self._gate.wait(10)
        self._order.append(self.name)
        self.inside -= 1


def test_no_camera_starves_another() -> None:
    """However often a fast camera asks, the others have their turns in between."""
    order: list[str] = []
    gate = threading.Event()
    fast, slow, third = (Camera(name, order, gate) for name in ("fast", "slow", "third"))
    turns = Turns(1, lambda _: None)
    turns.start()
    turns.ask(fast)
    wait_for(lambda: fast.inside)
    for _ in range(50):
        turns.ask(fast)
    turns.ask(slow)
    turns.ask(third)
    turns.ask(slow)
    gate.set()
    wait_for(lambda: len(order) >= 4)
    turns.stop(5)
    assert order == ["fast", "slow", "third", "fast"]


def test_a_camera_is_looked_at_once_at_a_time() -> None:
    """With workers to spare, frames of one camera still come one after the other."""
    order: list[str] = []
    gate = threading.Event()
    camera = Camera("one", order, gate)
    turns = Turns(3, lambda _: None)
    turns.start()
    turns.ask(camera)
    wait_for(lambda: camera.inside)
    turns.ask(camera)
    gate.set()
    wait_for(lambda: len(order) == 2)
    turns.stop(5)
    assert camera.most == 1


def test_a_fault_is_told_and_ends_nobody_else() -> None:
    """What goes wrong with one camera is handed on; the worker goes on with the next."""
    faults: list[BaseException] = []
    order: list[str] = []
    gate = threading.Event()
    gate.set()

    class Broken:
        def look(self) -> None:
            raise ZeroDivisionError

    turns = Turns(1, faults.append)
    turns.start()
    turns.ask(Broken())
    turns.ask(Camera("other", order, gate))
    wait_for(lambda: order)
    turns.stop(5)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
