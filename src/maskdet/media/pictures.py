"""Pictures as sources: files, folders of them, and those on standard input."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar

from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Kind
from maskdet.media.inputs.decoding import MAX_PIXELS, decode_picture, read_picture
from maskdet.media.video import holds_still, open_any

__all__ = ["PictureSource", "PictureStream", "decode_picture", "read_picture"]


@dataclass
class PictureSource:
    """Picture files, one frame each. In a folder a bad one is noted in `failures` and passed over.

    Args:
        paths: the files.
        name: the file, folder or pattern the user named.
        kind: a single ``picture`` that cannot be read is an error, not a failure among others.
        folder: the folder, if it was one.
        max_pixels: pictures with more are not read.
    """

    paths: list[Path]
    name: str
    kind: Kind
    folder: Path | None = None
    frame_rate: float | None = None
    failures: list[str] = field(default_factory=list)
    max_pixels: int = MAX_PIXELS

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
                image = read_picture(path, self.max_pixels)
            except SourceError as error:
                if self.kind == "picture":
                    raise
                self.failures.append(str(error))
                bad += 1
                continue
            yield Frame(str(path), 0, 0.0, image)
        if bad == len(self.paths):
            reason = self.failures[-bad]
            raise SourceError(
                f"{self.name}: none of its {bad} pictures can be read, such as {reason}"
            )


class PictureStream:
    """Encoded pictures, one or several after another, from a pipe or a server.

    Args:
        where: an open binary file, or a URL.
        name: what messages call it.
        timeout: seconds a server may be silent.
        max_pixels: pictures with more are not read.
    """

    kind: Kind = "pictures"
    folder: Path | None = None
    frame_rate: float | None = None
    frame_count: int | None = None
    is_moving = False
    is_live = False

    def __init__(
        self,
        where: BinaryIO | str,
        name: str,
        timeout: float | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.name = name
        self.failures: list[str] = []
        self._where = where
        self._timeout = timeout
        self._max_pixels = max_pixels

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
            if holds_still(container):
                raise SourceError(f"{self.name}: takes no HEIC and no AVIF; name a file")
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
                    image = decode_picture(bytes(packet), name, self._max_pixels)
                except SourceError as error:
                    self.failures.append(str(error))
                    continue
                yield Frame(name, 0, 0.0, image)
        if len(self.failures) == count:
            reason = self.failures[-1] if count == 1 else "has no pictures that can be read"
            raise SourceError(f"{self.name}: {reason}")
