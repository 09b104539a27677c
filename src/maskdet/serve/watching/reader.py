"""Reads one camera for ever: what is down is opened again, what is recorded is played over."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from maskdet.errors import MaskdetError, SourceError
from maskdet.media.frames import Frame, Source
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.waits import varied, wait_before

# Between two attempts to open a camera. Seconds.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
# A camera that gives frames is known to live, however seldom one is looked at. Frames a second.
_LEAST_RATE = 1.0
# So long a camera must have given frames before its next loss is the first again. Seconds.
_STEADY = 10.0

Open = Callable[[str, ReadOptions], Source]


class Reader:
    """A thread that reads a camera's frames and hands each on.

    Args:
        settings: the camera.
        timeout: how long a server may be silent, in seconds.
        took: given each frame; its time is that of a clock that never goes back. Must be quick.
        lost: told why there are no frames, once for each attempt that failed.
        opened: called before the first frame after each opening.
        open_camera: what opens it.
    """

    def __init__(
        self,
        settings: CameraSettings,
        timeout: float,
        took: Callable[[Source, Frame], None],
        lost: Callable[[str], None],
        opened: Callable[[Source], None],
        open_camera: Open = open_source,
    ) -> None:
        self._settings = settings
        self._timeout = timeout
        self._took = took
        self._lost = lost
        self._opened = opened
        self._open = open_camera
        self._stop = threading.Event()
        self._awake = threading.Event()
        self._awake.set()
        # Ends the source that is read now.
        self._leave = threading.Event()
        self._index = 0
        self._thread = threading.Thread(
            target=self._run, name=f"reading {settings.name}", daemon=True
        )

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; it may be held up by a device for a while."""
        self._stop.set()
        self._leave.set()
        self._awake.set()

    def join(self, timeout: float) -> None:
        """Waits for the thread."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def sleep(self) -> None:
        """Closes the camera until `wake`."""
        if self._awake.is_set():
            self._awake.clear()
            self._leave.set()

    def wake(self) -> None:
        """Opens the camera again."""
        self._awake.set()

    def _run(self) -> None:
        failed, begun = 0, time.monotonic()
        while not self._stop.is_set():
            self._awake.wait()
            if self._stop.is_set():
                return
            self._leave = threading.Event()
            problem, opened_at = "", time.monotonic()
            try:
                problem = self._read(begun)
            except MaskdetError as error:
                problem = str(error)
            if self._stop.is_set() or not self._awake.is_set() or not problem:
                continue
            if time.monotonic() - opened_at > _STEADY:
                failed = 0
            failed += 1
            self._lost(problem.removeprefix(f"{self._settings.name}: "))
            self._stop.wait(varied(wait_before(failed, FIRST_WAIT, LONGEST_WAIT)))

    def _read(self, begun: float) -> str:
        """Reads to where the source ends; returns why, nothing where it is to be played again."""
        leave = self._leave
        # The reader opens it again by itself: it is to be known that it was lost.
        rate = self._settings.frame_rate
        options = ReadOptions(
            reconnect=0,
            timeout=self._timeout,
            stop=leave,
            several=True,
            rate=None if rate is None else max(rate, _LEAST_RATE),
        )
        source = self._open(f"{self._settings.name}={self._settings.source}", options)
        if not source.is_moving:
            raise SourceError("is a picture, not a camera")
        started = time.monotonic()
        is_first = True
        for frame in source:
            if not source.is_live and not self._wait_until(started + frame.time, leave):
                return ""
            if leave.is_set():
                return ""
            if is_first:
                self._opened(source)
                is_first = False
            self._took(
                source,
                replace(
                    frame,
                    source=self._settings.name,
                    index=self._index,
                    time=time.monotonic() - begun,
                    wall_time=frame.wall_time or datetime.now().astimezone(),
                ),
            )
            self._index += 1
        if leave.is_set() or not source.is_live:
            return ""
        return source.failures[-1] if source.failures else "ended"

    def _wait_until(self, moment: float, leave: threading.Event) -> bool:
        """Waits, as a video is played at its own pace; returns whether it is to go on."""
        left = moment - time.monotonic()
        return not (leave.wait(left) if left > 0 else leave.is_set())
