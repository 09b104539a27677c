"""Pictures as sources: decoding one, folders of them, and those on standard input."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import cv2
import numpy as np

from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Kind, UInt8Array
from maskdet.media.video import open_any

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


def decode_picture(data: bytes, name: str) -> UInt8Array:
    """Decodes a picture, turned upright by its EXIF orientation.

    Args:
        data: an encoded picture.
        name: what messages call it.

    Returns:
        (H, W, 3) uint8, BGR; grey, 16-bit, palette, CMYK and transparent pictures are converted.

    Raises:
        SourceError: it is empty, cut short, or no picture.
    """
    if not data:
        raise SourceError(f"{name}: is empty")
    # OpenCV 4 fills the missing part of a JPEG with grey and says nothing. The end marker cannot
    # occur inside a scan, so a whole file has one after its last scan.
    if data.startswith(_JPEG_START) and data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN):
        raise SourceError(f"{name}: is cut short (a JPEG without its end)")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{name}: cannot be decoded ({error.err})") from None
    if picture is None:
        raise SourceError(f"{name}: is not a picture, or is damaged")
    return cast("UInt8Array", picture)


def read_picture(path: Path) -> UInt8Array:
    """Reads and decodes a picture file; see `decode_picture`.

    Raises:
        SourceError: the file cannot be read, or is no whole picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from None
    return decode_picture(data, str(path))


@dataclass
class PictureSource:
    """Picture files, one frame each. In a folder a bad one is noted in `failures` and passed over.

    Args:
        paths: the files.
        name: the file, folder or pattern the user named.
        kind: a single ``picture`` that cannot be read is an error, not a failure among others.
        folder: the folder, if it was one.
    """

    paths: list[Path]
    name: str
    kind: Kind
    folder: Path | None = None
    frame_rate: float | None = None
    failures: list[str] = field(default_factory=list)

    is_moving: ClassVar[bool] = False
    is_live: ClassVar[bool] = False

    @property
    def frame_count(self) -> int | None:
        """How many pictures there are, bad ones included."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame]:
        """Decodes the pictures in order.

        Raises:
            SourceError: a single picture cannot be read, or none of a folder's can.
        """
        bad = 0
        for path in self.paths:
            try:
                image = read_picture(path)
            except SourceError as error:
                if self.kind == "picture":
                    raise
                self.failures.append(str(error))
                bad += 1
                continue
            yield Frame(str(path), 0, 0.0, image)
        if bad == len(self.paths):
            raise SourceError(f"{self.name}: none of its {len(self.paths)} pictures can be read")


class PictureStream:
    """Encoded pictures, one or several after another, from a pipe or a server.

    Args:
        where: an open binary file, or a URL.
        name: what messages call it.
        timeout: seconds a server may be silent.
    """

    kind: Kind = "pictures"
    folder: Path | None = None
    frame_rate: float | None = None
    frame_count: int | None = None
    is_moving = False
    is_live = False

    def __init__(self, where: BinaryIO | str, name: str, timeout: float | None = None) -> None:
        self.name = name
        self.failures: list[str] = []
        self._where = where
        self._timeout = timeout

    def __iter__(self) -> Iterator[Frame]:
        """Decodes each picture as it comes; they are called ``picture-0.png`` and so on.

        Raises:
            SourceError: there is nothing to read, or nothing that is a picture.
        """
        import av

        try:
            container = open_any(self._where, self._timeout)
        except (av.FFmpegError, OSError):
            raise SourceError(f"{self.name}: has no pictures") from None
        with container:
            if not container.format.name.endswith("_pipe"):
                raise SourceError(f"{self.name}: takes pictures, not {container.format.name}")
            suffix = container.format.name.removesuffix("_pipe").replace("jpeg", "jpg")
            count = 0
            # FFmpeg finds where one picture ends and the next begins.
            for packet in container.demux(video=0):
                if packet.size == 0:
                    continue
                name = f"picture-{count}.{suffix}"
                count += 1
                try:
                    image = decode_picture(bytes(packet), name)
                except SourceError as error:
                    self.failures.append(str(error))
                    continue
                yield Frame(name, 0, 0.0, image)
        if len(self.failures) == count:
            raise SourceError(f"{self.name}: has no pictures that can be read")
