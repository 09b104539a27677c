"""Cameras for the tests of the service, which do as they are told: no device, no waiting."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Kind
from maskdet.media.inputs.options import ReadOptions

Image = NDArray[np.uint8]
LONGEST_WAIT = 20.0


def wait_for(condition: Callable[[], object]) -> None:
    """Waits for something that another thread does; fails when it does not."""
    until = time.monotonic() + LONGEST_WAIT
    while not condition():
        assert time.monotonic() < until, "it has not come about"
        time.sleep(0.005)


class ScriptedCamera:
    """A camera that shows a picture at a time, as the test says, and can be unplugged.

    Give `open` to what opens cameras.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pictures: list[Image] = []
        self._is_plugged = True
        self.openings = 0

    def show(self, *pictures: Image) -> None:
        """Shows pictures, each taken before the next is shown."""
        for picture in pictures:
            with self._changed:
                self._pictures.append(picture)
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: not self._pictures, LONGEST_WAIT)

    def plug(self, *, is_in: bool) -> None:
        """Pulls the plug, or puts it in."""
        with self._changed:
            self._is_plugged = is_in
            self._changed.notify_all()

    def open(self, text: str, options: ReadOptions) -> "_Scripted":
        """Opens it, as `maskdet.media.sources.open_source` does."""
        with self._changed:
            self.openings += 1
            if not self._is_plugged:
                raise SourceError(f"{text.partition('=')[0]}: is not plugged in")
        return _Scripted(self, text.partition("=")[0], options)

    def take(self, options: ReadOptions) -> Image | None:
        """Returns the next picture, nothing once it is to end; for the source alone."""
        with self._changed:
            while not self._pictures and self._is_plugged and not options.stop.is_set():
                self._changed.wait(0.01)
            if not self._is_plugged or options.stop.is_set():
                return None
            return self._pictures.pop(0)

    def taken(self) -> None:
        """Says that the picture was taken; for the source alone."""
        with self._changed:
            self._changed.notify_all()


class _Scripted:
    kind: Kind = "stream"
    folder: Path | None = None
    frame_rate: float | None = 25.0
    paths: Sequence[Path] = ()
    frame_count: int | None = None
    is_moving = True
    is_live = True

    def __init__(self, camera: ScriptedCamera, name: str, options: ReadOptions) -> None:
        self.name = name
        self.failures: list[str] = []
        self._camera = camera
        self._options = options

    def __iter__(self) -> Iterator[Frame]:
        """Gives what the camera shows until it is unplugged."""
        index = 0
        while (picture := self._camera.take(self._options)) is not None:
            yield Frame(self.name, index, 0.0, picture)
            self._camera.taken()
            index += 1
        self.failures.append(f"{self.name}: was unplugged")
