"""Keeps one camera's pictures as video: files of fixed length, and a clip of each event."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol

import cv2

from maskdet.detections import FloatArray
from maskdet.errors import OutputError
from maskdet.media.blurring import blur_faces
from maskdet.media.files import make_folder
from maskdet.media.frames import UInt8Array
from maskdet.serve.recording.clips import Piece, cut_clip
from maskdet.serve.recording.fragments import Fragments
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.storing import videos
from maskdet.serve.storing.records import Event
from maskdet.serve.storing.store import Store

# Pictures that wait to be encoded; more are left out, and nothing else waits. Number.
_AHEAD = 8
# Of what is kept in memory for clips alone, a piece has this length. Seconds.
_PIECE = 10.0
# A camera that was away for so long begins a new file. Seconds.
_GAP = 3.0
# After a disk that took no more, how long nothing is tried. Seconds.
_PAUSE = 30.0
# At the end, what waits to be encoded has so long. Seconds.
_TO_END = 2.0


class Picture(Protocol):
    """What of a picture is recorded; see `maskdet.serve.showing.live.LivePicture`."""

    @property
    def time(self) -> datetime:
        """When it came."""
        ...

    @property
    def image(self) -> UInt8Array:
        """(H, W, 3) uint8 BGR."""
        ...

    @property
    def veiled(self) -> FloatArray:
        """(M, 4) what is to be blurred in it, in pixels."""
        ...


@dataclass
class _Wanted:
    """A clip that is still to be cut."""

    number: int
    path: Path
    start: float
    end: float


class Recorder:
    """Records in a thread of its own.

    Args:
        camera: which.
        store: where videos are noted.
        blur: whether faces are made unrecognisable.
        log: told when nothing can be recorded.
        has_room: whether the disk has room.
        recording: told when it begins and ends.
    """

    def __init__(
        self,
        camera: CameraSettings,
        store: Store,
        *,
        blur: bool,
        log: Callable[[str], None],
        has_room: Callable[[], bool],
        recording: Callable[[bool], None],
    ) -> None:
        self._camera = camera
        self._settings = camera.recording
        self._store = store
        self._blur = blur
        self._log = log
        self._has_room = has_room
        self._recording = recording
        self._changed = threading.Condition()
        self._waiting: deque[Picture] = deque()
        self._events: deque[Event] = deque()
        self._is_over = self._is_busy = False
        self._wanted: list[_Wanted] = []
        self._pieces: deque[Piece] = deque()
        self._writing: Fragments | None = None
        self._target: Path | BytesIO = BytesIO()
        self._number: int | None = None
        self._size = (0, 0)
        self._begun = self._newest = 0.0
        self._paused_until = 0.0
        self._thread = threading.Thread(
            target=self._work, name=f"recording {camera.name}", daemon=True
        )

    def start(self) -> None:
        """Begins to record."""
        self._thread.start()

    def take(self, picture: Picture) -> None:
        """Records a picture; leaves it out where encoding does not keep up."""
        with self._changed:
            if len(self._waiting) < _AHEAD:
                self._waiting.append(picture)
                self._changed.notify()

    @property
    def waits(self) -> bool:
        """Whether pictures wait to be encoded."""
        with self._changed:
            return bool(self._waiting) or self._is_busy

    def keep(self, event: Event) -> None:
        """Makes a clip of an event, once its time is over."""
        with self._changed:
            self._events.append(event)
            self._changed.notify()

    def end(self) -> None:
        """Asks it to finish what is being written; clips end here. See `join`."""
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def join(self, timeout: float) -> None:
        """Waits until all is written, for so many seconds at most."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def stop(self) -> None:
        """Does both."""
        self.end()
        self.join(_TO_END)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._waiting or self._events or self._is_over, timeout=_GAP
                )
                events, self._events = list(self._events), deque()
                picture = self._waiting.popleft() if self._waiting else None
                self._is_busy = picture is not None
                is_over = self._is_over and picture is None
            try:
                for event in events:
                    self._want(event)
                if picture is not None:
                    self._take(picture)
                elif time.time() - self._newest > _GAP or is_over:
                    self._end_piece()
                self._cut(is_idle=picture is None, is_over=is_over)
            except OutputError as error:
                self._give_up(error)
            self._is_busy = False
            if is_over:
                return

    def _take(self, picture: Picture) -> None:
        moment = picture.time.timestamp()
        if not self._has_room() or time.monotonic() < self._paused_until:
            self._end_piece()
            return
        image = picture.image.copy() if self._blur else picture.image
        if self._blur:
            blur_faces(image, picture.veiled)
        image = self._scaled(image)
        size = image.shape[1], image.shape[0]
        length = self._settings.length if self._settings.mode == "always" else _PIECE
        # What is in memory alone ends where a clip does; files keep their length.
        in_memory = self._settings.mode != "always"
        is_due = in_memory and any(moment > wanted.end for wanted in self._wanted)
        # A clock that was set back, too, begins a new file.
        gap = moment - self._newest
        if self._writing is not None and (
            moment - self._begun >= length or size != self._size or not 0 <= gap <= _GAP or is_due
        ):
            self._end_piece()
        if self._writing is None:
            self._begin_piece(picture.time, size)
        assert self._writing is not None
        self._writing.write(image, moment - self._begun)
        self._newest = moment

    def _scaled(self, image: UInt8Array) -> UInt8Array:
        height, width = image.shape[:2]
        if width <= self._settings.width:
            return image
        size = self._settings.width, round(height * self._settings.width / width)
        scaled: UInt8Array = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return scaled

    def _begin_piece(self, start: datetime, size: tuple[int, int]) -> None:
        if self._pieces and size != self._size:
            # Pictures of two sizes make no clip.
            self._pieces.clear()
        self._begun, self._size = start.timestamp(), size
        if self._settings.mode == "always":
            name = f"recordings/{self._camera.name}/{start:%Y-%m-%d}/{start:%H-%M-%S.%f}.mp4"
            path = self._store.folder / name
            make_folder(path.parent)
            # Noted first: a file whose writing is cut short is found again by its row.
            self._number = videos.begin_video(
                self._store.database, name, self._camera.name, start, None
            )
            self._target = path
        else:
            self._target = BytesIO()
        self._writing = Fragments(self._target, *size)
        self._recording(True)

    def _end_piece(self) -> None:
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        number, self._number = self._number, None
        self._recording(False)
        try:
            writing.close()
        finally:
            if isinstance(self._target, Path):
                assert number is not None
                size = self._target.stat().st_size if self._target.exists() else 0
                videos.end_video(self._store.database, number, writing.seconds, size)
        content = self._target if isinstance(self._target, Path) else self._target.getvalue()
        self._pieces.append(Piece(self._begun, writing.seconds, content))
        oldest = min(
            [self._newest - self._settings.before, *(wanted.start for wanted in self._wanted)]
        )
        while self._pieces and self._pieces[0].end < oldest:
            self._pieces.popleft()

    def _want(self, event: Event) -> None:
        name = f"clips/{event.time:%Y-%m-%d}/{event.id}.mp4"
        start = event.time.timestamp() - self._settings.before
        number = videos.begin_video(
            self._store.database,
            name,
            self._camera.name,
            datetime.fromtimestamp(start).astimezone(),
            event.id,
        )
        end = event.time.timestamp() + self._settings.after
        self._wanted.append(_Wanted(number, self._store.folder / name, start, end))

    def _cut(self, *, is_idle: bool, is_over: bool) -> None:
        """Cuts the clips whose time is over, from pieces that are finished, or are far enough."""
        # Pictures that wait are still to come, however late it is.
        now = max(self._newest, time.time() - _GAP) if is_idle else self._newest
        due = [wanted for wanted in self._wanted if is_over or now > wanted.end]
        if not due:
            return
        pieces = list(self._pieces)
        writing, target = self._writing, self._target
        if writing is not None and isinstance(target, Path):
            # A file plays as far as it is written; the rest comes with the next key frame.
            pieces.append(Piece(self._begun, writing.written, target))
            due = [wanted for wanted in due if wanted.end <= max(self._begun, pieces[-1].end)]
        elif writing is not None and any(wanted.end > self._begun for wanted in due):
            self._end_piece()
            pieces = list(self._pieces)
        for wanted in due:
            self._wanted.remove(wanted)
            seconds = cut_clip(wanted.path, pieces, wanted.start, wanted.end)
            if seconds > 0:
                size = wanted.path.stat().st_size
                videos.end_video(self._store.database, wanted.number, seconds, size)
            else:
                videos.drop_video(self._store.database, wanted.number)

    def _give_up(self, error: OutputError) -> None:
        """Records nothing for a while; watching and alerting know nothing of it."""
        self._log(f"recording: {error}; tried again in {_PAUSE:.0f} s")
        self._paused_until = time.monotonic() + _PAUSE
        self._writing, self._number = None, None
        self._recording(False)
