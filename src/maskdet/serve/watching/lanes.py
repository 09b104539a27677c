"""In how many frames faces are looked for at a time: one, until that is not enough.

Two at a time need each of the first network's sizes twice, which is up to 160 MB; where one keeps
up, as with a few cameras, nobody misses the other. Nor does it help where other programs take the
processor's time: what counts is how much of it was had.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# One more is opened where each has worked for this share of so long, by the processor's time, and
# somebody has waited for this one. Seconds.
_WORKED, _WAITED, _WINDOW = 0.7, 0.25, 10.0


class Lanes:
    """Lets so many at a time through as there is need of. May be used from several threads.

    Args:
        most: that are opened, one or more.

    Attributes:
        open: how many are.
        waiting: how many wait for one.
    """

    def __init__(self, most: int) -> None:
        self.open = 1
        self.waiting = 0
        self._most = most
        self._taken = 0
        self._condition = threading.Condition()
        self._since = time.monotonic()
        self._worked = self._waited = self._waits_since = 0.0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Waits for a lane, and holds it."""
        with self._condition:
            now = time.monotonic()
            self._look(now)
            if self._taken >= self.open:
                self._wait(now)
            self._taken += 1
        begun = time.thread_time()
        try:
            yield
        finally:
            worked = time.thread_time() - begun
            with self._condition:
                self._worked += worked
                self._taken -= 1
                self._condition.notify()

    def _wait(self, now: float) -> None:
        if self.waiting == 0:
            self._waits_since = now
        self.waiting += 1
        self._condition.wait_for(lambda: self._taken < self.open)
        self.waiting -= 1
        if self.waiting == 0:
            self._waited += time.monotonic() - self._waits_since

    def _look(self, now: float) -> None:
        """Opens one more where those that are open do not suffice."""
        spent = now - self._since
        if spent < _WINDOW:
            return
        is_busy = self._worked > _WORKED * spent * self.open and self._waited > _WAITED * spent
        if is_busy and self.open < self._most:
            self.open += 1
        self._since, self._worked, self._waited = now, 0.0, 0.0
