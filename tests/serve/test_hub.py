"""What the web server asks of a running service."""

import threading
from collections import Counter
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.detections import Detections
from maskdet.serve.hub import Hub
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.reading import site_of_sources
from maskdet.serve.storing.store import Store
from maskdet.serve.watching.networks import Networks
from maskdet.vision.networks import NetworkOptions

LABELS = ("with_mask", "without_mask")


@pytest.fixture(scope="module")
def networks() -> Networks:
    """The bundled networks."""
    return Networks(NetworkOptions())


@pytest.fixture
def hub(tmp_path: Path, networks: Networks) -> Hub:
    """A hub of two cameras that nobody watches."""
    site = site_of_sources(["door=0", "gate=rtsp://me:hunter2@camera/1"], tmp_path)
    hub = Hub(site, Store(tmp_path), networks)
    for camera in site.cameras:
        hub.board_of(camera)
    return hub


def picture(number: int, *, bare: int = 1) -> LivePicture:
    """Makes a picture of grey with faces side by side."""
    boxes = np.array([[20 * n, 10, 20 * n + 16, 30] for n in range(bare)], np.float32)
    shares = np.tile(np.array([[0.1, 0.9]], np.float32), (bare, 1))
    faces = Detections(LABELS, boxes.reshape(-1, 4), np.ones(bare, np.float32), shares, shares)
    image = np.full((60, 80, 3), 128, np.uint8)
    image[10:30, 0:16:2] = 255
    return LivePicture(number, datetime.now().astimezone(), image, faces, faces.xyxy)


def test_a_picture_is_waited_for(hub: Hub) -> None:
    """A viewer gets the newest picture at once, and the next one when it comes."""
    board = hub.board_of(hub.site.cameras[0])
    assert hub.picture("door") is None
    board.publish(picture(1), 0.01, {"faces": 0.02})
    newest = hub.picture("door")
    assert newest is not None
    thread = threading.Timer(0.05, board.publish, (picture(2), 0.01, {"faces": 0.03}))
    thread.start()
    following = hub.picture("door", after=newest.number, timeout=10)
    thread.join()
    assert following is not None
    assert following.number == 2
    assert hub.picture("no such") is None


def test_a_camera_says_how_it_is_without_its_password(hub: Hub) -> None:
    """States, counters and people are told by camera; a password is in none of it."""
    board = hub.board_of(hub.site.cameras[1])
    assert not hub.is_ready
    version = hub.changes(0, 0)
    assert board.set_state(CameraState.LIVE)
    assert hub.changes(version, 0) > version
    board.count_read(dropped=False)
    board.publish(picture(1, bare=2), 0.04, {"faces": 0.02})
    board.add_people(Counter({"without_mask": 2}))
    status = hub.camera("gate")
    assert status is not None
    assert (status.state, status.frames_read, status.frames_seen) == (CameraState.LIVE, 1, 1)
    assert (status.faces, status.people_today) == ({"without_mask": 2}, {"without_mask": 2})
    assert (status.width, status.height, status.latency) == (80, 60, 0.04)
    assert "hunter2" not in repr(status)
    board.set_state(CameraState.DOWN, "gone")
    numbers = hub.snapshot_numbers()["cameras"][1]
    assert (numbers["state"], numbers["reason"], numbers["faces"]) == ("down", "gone", {})


def test_a_picture_is_drawn_once_for_all_viewers() -> None:
    """Boxes are drawn upon a copy, scaled as asked, and encoded once for each size."""
    shown = picture(1)
    before = shown.image.copy()
    data = shown.jpeg(width=40, quality=60)
    assert shown.jpeg(width=40, quality=60) is data
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (30, 40, 3)
    assert (shown.image == before).all()
    assert (shown.annotated() != before).any()
    inside = np.s_[14:26, 3:13]
    assert (shown.annotated(blur=True)[inside].std() < before[inside].std() / 2).all()


def test_posted_pictures_are_looked_at_and_explained(hub: Hub, samples: Path) -> None:
    """A photograph's face is found; the heat map changes its face, and nothing else."""
    image = cv2.imread(str(samples / "astronaut.jpg"))
    found = hub.analyse(image)
    assert found.predicted_labels == ["without_mask"]
    faces, shown = hub.explain(image)
    assert faces.predicted_labels == ["without_mask"]
    changed = np.argwhere((shown != image).any(axis=2))
    left, top, right, bottom = faces.xyxy[0]
    margin = (right - left) * 0.6
    assert len(changed) > 0
    assert (changed.min(axis=0) >= [top - margin, left - margin]).all()
    assert (changed.max(axis=0) <= [bottom + margin, right + margin]).all()
