"""A shop with two cameras for the tests of the page: a real hub and store, frames by hand."""

import base64
import hashlib
import io
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from command_line import SAMPLES
from maskdet.serve.hub import Hub
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.reading import site_of_sources
from maskdet.serve.storing.counts import Tally
from maskdet.serve.storing.store import Store
from maskdet.serve.storing.videos import begin_video, end_video
from maskdet.serve.telling.wording import alert_record, state_record
from maskdet.serve.watching.networks import Networks

if TYPE_CHECKING:
    from maskdet.detections import Detections

Image = NDArray[np.uint8]

USER, PASSWORD = "anna", "correct horse"
# Of the second camera's address.
SECRET = "hunter2"
DOOR, GATE = "Front door", "Gate"
# Positions of the faces that the door's camera shows in turn, and seconds between two frames.
STEPS, PACE = 6, 0.1
_SIZE = 320


def add_cheap_user(path: Path) -> None:
    """Writes a users file with a hash that costs no time to check (N = 16)."""
    salt = bytes(16)
    digest = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=16, r=8, p=1, dklen=32)
    words = [base64.b64encode(data).decode() for data in (salt, digest)]
    path.write_text(json.dumps({USER: f"scrypt:16:8:1:{words[0]}:{words[1]}"}))


@cache
def shown(step: int) -> Image:
    """Returns a picture of a masked and a bare face, whose place depends on the step."""
    names = "astronaut_masked.jpg", "astronaut.jpg"
    faces = [cv2.imread(str(SAMPLES / name)) for name in names]
    image = np.full((_SIZE, 2 * _SIZE + 12 * STEPS, 3), 96, np.uint8)
    for number, face in enumerate(faces):
        left = 12 * step + number * _SIZE
        image[:, left : left + _SIZE] = cv2.resize(face, (_SIZE, _SIZE))
    return image


# What the networks found at each step, in whichever shop.
_looks: "dict[int, Detections]" = {}


class Shop:
    """A hub that nobody watches but the test.

    Args:
        folder: empty.
        networks: the bundled ones.
    """

    def __init__(self, folder: Path, networks: Networks) -> None:
        sources = [f"{DOOR}=0", f"{GATE}=rtsp://me:{SECRET}@camera/1"]
        self.site = site_of_sources(sources, folder)
        self.hub = Hub(self.site, Store(folder), networks)
        self._door, self._gate = (self.hub.board_of(camera) for camera in self.site.cameras)
        self._door.set_state(CameraState.LIVE)
        self._gate.set_state(CameraState.DOWN, "does not answer")
        self._number = 0

    def show(self) -> LivePicture:
        """Publishes the door's next frame."""
        step = self._number % STEPS
        image = shown(step)
        if step not in _looks:
            _looks[step] = self.hub.analyse(image)
        self._number += 1
        moment = datetime.now().astimezone()
        faces = _looks[step]
        picture = LivePicture(self._number, moment, image, faces, faces.xyxy)
        self._door.count_read(dropped=False)
        self._door.publish(picture, 0.02, {"faces": 0.01, "classify": 0.004})
        return picture

    @contextmanager
    def running(self) -> Iterator[None]:
        """Shows frame after frame while the context lasts."""
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(PACE):
                self.show()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def remember(self, days: int = 60) -> None:
        """Fills the store with counts: every hour of some days, every minute of the last hours."""
        now = int(datetime.now().timestamp()) // 60 * 60
        minutes = [now - 60 * n for n in range(180)]
        hours = [now // 3600 * 3600 - 3600 * n for n in range(4, 24 * days)]
        self.hub.store.add_tallies(_tally(moment) for moment in (*minutes, *hours))
        self._door.add_people(Counter({"with_mask": 214, "without_mask": 37}))

    def alert(self, *, clip: bool = False) -> str:
        """Adds an alert with its snapshot and returns its id."""
        moment = datetime.now().astimezone() - timedelta(minutes=3)
        faces = [face for face in _looks[0].to_records() if face["label"] == "without_mask"]
        alert = {
            "id": uuid.uuid4().hex,
            "label": "without_mask",
            "faces": faces,
            "seconds_without_mask": 4.2,
            "reminder": 0,
        }
        record = alert_record(self.site.cameras[0], alert, moment)
        jpeg = cv2.imencode(".jpg", shown(0))[1].tobytes()
        event = self.hub.store.add_event("alert", record, moment, snapshot=jpeg)
        if clip:
            name = f"clips/{event.id}.mp4"
            number = begin_video(self.hub.store.database, name, DOOR, moment, event.id)
            data = _film()
            path = self.hub.store.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            end_video(self.hub.store.database, number, STEPS / 5, len(data))
        return event.id

    def lose(self) -> str:
        """Adds an event of the gate's camera that is lost, and returns its id."""
        moment = datetime.now().astimezone()
        record = state_record(GATE, "down", "no answer", moment)
        return self.hub.store.add_event("state", record, moment).id


def _tally(moment: int) -> Tally:
    seeded = np.random.default_rng(moment)
    hour = datetime.fromtimestamp(moment).hour
    busy = 6.0 if 8 <= hour < 20 else 0.4
    people = Counter(
        {"with_mask": int(seeded.poisson(busy)), "without_mask": int(seeded.poisson(busy / 5))}
    )
    return Tally(DOOR, moment, 300, Counter({label: 8 * n for label, n in people.items()}), people)


def _film() -> bytes:
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        stream.height, stream.width = shown(0).shape[:2]
        stream.pix_fmt = "yuv420p"
        for step in range(STEPS):
            image = av.VideoFrame.from_ndarray(shown(step), format="bgr24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return data.getvalue()
