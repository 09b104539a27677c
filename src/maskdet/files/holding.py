"""Tells other processes that a file or a folder is being worked at."""

import os
import sys
from pathlib import Path

from maskdet.errors import OutputError

if sys.platform != "win32":
    import fcntl


class BusyError(OutputError):
    """Another process works at it."""


class Hold:
    """A lock on a file, which the system ends with the process.

    Windows needs none for what is written: it lets nobody rename a file that is open. A network's
    file system may know no locks; then all is as if nobody else wrote there.

    Args:
        file: to hold.
        busy: what to say where another process holds it.
        make: whether to make the file where there is none.

    Raises:
        BusyError: another process holds it.
        OSError: it cannot be opened.
    """

    def __init__(self, file: Path, busy: str, *, make: bool = False) -> None:
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return
        self._descriptor = os.open(file, os.O_RDWR | (os.O_CREAT if make else 0), 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise BusyError(busy) from None
        except OSError:
            pass

    def release(self) -> None:
        """Lets it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def hold_folder(folder: Path, name: str, busy: str) -> Hold:
    """Makes a folder and holds a file in it, so that one process at a time works there.

    Args:
        folder: made where there is none.
        name: of the file in it.
        busy: what to say where another process works there.

    Raises:
        BusyError: another process works there.
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Hold(folder / name, busy, make=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
