"""Has posted pictures decoded in a process that is killed when it takes too long."""

import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import numpy as np

from maskdet.errors import SourceError, TooLargeError
from maskdet.media.frames import UInt8Array
from maskdet.serve.web.access.limits import UploadLimits
from maskdet.serve.web.content.decoding import ANSWER, NONE, PICTURE, REQUEST, SHAPE

_MODULE = "maskdet.serve.web.content.decoding"
# Starting it takes a second, which a busy machine makes several. Seconds.
_TO_START = 20.0
# It holds 60 MB; after so long without a picture it is ended. Seconds.
_IDLE = 60.0


class Decoder:
    """Decodes posted pictures, one at a time. May be used from several threads.

    Args:
        limits: of a picture.
        idle: after how many seconds without one the process is ended.
    """

    def __init__(self, limits: UploadLimits, idle: float = _IDLE) -> None:
        self._limits = limits
        self._idle = idle
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending: threading.Timer | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """What decodes, ``None`` while there is nothing to decode."""
        return self._process

    def decode(self, data: bytes) -> UInt8Array:
        """Decodes a picture.

        Args:
            data: its file.

        Returns:
            (H, W, 3) uint8 BGR.

        Raises:
            SourceError: it is none, is damaged, or of a format that is not taken.
            TooLargeError: it has too many pixels or scans, or takes too long or too much memory.
        """
        with self._lock:
            if self._ending is not None:
                self._ending.cancel()
            if self._process is not None and self._process.poll() is not None:
                self._end()
            is_new = self._process is None
            process = self._process or self._begin()
            seconds = self._limits.decode_time + (_TO_START if is_new else 0)
            is_late = threading.Event()

            def kill() -> None:
                is_late.set()
                process.kill()

            watchdog = threading.Timer(seconds, kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                kind, content = self._ask(process, data)
            except (EOFError, OSError):
                # Killed by the watchdog, or brought down by the picture.
                self._end()
                if is_late.is_set():
                    raise TooLargeError("the picture: takes too long to decode") from None
                raise SourceError("the picture: cannot be decoded") from None
            finally:
                watchdog.cancel()
            self._ending = threading.Timer(self._idle, self._end_idle, [process])
            self._ending.daemon = True
            self._ending.start()
        if kind != PICTURE:
            fault = SourceError if kind == NONE else TooLargeError
            raise fault(content.decode())
        height, width = SHAPE.unpack_from(content)
        image = np.frombuffer(content, np.uint8, offset=SHAPE.size)
        return image.reshape(height, width, 3)

    def _begin(self) -> "subprocess.Popen[bytes]":
        words = [str(self._limits.pixels), str(self._limits.scans)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    @staticmethod
    def _ask(process: Any, data: bytes) -> tuple[bytes, bytearray]:
        process.stdin.write(REQUEST.pack(len(data)))
        process.stdin.write(data)
        process.stdin.flush()
        head = process.stdout.read(ANSWER.size)
        if len(head) < ANSWER.size:
            raise EOFError
        kind, length = ANSWER.unpack(head)
        content = bytearray(length)
        if process.stdout.readinto(content) < length:
            raise EOFError
        return kind, content

    def _end_idle(self, process: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            # In the meantime it may have been used again, or be another.
            if self._process is process and self._ending is threading.current_thread():
                self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            # What a dead process has not read cannot be flushed.
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
