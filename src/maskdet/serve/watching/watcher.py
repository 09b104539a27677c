"""Watches one camera: its reader, what is seen in its frames, and whom that is passed on to."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import cv2
import numpy as np

from maskdet.alerts.options import AlertOptions
from maskdet.alerts.watch import Watch
from maskdet.detections import Detections, FloatArray
from maskdet.media.frames import Frame, Source, UInt8Array
from maskdet.media.sources import open_source
from maskdet.pace import Rate
from maskdet.serve.showing.board import Board
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.storing.counts import Tally
from maskdet.serve.watching.areas import Areas
from maskdet.serve.watching.networks import Networks
from maskdet.serve.watching.people import People
from maskdet.serve.watching.reader import Open, Reader
from maskdet.serve.watching.sight import Sight
from maskdet.serve.watching.turns import Turns
from maskdet.vision.veil import Veil, VeilOptions

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
# Frames may be a little early and still not be too many a second. Share of the time between two.
_EARLY = 0.2
# A camera that says nothing for so long beyond its server's time has hung. Seconds.
_HUNG = 5.0

TellAlert = Callable[[CameraSettings, dict[str, Any], LivePicture], None]
TellState = Callable[[CameraSettings, CameraState, str], None]


class Keeper(Protocol):
    """What keeps a camera's pictures as video."""

    def take(self, picture: LivePicture) -> None:
        """Takes a picture that was looked at. Must not fail, nor take long."""
        ...


@dataclass(frozen=True)
class Handlers:
    """Whom a watcher tells, from its own threads.

    Attributes:
        alert: given the camera, the record of an alert, and the picture.
        state: given the camera, its new state and why.
        keeper: keeps its pictures as video; ``None`` for nobody.
    """

    alert: TellAlert
    state: TellState
    keeper: Keeper | None = None


class Watcher:
    """Watches one camera until it is stopped.

    Args:
        settings: the camera.
        board: where it shows what it sees.
        networks: what looks at its frames.
        turns: who says when.
        handlers: whom it tells.
        timeout: how long its server may be silent, in seconds.
        blur_live: whether faces are blurred in the live picture.
        cameras: how many share the networks.
        open_camera: what opens it.
    """

    def __init__(
        self,
        settings: CameraSettings,
        board: Board,
        networks: Networks,
        turns: Turns,
        handlers: Handlers,
        *,
        timeout: float,
        blur_live: bool = False,
        cameras: int = 1,
        open_camera: Open = open_source,
    ) -> None:
        self.settings = settings
        self._board = board
        self._turns = turns
        self._handlers = handlers
        self._blur_live = blur_live
        self._timeout = timeout
        self._areas = Areas(settings)
        rate = settings.frame_rate
        share = None if rate is None else 1 / (rate * cameras)
        self._eyes = networks.eyes(self._areas.keep, share)
        self._people = People(settings.lines)
        self._sight = Sight(settings.frozen_after)
        self._labels = networks.labels
        self._watch = self._new_watch()
        self._veil, self._veiled = Veil(VeilOptions(ahead=0)), 0
        self._lock = threading.Lock()
        self._newest: tuple[Source, Frame, float] | None = None
        self._rate = Rate(rate, _EARLY)
        self._last_at = time.monotonic()
        self._is_new = self._is_lost = False
        self._number = 0
        self._tally: Tally | None = None
        self._tallies: list[Tally] = []
        self._reader = Reader(settings, timeout, self.take, self._lost, self._opened, open_camera)

    def start(self) -> None:
        """Begins to watch."""
        self.tick()
        self._reader.start()

    def stop(self) -> None:
        """Asks it to end; see `join`."""
        self._reader.stop()

    def join(self, timeout: float) -> None:
        """Waits for its thread, for so many seconds at most."""
        self._reader.join(timeout)

    def tick(self) -> None:
        """Looks at the clock: whether it is time to sleep, and whether the camera has hung."""
        if not self.settings.is_awake(datetime.now().astimezone()):
            self._reader.sleep()
            self._change(CameraState.ASLEEP, "")
            return
        if self._board.state is CameraState.ASLEEP:
            self._last_at = time.monotonic()
            self._change(CameraState.STARTING, "")
        self._reader.wake()
        silent = time.monotonic() - self._last_at
        longest = max(self._timeout, self.settings.frozen_after) + _HUNG
        state = self._board.state
        if silent > longest and state not in (CameraState.DOWN, CameraState.STARTING):
            self._change(CameraState.DOWN, f"gives no pictures for {silent:.0f} s")

    def take_tallies(self) -> list[Tally]:
        """Returns what was counted since the last call."""
        with self._lock:
            if self._tally is not None:
                self._tallies.append(self._tally)
            taken, self._tallies, self._tally = self._tallies, [], None
            return taken

    # From the reader's thread.

    def _opened(self, _: Source) -> None:
        with self._lock:
            self._is_new = True

    def _lost(self, problem: str) -> None:
        with self._lock:
            self._is_lost = True
            self._change(CameraState.DOWN, problem)

    def take(self, source: Source, frame: Frame) -> None:
        """Takes a frame; the newest one is looked at when it is this camera's turn."""
        arrived = self._last_at = time.monotonic()
        if not self._rate.takes(arrived):
            return
        with self._lock:
            dropped = self._newest is not None
            self._newest = source, frame, arrived
            self._is_lost = False
        self._board.count_read(dropped=dropped)
        self._turns.ask(self)

    # From a worker's thread, one frame at a time.

    def look(self) -> None:
        """Looks at the newest frame; see `Turns`."""
        with self._lock:
            newest, self._newest = self._newest, None
            is_new, self._is_new = self._is_new, False
        if newest is None:
            return
        source, frame, arrived = newest
        if is_new:
            self._begin_again()
        begun = time.monotonic()
        image = self._upright(frame.image)
        state, why = self._sight.judge(image, frame.time)
        look = self._eyes.look(image, frame.time)
        detections = look.detections
        veiled = self._veil_of(detections)
        looked = time.monotonic()
        self._number += 1
        assert frame.wall_time is not None
        picture = LivePicture(
            self._number, frame.wall_time, image, detections, veiled, self._blur_live
        )
        self._sight.saw_faces(detections.xyxy, frame.time)
        with self._lock:
            # The last frame may be looked at when the camera is known to be lost.
            if not self._is_lost:
                self._change(state, why)
        stages = {
            "wait": begun - arrived,
            "faces": look.faces_seconds,
            "classify": look.classify_seconds,
        }
        self._board.publish(picture, looked - arrived, stages)
        self._count(detections, frame, image)
        for record in self._watch.alerts(source, frame, detections):
            self._handlers.alert(self.settings, record, picture)
        if self._handlers.keeper is not None:
            self._handlers.keeper.take(picture)

    def _begin_again(self) -> None:
        """After an opening nobody knows who is there: all are new."""
        self._eyes.forget()
        self._people.forget()
        self._sight.forget()
        self._watch = self._new_watch()
        self._veil, self._veiled = Veil(VeilOptions(ahead=0)), 0

    def _new_watch(self) -> Watch:
        alerts = self.settings.alerts
        labels = alerts.among(self._labels)
        return Watch(AlertOptions(None, None, labels, alerts.after, alerts.cooldown, alerts.repeat))

    def _upright(self, image: UInt8Array) -> UInt8Array:
        turn = _TURNS.get(self.settings.rotate)
        return image if turn is None else cv2.rotate(image, turn)

    def _veil_of(self, detections: Detections) -> FloatArray:
        doubtful = detections.doubtful
        boxes = detections.xyxy
        if doubtful is not None:
            boxes = np.concatenate([boxes, doubtful])
        self._veil.add(boxes, len(detections))
        self._veiled += 1
        return self._veil.at(self._veiled - 1)

    def _count(self, detections: Detections, frame: Frame, image: UInt8Array) -> None:
        height, width = image.shape[:2]
        come, crossings = self._people.see(detections, width, height, frame.time)
        assert frame.wall_time is not None
        minute = int(frame.wall_time.timestamp()) // 60 * 60
        with self._lock:
            if self._tally is None or self._tally.minute != minute:
                if self._tally is not None:
                    self._tallies.append(self._tally)
                self._tally = Tally(self.settings.name, minute)
            tally = self._tally
            tally.frames += 1
            tally.faces.update(detections.predicted_labels)
            tally.people.update(come)
            for crossing in crossings:
                side = tally.inward if crossing.is_inward else tally.outward
                side[crossing.line, crossing.label] += 1
        if come:
            self._board.add_people(come)
        for crossing in crossings:
            self._board.add_crossing(crossing.line, crossing.label, inward=crossing.is_inward)

    def _change(self, state: CameraState, why: str) -> None:
        if self._board.set_state(state, why):
            self._handlers.state(self.settings, state, why)
