"""The cameras of a running service: what watches each, what records it, what was counted."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from maskdet.errors import OutputError
from maskdet.serve.hub import Hub
from maskdet.serve.recording.recorder import Recorder
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.settings import Site
from maskdet.serve.watching.reader import Open
from maskdet.serve.watching.turns import Turns
from maskdet.serve.watching.watcher import Handlers, TellAlert, TellState, Watcher

if TYPE_CHECKING:
    from maskdet.serve.storing.counts import Tally

_MINUTES_A_DAY = 1440
# The threads of all cameras have so long to end. Seconds.
TO_END = 1.5


class Cameras:
    """Watches and records them. May be used from several threads.

    Args:
        hub: where they show themselves, with the site and its store.
        turns: who is looked at when.
        log: told, a line at a time, what happens.
        alert: given a camera, the record of an alert, and the picture.
        state: given a camera, its new state and why.
        open_camera: what opens cameras.
    """

    def __init__(
        self,
        hub: Hub,
        turns: Turns,
        log: Callable[[str], None],
        alert: TellAlert,
        state: TellState,
        open_camera: Open,
    ) -> None:
        self._hub = hub
        self._turns = turns
        self._log = log
        self._alert, self._state = alert, state
        self._open = open_camera
        self._lock = threading.RLock()
        self._watchers: dict[str, Watcher] = {}
        self._recorders: dict[str, Recorder] = {}
        self._unwritten: list[Tally] = []

    def watch(self, cameras: Iterable[CameraSettings]) -> None:
        """Begins to watch cameras of the hub's site."""
        with self._lock:
            for camera in cameras:
                self._watch(camera)

    def change(self, site: Site, is_kept: Callable[[CameraSettings], bool]) -> None:
        """Takes another site.

        Args:
            site: what is watched from now on.
            is_kept: tells which of its cameras go on undisturbed.
        """
        with self._lock:
            kept = {camera.name for camera in site.cameras if is_kept(camera)}
            leaving = [name for name in self._watchers if name not in kept]
            watchers = [self._watchers.pop(name) for name in leaving]
            for watcher in watchers:
                watcher.stop()
            # Waited for in all, not each: a device may hold its reader for a while.
            _join(watchers)
            for watcher in watchers:
                self._unwritten += watcher.take_tallies()
            for name in leaving:
                recorder = self._recorders.pop(name, None)
                if recorder is not None:
                    recorder.stop()
            # Whoever comes anew under an old name is told what was counted today.
            self.write_counts()
            for camera in site.cameras:
                self._hub.board_of(camera)
            self._hub.keep_boards(site)
            self.watch(camera for camera in site.cameras if camera.name not in kept)

    def stop(self, between: Callable[[], None]) -> None:
        """Ends all, with everything written.

        Args:
            between: called once no frames come any more, before recordings are finished.
        """
        with self._lock:
            watchers, recorders = list(self._watchers.values()), list(self._recorders.values())
        for watcher in watchers:
            watcher.stop()
        between()
        for recorder in recorders:
            recorder.end()
        until = time.monotonic() + TO_END
        for recorder in recorders:
            recorder.join(max(0.0, until - time.monotonic()))
        _join(watchers)
        self.write_counts()

    def recorder(self, name: str) -> Recorder | None:
        """Returns what records a camera, ``None`` where nothing does."""
        return self._recorders.get(name)

    def tick(self) -> None:
        """Lets every camera look at the clock."""
        with self._lock:
            for watcher in self._watchers.values():
                watcher.tick()

    def write_counts(self) -> str:
        """Writes what was counted; returns why it cannot be, nothing where it can."""
        with self._lock:
            for watcher in self._watchers.values():
                self._unwritten += watcher.take_tallies()
            tallies, self._unwritten = self._unwritten, []
            if not tallies:
                return ""
            try:
                self._hub.store.add_tallies(tallies)
            except OutputError as error:
                # The next time, if there is room; a day of minutes is not much.
                most = _MINUTES_A_DAY * max(1, len(self._watchers))
                self._unwritten = (tallies + self._unwritten)[-most:]
                return str(error)
        return ""

    def _watch(self, camera: CameraSettings) -> None:
        site, store = self._hub.site, self._hub.store
        board = self._hub.board_of(camera)
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        board.set_today(
            store.people_since(midnight, camera.name), store.crossings_since(midnight, camera.name)
        )
        keeper = None
        if camera.recording.mode != "off":
            keeper = Recorder(
                camera,
                store,
                blur=site.privacy.blur_stored,
                log=self._log,
                has_room=self._has_room,
                recording=board.set_recording,
            )
            self._recorders[camera.name] = keeper
            keeper.start()
        watcher = Watcher(
            camera,
            board,
            self._hub.networks,
            self._turns,
            Handlers(self._alert, self._state, keeper),
            timeout=site.timeout,
            blur_live=site.privacy.blur_live,
            cameras=len(site.cameras),
            open_camera=self._open,
        )
        self._watchers[camera.name] = watcher
        watcher.start()

    def _has_room(self) -> bool:
        return not self._hub.counters.is_disk_full


def _join(watchers: Iterable[Watcher]) -> None:
    """Waits for the threads of watchers that were asked to end, a while for all of them."""
    until = time.monotonic() + TO_END
    for watcher in watchers:
        watcher.join(max(0.0, until - time.monotonic()))
