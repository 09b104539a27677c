"""Real cameras of the network, killed, halted, frozen and begun again: what is seen and told."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.media.sources import open_source
from maskdet.serve.showing.board import Board
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.camera_settings import CameraAlerts, CameraSettings
from maskdet.serve.watching import reader
from maskdet.serve.watching.networks import Networks
from maskdet.serve.watching.turns import Turns
from maskdet.serve.watching.watcher import Handlers, Watcher
from mjpeg_server import serving as serving_mjpeg
from rtsp_process import address_at, free_port, serving, skip_without_server
from watched_cameras import wait_for

pytestmark = pytest.mark.server

SIDE = 240
# How long somebody must have been seen bare. Seconds.
AFTER = 1.0


class Street:
    """Cameras that are watched together, and what is told of them."""

    def __init__(self, networks: Networks) -> None:
        self.boards: dict[str, Board] = {}
        self.alerts: list[tuple[float, dict[str, Any]]] = []
        self._faults: list[BaseException] = []
        self._networks = networks
        self._turns = Turns(2, self._faults.append)
        self._watchers: list[Watcher] = []

    def add(self, name: str, source: str, **settings: Any) -> Board:
        """Watches one more camera; returns its board."""
        camera = CameraSettings(
            name, source, frame_rate=10, alerts=CameraAlerts(after=AFTER), **settings
        )
        board = self.boards[name] = Board(camera, self._networks.labels)
        told = Handlers(self._alert, lambda _, __, ___: None)
        watcher = Watcher(
            camera, board, self._networks, self._turns, told, timeout=1.0, open_camera=open_source
        )
        self._watchers.append(watcher)
        watcher.start()
        return board

    def _alert(self, camera: CameraSettings, record: dict[str, Any], _: object) -> None:
        self.alerts.append((time.monotonic(), {**record, "camera": camera.name}))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks at cameras while the context lasts."""
        self._turns.start()
        try:
            yield
        finally:
            for watcher in self._watchers:
                watcher.stop()
            self._turns.stop(5)
            for watcher in self._watchers:
                watcher.join(5)
        assert not self._faults


@pytest.fixture
def face(samples: Path) -> NDArray[np.uint8]:
    """A small picture of a bare face."""
    return cv2.resize(cv2.imread(str(samples / "astronaut.jpg")), (SIDE, SIDE))


@pytest.fixture
def street(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Nobody yet; what is lost is tried again soon."""
    monkeypatch.setattr(reader, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(reader, "LONGEST_WAIT", 0.2)
    made = Street(networks)
    with made.watched():
        yield made


def put(picture: Path, image: NDArray[np.uint8]) -> None:
    """Writes a picture at once, not bit by bit."""
    new = picture.with_suffix(".new.jpg")
    cv2.imwrite(str(new), image)
    new.replace(picture)


@pytest.mark.parametrize("how", ["killed", "halted"])
def test_a_gap_of_one_camera(
    how: str, street: Street, face: NDArray[np.uint8], tmp_path: Path
) -> None:
    """It is down, and live again; the other goes on; whoever stays was not bare meanwhile."""
    skip_without_server()
    raw = tmp_path / "face.i420"
    raw.write_bytes(cv2.cvtColor(face, cv2.COLOR_BGR2YUV_I420).tobytes())
    put(tmp_path / "gate.jpg", np.full((60, 80, 3), 90, np.uint8))
    port, picture = free_port(), (str(raw), str(SIDE))
    with serving_mjpeg(tmp_path / "gate.jpg") as gate_url:
        gate = street.add("gate", gate_url)
        with serving(port, *picture) as server:
            door = street.add("door", address_at(port))
            wait_for(lambda: door.status().faces == {"without_mask": 1})
            assert door.state is CameraState.LIVE
            # Seen, but not for long enough.
            told = len(street.alerts)
            if how == "halted":
                server.send_signal(signal.SIGSTOP)
                wait_for(lambda: door.state is CameraState.DOWN)
        wait_for(lambda: door.state is CameraState.DOWN)
        assert door.status().faces == {}
        lost_at, seen = time.monotonic(), gate.status().frames_seen
        # For longer than what raises an alert.
        wait_for(lambda: time.monotonic() > lost_at + AFTER)
        assert gate.status().frames_seen > seen
        assert gate.state is not CameraState.DOWN
        assert len(street.alerts) == told
        with serving(port, *picture):
            wait_for(lambda: door.status().faces == {"without_mask": 1})
            back_at = time.monotonic()
            assert door.status().reconnects == 1
            wait_for(lambda: len(street.alerts) > told)
    told_at, alert = street.alerts[-1]
    assert alert["camera"] == "door"
    # Counted from the return on, not from before the gap.
    assert told_at > back_at + AFTER - 0.5
    assert AFTER <= alert["seconds_without_mask"] <= told_at - back_at + 0.5


def test_a_frozen_camera_thaws(street: Street, face: NDArray[np.uint8], tmp_path: Path) -> None:
    """The same picture for long is told of as frozen; the next different one is live."""
    picture = tmp_path / "door.jpg"
    put(picture, face)
    with serving_mjpeg(picture) as url:
        door = street.add("door", url, frozen_after=0.5)
        wait_for(lambda: door.state is CameraState.FROZEN)
        assert "same picture" in door.status().reason
        assert door.status().faces == {}
        put(picture, cv2.flip(face, 1))
        wait_for(lambda: door.state is CameraState.LIVE)
        assert door.status().reconnects == 0
