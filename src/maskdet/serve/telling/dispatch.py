"""Delivers what waits on disk, each channel by itself, until it arrives or is too old."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from maskdet.alerts.channels import DeliveryError
from maskdet.errors import MaskdetError
from maskdet.serve.storing.events import Delivery
from maskdet.serve.storing.records import Event
from maskdet.serve.storing.store import Store
from maskdet.serve.telling.channels import Way
from maskdet.waits import varied, wait_before

# Between two attempts. Seconds.
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
# Between two attempts to write, on a disk that was full, and of what is in memory alone. Seconds.
_DISK_WAIT = 10.0
# More than so many alerts do not wait in memory; the oldest is lost.
_MOST = 1000
# So long a thread may take to end. Seconds.
_TO_END = 1.5


class Dispatch:
    """Delivers events. They wait in the store, so nothing is lost when the process ends.

    An event that was delivered while the process was killed is delivered once more afterwards: its
    ``id`` is the same.

    Args:
        store: where they wait.
        ways: the channels.
        keep: an event older than this is given up, in seconds.
        log: told what failed, and that it works again.
        count: told ``delivered``, ``failed`` or ``given_up`` and of which channel.
    """

    def __init__(
        self,
        store: Store,
        ways: Sequence[Way],
        keep: float,
        log: Callable[[str], None],
        count: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self.ways = tuple(ways)
        self._keep = keep
        self._log = log
        self._count = count
        self._is_over = threading.Event()
        self._bells = {way.key: threading.Event() for way in ways}
        # What could not be written: alerts, and that one has arrived.
        self._unwritten: dict[str, deque[Event]] = {way.key: deque(maxlen=_MOST) for way in ways}
        self._arrived: set[tuple[str, int]] = set()
        self._threads = [
            threading.Thread(target=self._work, args=(way,), name=f"telling {way.key}", daemon=True)
            for way in ways
        ]

    def start(self) -> None:
        """Begins to deliver, first what an earlier run has left."""
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """Says that there is something new."""
        for bell in self._bells.values():
            bell.set()

    def tell_anyway(self, event: Event, keys: Sequence[str]) -> None:
        """Delivers an event that cannot be written: a full disk is no reason to be silent."""
        for key in keys:
            self._unwritten[key].append(event)
        self.ring()

    def stop(self) -> None:
        """Ends soon; what waits goes on waiting on disk."""
        self._is_over.set()
        self.ring()
        until = time.monotonic() + _TO_END
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for way in self.ways:
            way.channel.close()

    def keys(self, *, states: bool) -> tuple[str, ...]:
        """Returns the channels that are told of alerts, or of states."""
        return tuple(way.key for way in self.ways if way.states or not states)

    def _work(self, way: Way) -> None:
        bell, problem = self._bells[way.key], ""
        while not self._is_over.is_set():
            bell.clear()
            if self._unwritten[way.key]:
                self._try_unwritten(way)
                continue
            delivery = self._store.next_delivery(way.key)
            if delivery is None:
                bell.wait()
                continue
            wait = delivery.due - time.time()
            # A clock that was set back is not waited for.
            if 0 < wait <= 2 * LONGEST_WAIT:
                self._is_over.wait(wait)
                if self._is_over.is_set():
                    return
            try:
                problem = self._try(way, delivery, problem)
            except MaskdetError as error:
                if str(error) != problem:
                    self._log(f"alert: {error}")
                problem = str(error)
                self._is_over.wait(_DISK_WAIT)

    def _try(self, way: Way, delivery: Delivery, problem: str) -> str:
        """Tries once; returns what is wrong with the channel, nothing if it works."""
        if (way.key, delivery.event.number) in self._arrived:
            # All that is left is to write it down.
            self._finish(way, delivery)
            return problem
        now = time.time()
        text = delivery.event.record.get("text", delivery.event.id)
        if now - delivery.event.time.timestamp() > self._keep:
            self._log(f"alert: {way.channel.name}: too old to be delivered: {text}")
            self._count("given_up", way.key)
            self._store.finish(delivery, way.key)
            return problem
        try:
            way.channel.deliver(self._record(delivery))
        except DeliveryError as error:
            if self._is_over.is_set():
                return problem
            self._count("failed", way.key)
            if error.is_final:
                self._log(f"alert: {error}; not delivered: {text}")
                self._count("given_up", way.key)
                self._store.finish(delivery, way.key)
                return ""
            wait = wait_before(delivery.attempts + 1, FIRST_WAIT, LONGEST_WAIT)
            wait = max(varied(wait), min(error.wait, LONGEST_WAIT))
            self._store.postpone(delivery, way.key, now + wait)
            if str(error) != problem:
                self._log(f"alert: {error}; tried again in {wait:.1f} s")
            return str(error)
        self._count("delivered", way.key)
        self._arrived.add((way.key, delivery.event.number))
        self._finish(way, delivery)
        if problem:
            self._log(f"alert: {way.channel.name}: delivers again")
        return ""

    def _finish(self, way: Way, delivery: Delivery) -> None:
        self._store.finish(delivery, way.key)
        self._arrived.discard((way.key, delivery.event.number))

    def _try_unwritten(self, way: Way) -> None:
        event = self._unwritten[way.key][0]
        try:
            way.channel.deliver({**event.record, "snapshot": None})
        except DeliveryError as error:
            self._count("failed", way.key)
            age = time.time() - event.time.timestamp()
            if not error.is_final and age < self._keep:
                self._is_over.wait(_DISK_WAIT)
                return
            self._count("given_up", way.key)
            self._log(f"alert: {error}; not delivered: {event.record.get('text', event.id)}")
        else:
            self._count("delivered", way.key)
        self._unwritten[way.key].popleft()

    def _record(self, delivery: Delivery) -> dict[str, Any]:
        """Returns what is delivered; the picture as a file of this machine."""
        event = delivery.event
        path = self._store.snapshot_path(event.id) if event.has_snapshot else None
        return {**event.record, "snapshot": None if path is None else str(path.resolve())}
