"""A running service: everything that has a thread, begun and ended together."""

import threading
import time
from collections.abc import Callable
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.files.holding import hold_folder
from maskdet.media.heaps import give_back_memory
from maskdet.media.sources import open_source
from maskdet.serve.hub import Hub
from maskdet.serve.running.cameras import TO_END, Cameras
from maskdet.serve.showing.jpeg import jpeg
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.settings import Site
from maskdet.serve.storing.retention import Retention
from maskdet.serve.storing.store import Store
from maskdet.serve.telling.channels import ways_of
from maskdet.serve.telling.dispatch import Dispatch
from maskdet.serve.telling.herald import Herald
from maskdet.serve.telling.mqtt import Broker
from maskdet.serve.watching.networks import Networks
from maskdet.serve.watching.reader import Open
from maskdet.serve.watching.turns import Turns

# How often the clock is looked at, counts are written, and old files are looked for. Seconds.
_TICK, _WRITE, _SWEEP = 1.0, 5.0, 30.0
_SNAPSHOT_QUALITY = 85


class Service:
    """Watches a site. A context manager.

    Args:
        site: what is watched.
        log: told, a line at a time, what happens.
        networks: what looks at frames; ``None`` for loading the site's own.
        open_camera: what opens cameras.

    Attributes:
        hub: what it shows.

    Raises:
        MaskdetError: the folder cannot be written, another service writes there, or a network or
            a channel cannot be used.
    """

    def __init__(
        self,
        site: Site,
        log: Callable[[str], None],
        networks: Networks | None = None,
        open_camera: Open = open_source,
    ) -> None:
        self._log = log
        self._held = hold_folder(
            site.folder, "lock", f"{site.folder}: another maskdet serve writes there"
        )
        self.store = Store(site.folder)
        networks = networks or Networks(site.networks, site.min_confidence, log)
        self.hub = Hub(site, self.store, networks)
        self._turns = Turns(networks.workers, self._failed)
        self._retention = Retention(self.store, site.retention)
        self._over = threading.Event()
        self._fault: BaseException | None = None
        self._cameras = Cameras(self.hub, self._turns, log, self._alert, self._state, open_camera)
        self._problem = ""
        self._lock = threading.RLock()
        self._ticking = threading.Thread(target=self._tick, name="ticking", daemon=True)
        self._beat = time.monotonic()
        self._broker: Broker | None = None
        self._herald = self._new_herald(site)

    def start(self) -> None:
        """Begins to watch."""
        for line in self._retention.find_again():
            self._log(line)
        self._turns.start()
        self._start_telling()
        self._cameras.watch(self.hub.site.cameras)
        self._ticking.start()

    def stop(self) -> None:
        """Ends it, with everything written."""
        self._over.set()
        self._cameras.stop(lambda: self._turns.stop(TO_END))
        if self._ticking.is_alive():
            self._ticking.join(TO_END)
        self._herald.dispatch.stop()
        self.close()

    def close(self) -> None:
        """Lets go of the folder; for a service that was never begun."""
        self.store.close()
        self._held.release()

    def __enter__(self) -> "Service":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def fault(self) -> BaseException | None:
        """A fault of the program that ended a part of it."""
        return self._fault

    @property
    def is_alive(self) -> bool:
        """Whether its clock goes, so that it need not be started again."""
        return time.monotonic() - self._beat < 10 * _TICK

    def reload(self, site: Site) -> None:
        """Takes another site without losing a camera that is in both.

        What cannot change while it runs, the folder, the networks and the server's address, stays.

        Args:
            site: read again.

        Raises:
            MaskdetError: a channel cannot be used; all stays as it was.
        """
        before = self.hub.site
        for what in ("folder", "networks", "min_confidence", "server"):
            if getattr(before, what) != getattr(site, what):
                self._log(f"{what}: has changed; start again for that")
        told = before.notifications != site.notifications
        herald = self._new_herald(site) if told else None
        with self._lock:
            if herald is not None:
                self._herald.dispatch.stop()
                self._herald = herald
                self._start_telling()
            self._retention.settings = site.retention
            known = {camera.name: camera for camera in before.cameras}
            is_same = before.privacy == site.privacy and before.timeout == site.timeout
            self._cameras.change(site, lambda camera: is_same and known.get(camera.name) == camera)
            self._introduce()

    # What watchers tell.

    def _alert(self, camera: CameraSettings, alert: dict[str, Any], picture: LivePicture) -> None:
        event = self._herald.alert(camera, alert, picture.time, self._snapshot(picture))
        self.hub.count("alerts", camera.name)
        recorder = self._cameras.recorder(camera.name)
        if event is not None and event.number and recorder is not None:
            recorder.keep(event)
        self.hub.note_change()

    def _snapshot(self, picture: LivePicture) -> bytes:
        image = picture.annotated(blur=self.hub.site.privacy.blur_stored)
        return jpeg(image, _SNAPSHOT_QUALITY)

    def _state(self, camera: CameraSettings, state: CameraState, why: str) -> None:
        self._log(f"{camera.name}: {state.value}{f' ({why})' if why else ''}")

    def _failed(self, fault: BaseException) -> None:
        # Said once, with its traceback, by whoever waits for the service.
        self._fault = self._fault or fault

    # Telling.

    def _new_herald(self, site: Site) -> Herald:
        settings = site.notifications
        broker = None
        if settings.mqtt is not None:
            broker = Broker(settings.mqtt, settings.timeout, self._log)
        ways = ways_of(settings, broker)
        dispatch = Dispatch(self.store, ways, settings.keep, self._log, self.hub.count)
        self._broker = broker
        return Herald(self.store, dispatch, self._log)

    def _start_telling(self) -> None:
        dispatch = self._herald.dispatch
        forgotten = self.store.forget_channels([way.key for way in dispatch.ways])
        if forgotten:
            self._log(f"alerts: {forgotten} waited for a channel that there is no more")
        if self._broker is not None:
            self._broker.start()
        self._introduce()
        dispatch.start()

    def _introduce(self) -> None:
        if self._broker is not None:
            labels = self.hub.networks.labels
            self._broker.introduce([(camera.name, labels) for camera in self.hub.site.cameras])

    # The clock.

    def _tick(self) -> None:
        written = swept = time.monotonic()
        self._sweep()
        while not self._over.wait(_TICK):
            now = self._beat = time.monotonic()
            try:
                self._cameras.tick()
                self._look_after()
                if now - written >= _WRITE:
                    written = now
                    if problem := self._cameras.write_counts():
                        self._say(problem)
                if now - swept >= _SWEEP:
                    swept = now
                    self._sweep()
            except MaskdetError as error:
                self._say(str(error))

    def _look_after(self) -> None:
        for camera in self.hub.cameras():
            self._herald.look_after(
                camera.name,
                camera.state.value,
                camera.reason,
                camera.since,
                is_trouble=camera.state.is_trouble,
            )
            if self._broker is not None:
                self._broker.show(
                    camera.name, camera.state.value, dict(camera.faces), dict(camera.people_today)
                )

    def _sweep(self) -> None:
        done = self._retention.sweep()
        if done.is_full != self.hub.counters.is_disk_full:
            self._log(
                "recording: stops, the disk is full"
                if done.is_full
                else "recording: goes on, there is room again"
            )
        self.hub.set_disk(is_full=done.is_full, stored_bytes=done.stored_bytes)
        give_back_memory()

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._log(problem)
