"""Sees to it that alerts arrive: in order, tried again until they do or are too old."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from maskdet.alerts.channels import Channel, DeliveryError
from maskdet.alerts.options import DeliveryOptions
from maskdet.waits import varied, wait_before
from maskdet.wording import counted, label_text

# So many undelivered alerts are named; of the rest the number is said.
_MOST_NAMED = 3
# There are at least so many attempts in the time that is left at the end.
_LAST_ATTEMPTS = 5
# So long after its time an alert is certainly too old. Seconds.
_TO_BE_OLD = 0.001
# What is under way when time is up may take this long to notice. Seconds.
_TO_NOTICE = 2.0

Record = dict[str, Any]


class Delivery:
    """Delivers alerts in the background, on each channel by itself. A context manager.

    A channel that is out of order holds up no other one. At the end what waits has some time more;
    what has not arrived then is said.

    Args:
        channels: the ways they go out.
        options: how long each is tried.
        log: told, a line each, what failed and that it works again; from several threads.

    Attributes:
        failures: at the end, one line for each channel on which alerts were not delivered.
    """

    def __init__(
        self, channels: Sequence[Channel], options: DeliveryOptions, log: Callable[[str], None]
    ) -> None:
        self.failures: list[str] = []
        self._options = options
        self._log = log
        self._lines = [_Line(channel, options, log) for channel in channels]

    def __enter__(self) -> Self:
        for line in self._lines:
            line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        # Whoever interrupts twice does not want to wait.
        hurried = kind is not None and issubclass(kind, KeyboardInterrupt)
        for line in self._lines:
            line.close()
        try:
            for line in self._lines if not hurried else ():
                line.wait()
        finally:
            # Even if interrupted: a command that runs would stay behind.
            for line in self._lines:
                line.end()
        self.failures = [failure for line in self._lines if (failure := line.failure())]
        if kind is not None:
            # The run has no end at which they would be said.
            for failure in self.failures:
                self._log(failure)

    def send(self, record: Record, *, can_wait: bool = False) -> None:
        """Queues an alert for all channels.

        Args:
            record: see `maskdet.alerts.watch.Watch.alerts`.
            can_wait: whether frames may be held up while many alerts are on their way. Even then
                none waits for a channel that is out of order.
        """
        for line in self._lines:
            line.put(record, can_wait=can_wait)


class _Line:
    """The alerts that wait for one channel, and the thread that delivers them."""

    def __init__(
        self, channel: Channel, options: DeliveryOptions, log: Callable[[str], None]
    ) -> None:
        self._channel = channel
        self._options = options
        self._log = log
        self._changed = threading.Condition()
        # Each with the time it was queued at.
        self._waiting: deque[tuple[float, Record]] = deque()
        self._current: Record | None = None
        self._failed = 0  # attempts in a row
        self._problem = ""
        self._overflows = False
        self._sent = 0
        self._lost: list[Record] = []
        self._lost_count = 0
        self._is_closing = False
        self._closed_at = self._arrived_at = 0.0  # by the monotonic clock
        self._is_over = False
        self._thread = threading.Thread(
            target=self._work, name=f"alerts to {channel.name}", daemon=True
        )

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def put(self, record: Record, *, can_wait: bool) -> None:
        """Queues an alert; gives up the oldest where there are too many."""
        with self._changed:
            self._sent += 1
            if can_wait:
                self._changed.wait_for(
                    lambda: (
                        len(self._waiting) < self._options.ahead or self._failed or self._is_over
                    )
                )
            if len(self._waiting) >= self._options.most:
                self._lose(self._waiting.popleft()[1])
                if not self._overflows:
                    self._overflows = True
                    most = f"more than {self._options.most} alerts wait"
                    self._log(f"alert: {self._channel.name}: {most}; the oldest are lost")
            self._waiting.append((time.monotonic(), record))
            self._changed.notify_all()

    def close(self) -> None:
        """Takes no more; what waits is tried at once, whatever wait it was in."""
        with self._changed:
            self._is_closing = True
            self._closed_at = time.monotonic()
            left = len(self._waiting) + (self._current is not None)
            if self._failed and left:
                self._log(
                    f"alert: {self._channel.name}: {counted(left, 'alert')} waiting, tried for "
                    f"{self._options.grace:g} s more"
                )
            self._changed.notify_all()

    def wait(self) -> None:
        """Waits, once closed, for what is left, but not for ever."""
        options, closed = self._options, self._closed_at
        while self._thread.is_alive():
            until = max(closed, self._arrived_at) + options.grace
            left = min(until, closed + options.longest_grace) - time.monotonic()
            if left <= 0:
                return
            self._thread.join(left)

    def end(self) -> None:
        """Gives up what is left."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._channel.close()
            self._thread.join(_TO_NOTICE)
        with self._changed:
            if self._current is not None:
                self._lose(self._current)
            for _, record in self._waiting:
                self._lose(record)

    def failure(self) -> str | None:
        """Says what was not delivered, if anything."""
        if not self._lost_count:
            return None
        named = ", ".join(_described(record) for record in self._lost)
        more = self._lost_count - len(self._lost)
        named += f" and {more} more" if more else ""
        of = f"{self._lost_count} of {counted(self._sent, 'alert')}"
        return f"alert: {self._channel.name}: {of} not delivered ({named})"

    def _lose(self, record: Record) -> None:
        self._lost_count += 1
        if len(self._lost) < _MOST_NAMED:
            self._lost.append(record)

    def _work(self) -> None:
        """Delivers until closed and empty, or over; runs in the line's thread."""
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._waiting or self._is_closing or self._is_over
                    )
                    if not self._waiting or self._is_over:
                        return
                    queued, self._current = self._waiting.popleft()
                    self._changed.notify_all()
                arrived = self._try(self._current, queued + self._options.keep)
                with self._changed:
                    if self._is_over and not arrived:
                        return
                    if not arrived:
                        self._lose(self._current)
                    self._current = None
        finally:
            # Even after a fault of a channel's: nobody is to wait for this line.
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _try(self, record: Record, until: float) -> bool:
        """Tries to deliver one alert until it is too old; tells whether it arrived."""
        while True:
            if time.monotonic() > until:
                self._log(
                    f"alert: {self._channel.name}: too old to be delivered: {_described(record)}"
                )
                return False
            try:
                self._channel.deliver(record)
            except DeliveryError as error:
                if self._is_over:
                    return False
                if error.is_final:
                    self._log(f"alert: {error}; not delivered: {_described(record)}")
                    return False
                self._wait_after(error, until)
                if self._is_over:
                    return False
            else:
                if self._failed:
                    self._log(f"alert: {self._channel.name}: delivers again")
                self._failed, self._problem, self._overflows = 0, "", False
                self._arrived_at = time.monotonic()
                return True

    def _wait_after(self, error: DeliveryError, until: float) -> None:
        options, was_closing = self._options, self._is_closing
        longest = options.longest_wait
        if was_closing:
            longest = min(longest, options.grace / _LAST_ATTEMPTS)
        wait = varied(wait_before(self._failed + 1, options.first_wait, longest))
        wait = max(wait, min(error.wait, longest))
        if str(error) != self._problem:
            self._problem = str(error)
            self._log(f"alert: {error}; tried again in {wait:.1f} s")
        with self._changed:
            self._failed += 1
            wait = min(wait, max(0.0, until - time.monotonic()) + _TO_BE_OLD)
            # Who may be held up by this line is not any longer.
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._is_over or self._is_closing != was_closing, timeout=wait
            )


def _described(record: Record) -> str:
    """Returns which alert it was: the label, the source and, where it moves, the moment."""
    what = f"{label_text(record['label'])} of {record['source']}"
    if "seconds_without_mask" not in record:
        return what
    return f"{what} at {record.get('wall_time') or format(record['time'], 'g') + ' s'}"
