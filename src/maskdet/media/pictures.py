"""Pictures as sources: decoding one, folders of them, and those on standard input."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast

import cv2
import numpy as np

from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Kind, Source, UInt8Array
from maskdet.media.inputs.pipes import Input

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG", b"IEND"


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
        title: what records call a single picture, if not by its path.
    """

    paths: list[Path]
    name: str
    kind: Kind
    folder: Path | None = None
    frame_rate: float | None = None
    failures: list[str] = field(default_factory=list)
    title: str | None = None

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
            yield Frame(self.title or str(path), 0, 0.0, image)
        if bad == len(self.paths):
            raise SourceError(f"{self.name}: none of its {len(self.paths)} pictures can be read")


def with_pictures_together(sources: list[Source]) -> list[Source]:
    """Makes one source of the pictures of a folder that were named one by one."""

    def is_plain(source: Source) -> bool:
        return source.kind == "picture" and source.name == str(source.paths[0])

    folders = Counter(source.paths[0].parent for source in sources if is_plain(source))
    together: dict[Path, PictureSource] = {}
    result: list[Source] = []
    for source in sources:
        folder = source.paths[0].parent if is_plain(source) else None
        if folder is None or folders[folder] == 1:
            result.append(source)
        elif folder in together:
            together[folder].paths += source.paths
        else:
            together[folder] = PictureSource(list(source.paths), str(folder), "pictures")
            result.append(together[folder])
    return result


class PictureStream:
    """Encoded pictures, one or several after another, from a pipe or a server.

    Args:
        open_input: opens what is read.
        name: what messages call it.
        stem: what the pictures are called, without number and suffix; ``None`` for ``picture``.
    """

    kind: Kind = "pictures"
    folder: Path | None = None
    paths: Sequence[Path] = ()
    frame_rate: float | None = None
    frame_count: int | None = None
    is_moving = False
    is_live = False

    def __init__(self, open_input: Callable[[], Input], name: str, stem: str | None = None) -> None:
        self.name = name
        self.failures: list[str] = []
        self._open_input = open_input
        self._stem = stem

    def __iter__(self) -> Iterator[Frame]:
        """Decodes each picture as it comes; the next after ``gate.jpg`` is ``gate-1.jpg``.

        Raises:
            SourceError: there is nothing to read, or nothing that is a picture.
        """
        given = self._open_input()
        with closing(given):
            yield from self._decode(given)

    def _decode(self, given: Input) -> Iterator[Frame]:
        import av

        count = 0
        try:
            container = av.open(given, mode="r")
        except (av.FFmpegError, OSError):
            raise SourceError(f"{self.name}: {given.problem or 'has no pictures'}") from None
        with container:
            if not container.format.name.endswith("_pipe"):
                raise SourceError(f"{self.name}: takes pictures, not {container.format.name}")
            suffix = container.format.name.removesuffix("_pipe").replace("jpeg", "jpg")
            # FFmpeg finds where one picture ends and the next begins.
            for packet in container.demux(video=0):
                if packet.size == 0:
                    continue
                name = self._frame_name(count, suffix)
                count += 1
                data = bytes(packet)
                try:
                    if given.problem is not None and _lacks_end(data):
                        raise SourceError(f"{name}: is cut short")
                    image = decode_picture(data, name)
                except SourceError as error:
                    self.failures.append(str(error))
                    continue
                yield Frame(name, 0, 0.0, image)
        if len(self.failures) == count:
            reason = f"{given.problem}, before a picture was whole" if given.problem else None
            raise SourceError(f"{self.name}: {reason or 'has no pictures that can be read'}")

    def _frame_name(self, number: int, suffix: str) -> str:
        if self._stem is None:
            return f"picture-{number}.{suffix}"
        return f"{self._stem}-{number}.{suffix}" if number else f"{self._stem}.{suffix}"


def _lacks_end(data: bytes) -> bool:
    """Tells whether a picture, as it came from a server that broke off, has no end."""
    if data.startswith(_JPEG_START):
        return data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN)
    return data.startswith(_PNG_START) and _PNG_END not in data[-12:]
