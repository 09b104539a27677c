"""One camera watched: alerts, gaps, losses, counts; the bundled networks, a camera that obeys."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.media.frames import Frame
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source
from maskdet.serve.showing.board import Board
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.camera_settings import CameraAlerts, CameraSettings, Hours
from maskdet.serve.watching import reader
from maskdet.serve.watching.networks import Networks
from maskdet.serve.watching.reader import Open
from maskdet.serve.watching.turns import Turns
from maskdet.serve.watching.watcher import Handlers, Watcher
from mjpeg_server import serving
from watched_cameras import ScriptedCamera, wait_for

Image = NDArray[np.uint8]


@pytest.fixture
def bare(samples: Path) -> Image:
    """A small picture of a bare face."""
    return cv2.resize(cv2.imread(str(samples / "astronaut.jpg")), (240, 240))


class Watched:
    """A watcher with its board, and what it has told."""

    def __init__(
        self, networks: Networks, source: str = "0", opener: Open | None = None, **settings: Any
    ) -> None:
        self.camera = ScriptedCamera()
        self.settings = CameraSettings("door", source, **settings)
        self.board = Board(self.settings, networks.labels)
        self.alerts: list[dict[str, Any]] = []
        self.faults: list[BaseException] = []
        self.turns = Turns(1, self.faults.append)
        handlers = Handlers(
            lambda _, record, __: self.alerts.append(record), lambda _, __, ___: None
        )
        self.watcher = Watcher(
            self.settings, self.board, networks, self.turns, handlers, timeout=1,
            open_camera=opener or self.camera.open,
        )  # fmt: skip

    def show(self, image: Image, times: int = 1) -> None:
        """Shows a picture, and waits until it was looked at."""
        for _ in range(times):
            seen = self.board.status().frames_seen
            self.camera.show(image)
            wait_for(lambda: self.board.status().frames_seen > seen or self.faults)  # noqa: B023
        assert not self.faults


@pytest.fixture
def watched(networks: Networks) -> Iterator[Watched]:
    """A camera that raises an alert for everybody without a mask at once."""
    made = Watched(networks, alerts=CameraAlerts(after=0))
    made.turns.start()
    made.watcher.start()
    yield made
    made.watcher.stop()
    made.turns.stop(5)
    made.watcher.join(5)


def test_a_person_is_told_of_once_and_counted(watched: Watched, bare: Image) -> None:
    """Frames become numbers, a face in them one alert and one count a frame."""
    watched.show(bare, 5)
    status = watched.board.status()
    assert (status.state, status.frames_seen, status.frames_dropped) == (CameraState.LIVE, 5, 0)
    assert status.faces == {"without_mask": 1}
    assert set(status.seconds) == {"wait", "faces", "classify"}
    assert [alert["label"] for alert in watched.alerts] == ["without_mask"]
    tallies = watched.watcher.take_tallies()
    assert sum(tally.frames for tally in tallies) == 5
    assert sum(tally.faces["without_mask"] for tally in tallies) == 5
    assert watched.watcher.take_tallies() == []


def test_a_lost_camera_comes_back_and_whoever_is_there_is_new(
    watched: Watched, bare: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened again for ever, says so, and tells of the person before it once more."""
    monkeypatch.setattr(reader, "FIRST_WAIT", 0.01)
    watched.show(bare, 2)
    watched.camera.plug(is_in=False)
    wait_for(lambda: watched.board.state is CameraState.DOWN)
    wait_for(lambda: "plugged" in watched.board.status().reason)
    opened = watched.camera.openings
    wait_for(lambda: watched.camera.openings > opened + 1)
    assert watched.board.status().faces == {}
    watched.camera.plug(is_in=True)
    watched.show(bare, 2)
    status = watched.board.status()
    assert (status.state, status.reconnects) == (CameraState.LIVE, 1)
    assert len(watched.alerts) == 2


def test_a_camera_stays_lost_while_its_last_frame_is_looked_at(
    networks: Networks, bare: Image
) -> None:
    """What came before the loss is seen after it, and brings the camera not back."""
    watched = Watched(networks)
    source = watched.camera.open("door=0", ReadOptions())
    for moment in (0.0, 0.2):
        watched.watcher.take(source, Frame("door", 0, moment, bare, datetime.now().astimezone()))
        if moment == 0.0:
            watched.watcher.look()
            assert watched.board.state is CameraState.LIVE
    watched.camera.plug(is_in=False)
    watched.watcher.start()
    wait_for(lambda: watched.board.state is CameraState.DOWN)
    watched.watcher.look()
    assert watched.board.status().frames_seen == 2
    assert watched.board.state is CameraState.DOWN
    watched.watcher.stop()
    watched.watcher.join(5)


def test_time_in_a_gap_does_not_count(networks: Networks, bare: Image) -> None:
    """A person before and after a gap was not bare during it, and is a new one after it."""
    watched = Watched(networks, alerts=CameraAlerts(after=1.0))
    source = watched.camera.open("door=0", ReadOptions())
    for moment in (0.0, 0.3, 0.6, 20.0, 20.3, 20.6):
        frame = Frame("door", 0, moment, bare, datetime.now().astimezone())
        watched.watcher.take(source, frame)
        watched.watcher.look()
    assert watched.alerts == []
    for moment in (20.9, 21.2):
        frame = Frame("door", 0, moment, bare, datetime.now().astimezone())
        watched.watcher.take(source, frame)
        watched.watcher.look()
    assert len(watched.alerts) == 1


def test_a_camera_sleeps_outside_its_hours(networks: Networks) -> None:
    """It is not opened, and says that it is asleep; when its time comes it is."""
    tomorrow = (datetime.now() + timedelta(days=2)).weekday()
    midnight = datetime.min.time()
    watched = Watched(networks, hours=(Hours(frozenset({tomorrow}), midnight, midnight),))
    watched.watcher.start()
    assert watched.board.state is CameraState.ASLEEP
    assert watched.camera.openings == 0
    watched.watcher.stop()
    watched.watcher.join(5)


def test_frames_are_turned_upright(networks: Networks, bare: Image) -> None:
    """A camera that hangs on its side shows people on their feet."""
    watched = Watched(networks, rotate=90)
    watched.turns.start()
    watched.watcher.start()
    watched.show(cv2.rotate(bare, cv2.ROTATE_90_COUNTERCLOCKWISE))
    picture = watched.board.picture()
    assert picture is not None
    assert (picture.image == bare).all()
    assert picture.detections.predicted_labels == ["without_mask"]
    watched.watcher.stop()
    watched.turns.stop(5)
    watched.watcher.join(5)


def test_no_more_frames_than_asked_are_looked_at(networks: Networks, bare: Image) -> None:
    """A rate that is asked for is kept; what is left out on purpose is not called dropped."""
    watched = Watched(networks, frame_rate=0.1)
    watched.turns.start()
    watched.watcher.start()
    watched.show(bare)
    watched.camera.show(*[bare] * 20)
    status = watched.board.status()
    assert (status.frames_seen, status.frames_read, status.frames_dropped) == (1, 1, 0)
    watched.watcher.stop()
    watched.turns.stop(5)
    watched.watcher.join(5)


@pytest.mark.server
def test_a_real_camera_that_is_killed_and_restarted(
    networks: Networks, bare: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream over HTTP that breaks off is down, and live again when its server is back."""
    monkeypatch.setattr(reader, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(reader, "LONGEST_WAIT", 0.2)
    picture = tmp_path / "door.jpg"
    cv2.imwrite(str(picture), bare)
    with serving(picture) as url:
        watched = Watched(networks, source=url, opener=open_source)
        watched.turns.start()
        watched.watcher.start()
        wait_for(lambda: watched.board.status().frames_seen > 2)
        assert watched.board.state is CameraState.LIVE
        assert watched.board.status().faces == {"without_mask": 1}
    wait_for(lambda: watched.board.state is CameraState.DOWN)
    seen = watched.board.status().frames_seen
    with serving(picture, port=int(url.split(":")[2].split("/")[0])):
        wait_for(lambda: watched.board.state is CameraState.LIVE)
        assert watched.board.status().frames_seen > seen
        watched.watcher.stop()
        watched.turns.stop(5)
        watched.watcher.join(5)
    assert not watched.faults
