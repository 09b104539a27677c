"""Where all of a running service meets: the web server asks here, and nowhere else.

A `Hub` is made of a site, its store and the networks; cameras write upon their boards. Every method
may be called from any thread, and none waits for a camera or for a network but those that say so.
"""

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from maskdet.detections import Detections
from maskdet.media.frames import UInt8Array
from maskdet.serve.showing.board import Board
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState, CameraStatus, Counters
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.settings import Site
from maskdet.serve.storing.store import Store
from maskdet.serve.watching.networks import Networks


class Hub:
    """A running service, as it is seen from outside.

    Args:
        site: what is watched.
        store: its memory.
        networks: for pictures that are posted.

    Attributes:
        site: likewise; another one after the site file was read again.
        store: likewise.
        networks: likewise.
    """

    def __init__(self, site: Site, store: Store, networks: Networks) -> None:
        self.site = site
        self.store = store
        self.networks = networks
        self._condition = threading.Condition()
        self._version = 0
        self._boards: dict[str, Board] = {}
        self._counters = Counters(datetime.now().astimezone())
        self._counted: dict[str, Counter[str]] = {
            name: Counter() for name in ("alerts", "delivered", "failed", "given_up")
        }

    # What the web server asks.

    def cameras(self) -> list[CameraStatus]:
        """Returns how every camera is, in the order of the site file."""
        with self._condition:
            boards = list(self._boards.values())
        return [board.status() for board in boards]

    def camera(self, name: str) -> CameraStatus | None:
        """Returns how a camera is, ``None`` for one that there is not."""
        board = self._board(name)
        return None if board is None else board.status()

    def picture(self, name: str, after: int = 0, timeout: float = 0.0) -> LivePicture | None:
        """Returns a camera's newest picture, once its number is above another's.

        Args:
            name: the camera.
            after: number of the picture that is known already; 0 for none.
            timeout: for how long to wait, in seconds.

        Returns:
            It; ``None`` where none came in time, or there is no such camera.
        """
        board = self._board(name)
        return None if board is None else board.picture(after, timeout)

    def changes(self, after: int, timeout: float) -> int:
        """Waits for anything to change that `snapshot_numbers` tells.

        Args:
            after: what this method returned before; 0 at first.
            timeout: for how long to wait, in seconds.

        Returns:
            A number that is above `after` if something changed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._version > after, timeout)
            return self._version

    def snapshot_numbers(self) -> dict[str, Any]:
        """Returns the numbers that a page shows live, JSON-ready."""
        return {
            "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "labels": list(self.networks.labels),
            "cameras": [
                {
                    "name": camera.name,
                    "state": camera.state.value,
                    "reason": camera.reason,
                    "since": camera.since.isoformat(timespec="seconds"),
                    "frame_rate": camera.frame_rate,
                    "faces": dict(camera.faces),
                    "people_today": dict(camera.people_today),
                    "crossings": {
                        line: {"in": dict(crossed.inward), "out": dict(crossed.outward)}
                        for line, crossed in camera.crossings.items()
                    },
                    "recording": camera.recording,
                }
                for camera in self.cameras()
            ],
            "last_event": self.last_event,
            "is_disk_full": self.counters.is_disk_full,
        }

    @property
    def last_event(self) -> int:
        """Number of the newest event, 0 for none: a page that knows a smaller one asks again."""
        newest = self.store.events(limit=1)
        return newest[0].number if newest else 0

    @property
    def counters(self) -> Counters:
        """What the service as a whole has counted."""
        waiting = self.store.waiting()
        with self._condition:
            counted = {name: dict(counter) for name, counter in self._counted.items()}
            return replace(
                self._counters,
                waiting=waiting,
                alerts=counted["alerts"],
                delivered=counted["delivered"],
                failed=counted["failed"],
                given_up=counted["given_up"],
            )

    @property
    def is_ready(self) -> bool:
        """Whether every camera has been tried, so that what is shown is how things are."""
        return all(camera.state is not CameraState.STARTING for camera in self.cameras())

    def analyse(self, image: UInt8Array) -> Detections:
        """Looks at a posted picture; takes as long as the networks do.

        Args:
            image: (H, W, 3) uint8 BGR.
        """
        return self.networks.analyse(image)

    def explain(self, image: UInt8Array) -> tuple[Detections, UInt8Array]:
        """Looks at a posted picture and shows why; see `Networks.explain`.

        Raises:
            NoMapsError: the classifier was exported without maps.
        """
        return self.networks.explain(image)

    # What the watching part writes.

    def board_of(self, settings: CameraSettings) -> Board:
        """Adds a camera, or takes up its board where there is one with these settings."""
        with self._condition:
            board = self._boards.get(settings.name)
            if board is None or board.settings != settings:
                board = Board(settings, self.networks.labels, self.note_change)
                self._boards[settings.name] = board
        self.note_change()
        return board

    def keep_boards(self, site: Site) -> None:
        """Takes another site: cameras that it has not are forgotten, the others in its order."""
        with self._condition:
            self.site = site
            self._boards = {
                camera.name: self._boards[camera.name]
                for camera in site.cameras
                if camera.name in self._boards
            }
        self.note_change()

    def count(self, what: str, name: str) -> None:
        """Adds one to ``alerts``, ``delivered``, ``failed`` or ``given_up`` of a name."""
        with self._condition:
            self._counted[what][name] += 1

    def set_disk(self, *, is_full: bool, stored_bytes: int) -> None:
        """Notes whether there is room to record, and what is taken."""
        with self._condition:
            self._counters = replace(
                self._counters, is_disk_full=is_full, stored_bytes=stored_bytes
            )
        self.note_change()

    def note_change(self) -> None:
        """Wakes whoever waits for a change."""
        with self._condition:
            self._version += 1
            self._condition.notify_all()

    def _board(self, name: str) -> Board | None:
        with self._condition:
            return self._boards.get(name)
