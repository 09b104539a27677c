"""The file of a recording under way: nobody else's, and all of it on the disk."""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from maskdet.media.files import beside
from maskdet.media.recording.interrupted import PARTIAL, held, put_aside


class PartialFile:
    """A recording's file beside its name. What a run that was killed left there is finished first.

    Not written by FFmpeg itself, which tells nobody of a last fragment that found no room.

    Args:
        path: what the recording is to be called.
        log: told of an earlier one that was finished.

    Attributes:
        path: where it is.
        file: it, open for FFmpeg to write.

    Raises:
        BusyError: another run is recording it.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self.path = beside(path, PARTIAL)
        earlier = put_aside(self.path)
        if earlier is not None:
            earlier.finish(log)
        # Made here or not at all: the lock of another run is on a file that is there.
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666))
        self._hold = held(self.path)
        self.file = _WholeWrites(self.path, "r+")

    def close(self) -> None:
        """Closes the file, which stays this run's."""
        self.file.close()

    def release(self) -> None:
        """Lets others have it; it is closed, and mostly has another name."""
        self.file.close()
        self._hold.release()

    def discard(self) -> None:
        """Removes it."""
        self.file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._hold.release()


class _WholeWrites(io.FileIO):
    """A file that takes all it is given, or says why not."""

    def write(self, data: Any) -> int:
        """Writes bytes; a full disk takes a part of them first."""
        left = memoryview(data)
        while left:
            left = left[super().write(left) or 0 :]
        return len(data)
