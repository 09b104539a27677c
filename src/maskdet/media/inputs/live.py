"""Cameras and streams: only the newest frame counts, and what drops is opened again."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import cv2

from maskdet.errors import SourceError
from maskdet.media.frames import FALLBACK_FRAME_RATE, Frame, Kind, UInt8Array
from maskdet.media.inputs.feeds import Feed
from maskdet.waits import varied, wait_before

# Wait before the n-th attempt to open again: from the first to the longest, in seconds.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
# How often it is said that a feed is still away. Seconds.
_SECONDS_BETWEEN_LINES = 3600.0
# How often a waiting consumer looks whether it should stop, in seconds.
_POLL = 0.1


class LiveSource:
    """A camera or stream, read by a thread that keeps the newest frame only.

    So a slow detector skips frames but never lags behind. When the feed ends or fails it is opened
    again, after waits that grow; one that is not there at the start joins when it comes.

    Args:
        kind: ``camera`` or ``stream``.
        name: what it is called in records and messages.
        first: the feed, opened; ``None`` where the reading thread is to open it, too.
        open_again: opens it, once more or at first.
        reconnect: attempts to open it again before giving up; ``None`` for ever.
        log: told, a line each, when the feed is lost and found again.
        stop: ends the iteration when set, even while there are no frames.

    Attributes:
        is_open: whether the feed has been opened.
        has_sound: whether it carries sound, once it has been opened.
    """

    is_moving = True
    is_live = True
    folder: Path | None = None
    paths: Sequence[Path] = ()
    frame_count: int | None = None

    def __init__(
        self,
        kind: Kind,
        name: str,
        first: Feed | None,
        open_again: Callable[[], Feed],
        *,
        reconnect: int | None = None,
        log: Callable[[str], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.name = name
        self.failures: list[str] = []
        self.frame_rate: float | None = FALLBACK_FRAME_RATE
        self.has_sound = self.is_open = False
        self._feed: Feed | None = None
        if first is not None:
            self._take_up(first)
        self._open_again = open_again
        self._reconnect = reconnect
        self._log = log
        self._changed = threading.Condition()
        self._newest: tuple[float, UInt8Array] | None = None
        self._ended = False
        # Why the feed was given up.
        self._problem = ""
        self._fault: BaseException | None = None
        self._stop = stop or threading.Event()
        # The consumer has gone. Not the event above: other sources may share that one.
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Gives the newest frame whenever it is asked for one, each frame at most once.

        Raises:
            SourceError: the feed gave no frame at all, though it was given the time to.
        """
        reader = threading.Thread(target=self._read, name=f"read {self.name}", daemon=True)
        reader.start()
        index, first = 0, 0.0
        try:
            while (newest := self._take()) is not None:
                moment, image = newest
                if index == 0:
                    first = moment
                # By the clock on the wall as it stands now: it may be set while the camera runs.
                age = timedelta(seconds=time.monotonic() - moment)
                taken = datetime.now().astimezone() - age
                yield Frame(self.name, index, moment - first, image, taken)
                index += 1
        finally:
            self._closed.set()
            # Reading a device can block; the thread is a daemon, so waiting may be given up.
            reader.join(timeout=2)
        if self._fault is not None:
            raise self._fault
        if index == 0 and self._ended and not self._stop.is_set():
            what = f"gives no pictures ({self._problem})" if self.is_open else self._problem
            raise SourceError(f"{self.name}: {what}")
        if self._ended and self._problem:
            self.failures.append(f"{self.name}: lost ({self._problem})")

    def _take(self) -> tuple[float, UInt8Array] | None:
        with self._changed:
            while self._newest is None and not self._ended and not self._is_over():
                self._changed.wait(_POLL)
            if self._is_over():
                return None
            newest, self._newest = self._newest, None
            return newest

    def _is_over(self) -> bool:
        return self._stop.is_set() or self._closed.is_set()

    def _take_up(self, feed: Feed) -> None:
        self._feed = feed
        self.frame_rate, self.has_sound = feed.frame_rate, feed.has_sound
        self.is_open = True

    def _read(self) -> None:
        """Reads until stopped or given up; runs in the reader thread."""
        attempt, said = 0, _Said(self._log)
        came = False
        try:
            while not self._is_over():
                problem = "ended"
                try:
                    if self._feed is None:
                        self._take_up(self._open_again())
                    assert self._feed is not None
                    for image in self._feed:
                        if attempt:
                            self._log(f"{self.name}: is {'back' if came else 'there'}")
                            attempt, said = 0, _Said(self._log)
                        came = True
                        with self._changed:
                            self._newest = (time.monotonic(), image)
                            self._changed.notify()
                        if self._is_over():
                            return
                except (SourceError, cv2.error) as error:
                    problem = str(error).removeprefix(f"{self.name}: ")
                finally:
                    if self._feed is not None:
                        self._feed.close()
                        self._feed = None
                # A feed that breaks while the run ends, as on Ctrl-C, is not missed.
                if self._is_over():
                    return
                if self._reconnect is not None and attempt >= self._reconnect:
                    self._problem = problem
                    return
                attempt += 1
                wait = wait_before(attempt, FIRST_WAIT, LONGEST_WAIT)
                said.lost(self.name, problem, wait)
                wait = varied(wait)
                until = time.monotonic() + wait
                while not self._is_over() and (left := until - time.monotonic()) > 0:
                    self._closed.wait(min(left, _POLL))
        except BaseException as fault:  # noqa: BLE001 - handed to the consumer, which raises it
            self._fault = fault
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()


class _Said:
    """Says that a feed is away: while the waits grow every time, then where something is new."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._last: tuple[str, float] | None = None
        self._at = 0.0

    def lost(self, name: str, problem: str, wait: float) -> None:
        """Tells of an attempt that failed, and when the next is made."""
        now = time.monotonic()
        if (problem, wait) == self._last and now - self._at < _SECONDS_BETWEEN_LINES:
            return
        self._last, self._at = (problem, wait), now
        when = f"every {wait:g} s" if wait == LONGEST_WAIT else f"in {wait:.1f} s"
        self._log(f"{name}: {problem}; opening it again {when}")
