"""One piece of a video as a source of frames: sought out, warmed up, numbered as in the whole."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.archive.cutting import Piece, frame_table
from maskdet.archive.opening import opened
from maskdet.archive.options import WorkOptions
from maskdet.archive.places import is_address, name_of
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.frames import Frame, Kind, UInt8Array
from maskdet.media.inputs.containers import decode, frame_rate_of
from maskdet.wording import counted

if TYPE_CHECKING:
    from av.container import InputContainer

# Where a container's search lands behind what was asked for, it is asked for so much earlier.
# Seconds.
_EARLIER = (0.0, 5.0, 30.0)


@dataclass(frozen=True)
class PieceFrame(Frame):
    """A frame of a piece; its ``index`` counts what is looked at of the piece, from 0.

    Attributes:
        number: of the frame in its video, from 0.
        own: whether it is the piece's own, rather than one to warm up with.
    """

    number: int = 0
    own: bool = True


class PieceSource:
    """A piece of a video; see `maskdet.media.frames.Source`.

    Args:
        source: path or address.
        piece: which part.
        options: which frames are looked at.

    Attributes:
        decoded: frames of the piece's own that were decoded, looked at or not.
        seconds: from the piece's first frame to its end, once it was read.
    """

    kind: Kind = "video"
    is_moving = True
    is_live = False
    folder: Path | None = None
    paths: Sequence[Path] = ()
    frame_count: int | None = None

    def __init__(self, source: str, piece: Piece, options: WorkOptions) -> None:
        self.name = name_of(source)
        self.failures: list[str] = []
        self.frame_rate: float | None = None
        self.decoded = 0
        self.seconds = 0.0
        self._source, self._piece, self._options = source, piece, options

    def __iter__(self) -> Iterator[PieceFrame]:
        """Decodes the frames that are to be looked at, those of the warm-up first.

        Raises:
            UnreachableError: it is out of reach, or was before its end.
            SourceError: it cannot be opened, or has not a single frame.
        """
        keys = self._key_numbers() if self._options.key_frames else None
        index = broken = number = 0

        def count_broken() -> None:
            nonlocal broken
            broken += 1

        try:
            for number, time, image in self._frames(count_broken, keys):
                own = number >= self._piece.first
                self.decoded += own
                if keys is None and number % self._options.every:
                    continue
                yield PieceFrame(self.name, index, time, image, number=number, own=own)
                index += 1
        except SourceError as error:
            if index == 0 or isinstance(error, UnreachableError):
                raise
            if not is_address(self._source) and not Path(self._source).exists():
                # Its disk was taken away.
                raise UnreachableError(f"{self.name}: is gone after frame {number}") from None
            self.failures.append(f"after frame {number}, {error}")
        if self._piece.last and self._piece.first == 0 and self.decoded == 0:
            raise SourceError(f"{self.name}: has no frames that can be decoded")
        if broken:
            self.failures.append(f"is damaged in {counted(broken, 'place')}, left out here")

    def _frames(
        self, damaged: Callable[[], None], keys: list[int] | None
    ) -> Iterator[tuple[int, float, UInt8Array]]:
        """Yields the number in the video, the seconds and the image of the piece's frames."""
        piece = self._piece
        with opened(self._source, self._options.max_pixels) as container:
            stream = container.streams.video[0]
            # A worker has one core; FFmpeg's threads would take those of others.
            stream.codec_context.thread_count = 1
            unit = float(stream.time_base or 0) or 1.0
            self.frame_rate = rate = frame_rate_of(container)
            if keys is not None:
                stream.codec_context.skip_frame = "NONKEY"
            first_moment: float | None = None if piece.zero is None else piece.zero * unit
            number = piece.first if keys is not None else piece.warm_first
            wanted = piece.begin if keys is not None else piece.warm_begin
            own_from: float | None = None
            frames = (
                decode(container, damaged)
                if wanted is None
                else _sought(container, wanted, damaged)
            )
            for moment, image in frames:
                if moment is None:
                    moment = number / rate
                ticks = round(moment / unit)
                if wanted is not None and ticks < wanted:
                    continue
                if piece.end is not None and ticks >= piece.end:
                    break
                if first_moment is None:
                    first_moment = moment
                if keys is not None:
                    number = (
                        bisect.bisect_left(keys, ticks)
                        if keys
                        else round((moment - first_moment) * rate)
                    )
                if number >= piece.first:
                    own_from = moment if own_from is None else own_from
                    self.seconds = moment - own_from + 1 / rate
                yield number, moment - first_moment, image
                number += 1
            if piece.end is not None and own_from is not None:
                self.seconds = piece.end * unit - own_from

    def _key_numbers(self) -> list[int]:
        """Returns the moments of all frames, by which a key frame's number is known."""
        with opened(self._source, self._options.max_pixels) as container:
            table = frame_table(container)
        return [] if table is None else table.moments


def _sought(
    container: "InputContainer", wanted: int, damaged: Callable[[], None]
) -> Iterator[tuple[float | None, UInt8Array]]:
    """Yields the frames from a moment on, or from a little before it."""
    import av

    stream = container.streams.video[0]
    unit = float(stream.time_base or 1)
    for earlier in _EARLIER:
        target = wanted - round(earlier / unit)
        try:
            container.seek(max(target, stream.start_time or target), stream=stream)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"cannot be searched ({error.strerror})") from None
        frames = decode(container, damaged)
        head = next(frames, None)
        if head is not None and head[0] is not None and round(head[0] / unit) <= wanted:
            yield head
            yield from frames
            return
    # From the begin: slow, and sure.
    container.seek(stream.start_time or 0, stream=stream)
    yield from decode(container, damaged)
