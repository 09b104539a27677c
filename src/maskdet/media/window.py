"""A window that shows the frames of a run as they come."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import imutils

from maskdet.errors import OutputError
from maskdet.media.drawing import DARK, draw_text, text_scale
from maskdet.media.frames import Source, UInt8Array

_QUIT = frozenset({ord("q"), ord("Q"), 27})
_PAUSE = ord(" ")
_SAVE = frozenset({ord("s"), ord("S")})


class Window:
    """Shows frames; q or Esc asks to quit, space pauses, s saves the frame. A context manager.

    Args:
        title: the window's title.
        save: given the frame when the user asks for it to be saved.
        stop: ends the waiting for a key when set, as nobody presses one after SIGTERM.
    """

    # Larger frames are shown smaller, so that the window fits common screens. Pixels.
    _MAX_WIDTH = 1280
    # Weight of the newest frame in the frame rate shown.
    _RATE_SHARE = 0.1

    def __init__(
        self,
        title: str,
        save: Callable[[UInt8Array], None],
        stop: threading.Event | None = None,
    ) -> None:
        self._title = title
        self._save = save
        self._stop = stop or threading.Event()
        self._rate = 0.0
        self._last: float | None = None

    def __enter__(self) -> Self:
        cv2.namedWindow(self._title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        return self

    def __exit__(self, *exception: object) -> None:
        cv2.destroyAllWindows()

    def show(self, image: UInt8Array, *, note: str = "", wait: bool) -> bool:
        """Shows a frame.

        Args:
            image: (H, W, 3) uint8 BGR; left as it is.
            note: shown in the corner, beside the frames a second.
            wait: whether to wait for a key, as for single pictures.

        Returns:
            False once the user has asked to quit, or has closed the window.
        """
        now = time.perf_counter()
        if self._last is not None and now > self._last:
            newest = 1 / (now - self._last)
            self._rate += (newest - self._rate) * (self._RATE_SHARE if self._rate else 1)
        self._last = now
        shown = imutils.resize(image, width=min(image.shape[1], self._MAX_WIDTH)).copy()
        rate = "" if wait or not self._rate else f"{self._rate:.0f} fps  "
        if rate or note:
            draw_text(shown, f"{rate}{note}", (0, 0), DARK, text_scale(shown))
        cv2.imshow(self._title, shown)
        while True:
            # A closed window gives no keys: look at it now and then while waiting.
            key = cv2.waitKey(100 if wait else 1)
            if key != -1 and (key & 0xFF) in _QUIT:
                return False
            if key != -1 and (key & 0xFF) in _SAVE:
                self._save(image)
            elif key != -1 and (key & 0xFF) == _PAUSE:
                # Pauses a running video, goes on from a pause or a picture.
                wait = not wait
            elif key != -1 and wait:
                return True
            if cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if not wait or self._stop.is_set():
                return True


def is_wanted(asked: bool | None, sources: Sequence[Source]) -> bool:
    """Tells whether to open a window.

    Args:
        asked: what the user said; ``None`` for nothing. Then who stands before a camera sees what
            it sees, where there is a display.
        sources: what is looked at.
    """
    if asked is not None:
        return asked
    cameras = any(source.kind == "camera" for source in sources)
    return cameras and may_have_display() and can_open_window()


def may_have_display() -> bool:
    """Tells whether there may be a display: to find out by trying takes a second."""
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


@contextmanager
def open_window(
    save: Callable[[UInt8Array], Path],
    log: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Iterator[Window | None]:
    """Opens a window, or says why there can be none and gives ``None``.

    Args:
        save: writes a frame that the user wants to keep, and returns where.
        log: told what the user should know.
        stop: ends the waiting for a key when set.
    """
    if not cv2.currentUIFramework():
        log("this OpenCV is the headless one, without windows: carrying on without it")
        yield None
        return
    if not can_open_window():
        log("no display to open a window on: carrying on without it")
        yield None
        return

    def save_and_say(image: UInt8Array) -> None:
        try:
            log(f"saved {save(image)}")
        except OutputError as error:
            # A key pressed before a full disk does not end the watching.
            log(str(error))

    with Window("maskdet", save_and_say, stop) as window:
        yield window


def can_open_window() -> bool:
    """Tells whether there is a display to open a window on.

    Qt ends the whole process where there is none, so a child process tries first.
    """
    probe = "import cv2; cv2.namedWindow('maskdet'); cv2.destroyAllWindows()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, check=False, timeout=20
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
