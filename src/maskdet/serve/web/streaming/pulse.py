"""Wakes streams when something has changed: one thread waits for the hub, however many watch."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from maskdet.serve.hub import Hub

# How soon the thread notices that nobody watches any more. Seconds.
_PATIENCE = 1.0


class Pulse:
    """Tells streams of changes. Its thread runs while there are any.

    Args:
        hub: what changes.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._watching: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._is_running = False

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Gives an event that is set at every change, for a stream to wait for and clear."""
        changed = asyncio.Event()
        with self._lock:
            self._watching[changed] = asyncio.get_running_loop()
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="page-pulse", daemon=True).start()
        try:
            yield changed
        finally:
            with self._lock:
                del self._watching[changed]

    def _run(self) -> None:
        version = 0
        while True:
            newer = self._hub.changes(version, _PATIENCE)
            with self._lock:
                if not self._watching:
                    self._is_running = False
                    return
                watching = list(self._watching.items())
            if newer == version:
                continue
            version = newer
            for changed, loop in watching:
                # A loop that has ended has nobody to wake.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(changed.set)
