"""Decoded pictures, kept from pass to pass while there is memory: decoding is a fifth of a view."""

import threading
from pathlib import Path

from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.lanes import memory_free
from maskdet.vision.preprocessing import UInt8Array

# Of what is free when training begins; the network and whatever else runs want some, too.
_SHARE_OF_FREE = 0.4
_UNKNOWN = 2_500_000_000  # bytes, where nothing says how much is free


class DecodedPictures:
    """Reads pictures, from memory where it has read them before.

    Args:
        room: bytes of pictures to keep at most; ``None`` takes a share of what is free.
    """

    def __init__(self, room: int | None = None) -> None:
        if room is None:
            free = memory_free()
            room = _UNKNOWN if free is None else int(_SHARE_OF_FREE * free)
        self._room = room
        self._kept: dict[Path, UInt8Array] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> UInt8Array:
        """Returns a picture, (H, W, 3) uint8 BGR, not to be written to.

        Raises:
            DatasetError: the file has gone or is no longer a picture.
        """
        picture = self._kept.get(path)
        if picture is None:
            try:
                picture = read_picture(path)
            except SourceError as error:
                raise DatasetError(f"{error}; it could be read before") from None
            with self._lock:
                if path not in self._kept and picture.nbytes <= self._room:
                    self._kept[path] = picture
                    self._room -= picture.nbytes
        return picture
