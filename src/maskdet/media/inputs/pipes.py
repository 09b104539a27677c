"""Bytes as they come, from a pipe or a server, for what needs no more than ``read``."""

import os
import select
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maskdet.addresses import public_name
from maskdet.errors import SourceError
from maskdet.media.inputs.containers import open_any

if TYPE_CHECKING:
    from av.container import InputContainer


class Input(Protocol):
    """Something to read from, once.

    Attributes:
        problem: why it ended before its end, if it did.
    """

    problem: str | None

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class Pipe:
    """Standard input, or a named pipe, which is opened when it is first read.

    Not `sys.stdin`: the interpreter cannot end while a thread waits inside of that.

    Args:
        where: a pipe's path, or the number of an open file.
        stop: ends the waiting when set; then nothing comes any more.
    """

    # What a pipe holds at most, usually. Bytes.
    _CHUNK = 1 << 16
    # How often it looks whether it should stop, in seconds.
    _POLL = 0.1

    def __init__(self, where: Path | int, stop: threading.Event) -> None:
        self.problem: str | None = None
        self._path = where if isinstance(where, Path) else None
        self._number = where if isinstance(where, int) else None
        self._stop = stop
        self._begun = False

    def read(self, size: int = -1) -> bytes:
        """Reads what there is, waiting for it."""
        try:
            while not self._stop.is_set():
                if self._number is None:
                    assert self._path is not None
                    # Or opening it would wait for a writer, and hear nothing.
                    self._number = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
                if not self._is_ready(self._number):
                    continue
                data = os.read(self._number, size if size > 0 else self._CHUNK)
                # Without a writer a named pipe is at its end; one will come.
                if data or self._begun or self._path is None:
                    self._begun = True
                    return data
                self._stop.wait(self._POLL)
        except OSError as error:
            self.problem = f"cannot be read ({error.strerror})"
        return b""

    def _is_ready(self, number: int) -> bool:
        # Windows can wait for sockets only.
        if sys.platform == "win32":
            return True
        return bool(select.select([number], [], [], self._POLL)[0])

    def close(self) -> None:
        """Closes a named pipe; standard input stays open."""
        if self._number is not None and self._path is not None:
            os.close(self._number)
            self._number = None


class Download:
    """What a server sends for an address.

    Through FFmpeg, which knows the ways that cameras ask for passwords.

    Args:
        url: the address.
        timeout: seconds the server may be silent.

    Raises:
        SourceError: the server does not answer, or refuses.
    """

    def __init__(self, url: str, timeout: float | None) -> None:
        import av

        self.problem: str | None = None
        try:
            # A format of FFmpeg's for any bytes at all.
            self._container: InputContainer = open_any(url, timeout, "data")
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{public_name(url)}: cannot be opened ({error.strerror})") from None
        self._packets = self._container.demux(self._container.streams[0])
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Reads what has come, waiting for it; an early end is the end, and a problem."""
        import av

        while not self._rest and self.problem is None:
            try:
                packet = next(self._packets, None)
            except av.ExitError:
                self.problem = "sent nothing any more"
            except (av.FFmpegError, OSError) as error:
                self.problem = f"ended too early ({error.strerror})"
            else:
                if packet is None:
                    break
                self._rest = bytes(packet)
        size = size if size > 0 else len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Closes the connection."""
        self._container.close()
