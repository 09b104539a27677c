"""Pictures as sources: files, folders of them, and those on standard input or a server."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeGuard

from maskdet.errors import SourceError, TooLargeError
from maskdet.media.frames import Frame, Kind, Source
from maskdet.media.inputs.containers import holds_still, open_any
from maskdet.media.inputs.decoding import MAX_PIXELS, decode_picture, lacks_end, read_picture
from maskdet.media.inputs.pipes import Input


@dataclass
class PictureSource:
    """Picture files, one frame each. In a folder a bad one is noted in `failures` and passed over.

    Args:
        paths: the files.
        name: the file, folder or pattern the user named.
        kind: a single ``picture`` that cannot be read is an error, not a failure among others.
        folder: the folder, if it was one.
        title: what records call a single picture, if not by its path.
        max_pixels: pictures with more are not read.
    """

    paths: list[Path]
    name: str
    kind: Kind
    folder: Path | None = None
    frame_rate: float | None = None
    failures: list[str] = field(default_factory=list)
    title: str | None = None
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
            yield Frame(self.title or str(path), 0, 0.0, image)
        if bad == len(self.paths):
            reason = self.failures[-bad]
            raise SourceError(
                f"{self.name}: none of its {bad} pictures can be read, such as {reason}"
            )


def with_pictures_together(sources: list[Source]) -> list[Source]:
    """Makes one source of the pictures of a folder that were named one by one."""

    def is_plain(source: Source) -> TypeGuard[PictureSource]:
        if not isinstance(source, PictureSource) or source.kind != "picture":
            return False
        return source.name == str(source.paths[0])

    folders = Counter(source.paths[0].parent for source in sources if is_plain(source))
    together: dict[Path, PictureSource] = {}
    result: list[Source] = []
    for source in sources:
        if not is_plain(source) or folders[source.paths[0].parent] == 1:
            result.append(source)
            continue
        folder = source.paths[0].parent
        if folder in together:
            together[folder].paths += source.paths
        else:
            together[folder] = PictureSource(
                list(source.paths), str(folder), "pictures", max_pixels=source.max_pixels
            )
            result.append(together[folder])
    return result


class PictureStream:
    """Encoded pictures, one or several after another, from a pipe or a server.

    Args:
        open_input: opens what is read.
        name: what messages call it.
        stem: what the pictures are called, without number and suffix; ``None`` for ``picture``.
        max_pixels: pictures with more are not read.
    """

    kind: Kind = "pictures"
    folder: Path | None = None
    paths: Sequence[Path] = ()
    frame_rate: float | None = None
    frame_count: int | None = None
    is_moving = False
    is_live = False

    def __init__(
        self,
        open_input: Callable[[], Input],
        name: str,
        stem: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.name = name
        self.failures: list[str] = []
        self._open_input = open_input
        self._stem = stem
        self._max_pixels = max_pixels

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
        too_large = False
        try:
            container = open_any(given)
        except (av.FFmpegError, OSError):
            raise SourceError(f"{self.name}: {given.problem or 'has no pictures'}") from None
        with container:
            if holds_still(container):
                raise SourceError(f"{self.name}: takes no HEIC and no AVIF; name a file")
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
                    if given.problem is not None and lacks_end(data):
                        raise SourceError(f"{name}: is cut short")
                    image = decode_picture(data, name, self._max_pixels)
                except SourceError as error:
                    self.failures.append(str(error))
                    too_large = isinstance(error, TooLargeError)
                    continue
                yield Frame(name, 0, 0.0, image)
        if len(self.failures) == count:
            reason = self.failures[-1] if count == 1 else "has no pictures that can be read"
            if given.problem and not too_large:
                reason = f"{given.problem}, before a picture was whole"
            raise SourceError(f"{self.name}: {reason}")

    def _frame_name(self, number: int, suffix: str) -> str:
        if self._stem is None:
            return f"picture-{number}.{suffix}"
        return f"{self._stem}-{number}.{suffix}" if number else f"{self._stem}.{suffix}"
