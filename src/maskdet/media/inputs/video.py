"""A video file, or one on a server, as a source of frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maskdet.addresses import MARK, public_name
from maskdet.errors import SourceError
from maskdet.media.frames import FALLBACK_FRAME_RATE, Frame, Kind
from maskdet.media.inputs.containers import decode, frame_rate_of, open_container
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.media.sound import Sound
from maskdet.wording import counted

if TYPE_CHECKING:
    from av.container import InputContainer


class VideoSource:
    """A video file, or one on a server: every frame, in order.

    Args:
        where: path or URL.
        container: the file, if it has been opened already.
        folder: the folder it was found in or below.
        waits: whether it is one of many: looked at now, and opened again when its turn comes, so
            that a folder of thousands takes one open file. What is wrong with it is raised then.
        name: what messages and records call it; ``None`` for its path or public address.
        max_pixels: its frames may have no more.

    Attributes:
        has_sound: whether there is a sound track.
        file: where it is on this machine, ``None`` for one on a server.

    Raises:
        SourceError: the file is no video, or holds no picture stream.
    """

    kind: Kind = "video"
    is_moving = True
    is_live = False

    def __init__(
        self,
        where: str,
        container: "InputContainer | None" = None,
        *,
        folder: Path | None = None,
        waits: bool = False,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.name = name or public_name(where)
        self.folder = folder
        self.paths: Sequence[Path] = () if MARK in where else (Path(where),)
        self._where = where
        self._max_pixels = max_pixels
        self.failures: list[str] = []
        self.frame_rate: float | None = FALLBACK_FRAME_RATE
        self.frame_count: int | None = 0
        self.has_sound = False
        self.file = None if MARK in where else Path(where)
        # When its first frame is shown, by the file's clock, once it was read; whether all were.
        self._begin: float | None = None
        self._read_whole = False
        self._container = None
        try:
            container = container or open_container(where, max_pixels=max_pixels)
        except SourceError:
            if not waits:
                raise
            return
        self.frame_rate = frame_rate_of(container)
        self.frame_count = container.streams.video[0].frames or None
        self.has_sound = bool(container.streams.audio)
        if waits:
            container.close()
        else:
            self._container = container

    def __iter__(self) -> Iterator[Frame]:
        """Decodes the frames.

        Raises:
            SourceError: it is no video, or has not a single frame. A video cut short or
                damaged gives the frames it has.
        """
        first: float | None = None
        index = broken = 0

        def count_broken() -> None:
            nonlocal broken
            broken += 1

        opened = self._container or open_container(self._where, max_pixels=self._max_pixels)
        with opened as container:
            try:
                for moment, image in decode(container, count_broken):
                    if moment is None:
                        moment = index / cast("float", self.frame_rate)
                    if first is None:
                        first = self._begin = moment
                    yield Frame(self.name, index, moment - first, image)
                    index += 1
                self._read_whole = True
            except SourceError as error:
                if index:
                    self.failures.append(f"{self.name}: after frame {index - 1}, {error}")
        if index == 0:
            raise SourceError(f"{self.name}: has no frames that can be decoded")
        if broken:
            self.failures.append(
                f"{self.name}: is damaged in {counted(broken, 'place')}, left out here"
            )

    def sound(self, seconds: float) -> Sound | None:
        """Returns the sound to the frames that were read, ``None`` where it cannot be had.

        Args:
            seconds: how long they are.
        """
        if not self.has_sound or self.file is None or self._begin is None:
            return None
        end = None if self._read_whole else self._begin + seconds
        return Sound(self.file, self._begin, end)
