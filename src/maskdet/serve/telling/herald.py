"""Makes events of what happened: an alert with its picture, a camera that has gone or is back."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.storing.events import Kind
from maskdet.serve.storing.records import Event
from maskdet.serve.storing.store import Store
from maskdet.serve.telling.dispatch import Dispatch
from maskdet.serve.telling.wording import alert_record, state_record

# Trouble is told of when it has lasted, and its end likewise: not each stutter of a radio link.
_TROUBLE, _WELL = timedelta(seconds=15), timedelta(seconds=5)


class Herald:
    """Writes events and rings for their deliveries. May be used from several threads.

    Args:
        store: where events are kept.
        dispatch: what delivers them.
        log: told each event in a line.
    """

    def __init__(
        self,
        store: Store,
        dispatch: Dispatch,
        log: Callable[[str], None],
    ) -> None:
        self._store = store
        self.dispatch = dispatch
        self._log = log
        self._lock = threading.Lock()
        # What was said last of a camera, if it was trouble.
        self._told: dict[str, str] = {}

    def alert(
        self,
        camera: CameraSettings,
        alert: dict[str, Any],
        moment: datetime,
        snapshot: bytes | None,
    ) -> Event | None:
        """Makes an event of an alert.

        Args:
            camera: which.
            alert: see `maskdet.alerts.watch.Watch.alerts`.
            moment: when.
            snapshot: the picture, a JPEG.

        Returns:
            It; ``None`` where it cannot be written.
        """
        record = alert_record(camera, alert, moment)
        keys = self.dispatch.keys(states=False)
        event = self._add("alert", record, moment, keys, snapshot)
        if event is None and snapshot is not None:
            # A full disk may still have room for a row.
            event = self._add("alert", record, moment, keys, None)
        if event is None:
            unwritten = Event(
                0, record["id"], "alert", camera.name, moment, record["label"], record
            )
            self.dispatch.tell_anyway(unwritten, keys)
        return event

    def look_after(
        self, camera: str, state: str, reason: str, since: datetime, *, is_trouble: bool
    ) -> None:
        """Tells of a camera's state once it has lasted; call it every second or so."""
        now = datetime.now().astimezone()
        with self._lock:
            told = self._told.get(camera)
            if is_trouble:
                if told == state or now - since < _TROUBLE:
                    return
                self._told[camera] = state
            else:
                if told is None or state != "live" or now - since < _WELL:
                    return
                del self._told[camera]
        record = state_record(camera, state, reason, now)
        self._add("state", record, now, self.dispatch.keys(states=True), None)

    def _add(
        self,
        kind: Kind,
        record: dict[str, Any],
        moment: datetime,
        channels: tuple[str, ...],
        snapshot: bytes | None,
    ) -> Event | None:
        try:
            event = self._store.add_event(
                kind, record, moment, channels=channels, snapshot=snapshot
            )
        except MaskdetError as error:
            self._log(f"alert: {error}")
            return None
        self._log(record["text"])
        self.dispatch.ring()
        return event
