"""Who is looked at next: the networks are fewer than the cameras, and none is to starve another."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol


class HasFrame(Protocol):
    """What can be looked at when its turn comes."""

    def look(self) -> None:
        """Looks at its newest frame."""
        ...


class Turns:
    """Workers that look at cameras in the order in which these had something to show.

    A camera waits for its turn at most once, however many frames it has had in the meantime, and it
    is the newest of them that is looked at. So a fast camera gets no more turns than a slow one
    while both wait, and all get fewer where there are too many.

    Args:
        workers: how many work at a time.
        failed: told of a fault of the program in `look`; the worker goes on.
    """

    def __init__(self, workers: int, failed: Callable[[BaseException], None]) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[HasFrame] = deque()
        self._busy: set[int] = set()
        self._again: set[int] = set()
        self._is_over = False
        self._failed = failed
        self._threads = [
            threading.Thread(target=self._work, name=f"looking {number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begins to look."""
        for thread in self._threads:
            thread.start()

    def ask(self, camera: HasFrame) -> None:
        """Puts a camera at the end of the queue, if it does not wait already."""
        with self._condition:
            if id(camera) in self._busy:
                # Frames of a camera are looked at one at a time.
                self._again.add(id(camera))
            elif not any(one is camera for one in self._waiting):
                self._waiting.append(camera)
                self._condition.notify()

    def stop(self, timeout: float) -> None:
        """Ends the work; what is under way has so many seconds."""
        with self._condition:
            self._is_over = True
            self._condition.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._is_over)
                if self._is_over:
                    return
                camera = self._waiting.popleft()
                self._busy.add(id(camera))
            try:
                camera.look()
            except BaseException as fault:  # noqa: BLE001 - handed on; the other cameras go on
                self._failed(fault)
            finally:
                with self._condition:
                    self._busy.discard(id(camera))
                    if id(camera) in self._again:
                        self._again.discard(id(camera))
                        self._waiting.append(camera)
                        self._condition.notify()
