"""Where a long video is cut: at key frames, so that each piece can be decoded by itself."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskdet.archive.opening import opened
from maskdet.archive.options import WorkOptions
from maskdet.media.inputs.containers import frame_rate_of
from maskdet.vision.faces.size_choice import LOOK_EVERY

if TYPE_CHECKING:
    from av.container import InputContainer

# A piece may be so much longer than asked, rather than leave a short one behind.
_LONGER = 1.25
# A warm-up that would have to begin so many seconds earlier, to begin where one pass looks about,
# begins where it is asked for.
_LONGEST_ALIGNED = 15.0


@dataclass(frozen=True)
class Piece:
    """A part of a video: the frames that are shown from one moment up to another.

    Moments are in units of the stream's time base, as the file counts them.

    Attributes:
        number: of the piece in its video, from 0.
        first: number of its first frame in the video.
        begin: moment of its first frame; ``None`` for the video's begin.
        end: moment of the first frame that is not its own; ``None`` for the video's end.
        warm_first: number of the frame at which its warm-up begins, `first` without one.
        warm_begin: moment of that frame; ``None`` for the video's begin.
        zero: moment of the video's first frame, from which time counts.
        last: whether it is the video's last.
    """

    number: int = 0
    first: int = 0
    begin: int | None = None
    end: int | None = None
    warm_first: int = 0
    warm_begin: int | None = None
    zero: int | None = None
    last: bool = True


@dataclass(frozen=True)
class FrameTable:
    """When each frame of a video is shown.

    Attributes:
        moments: of all frames, ascending, in units of the time base.
        keys: those of key frames, ascending.
        unit: seconds a unit.
        rate: frames a second.
    """

    moments: list[int]
    keys: list[int]
    unit: float
    rate: float


def frame_table(container: "InputContainer") -> FrameTable | None:
    """Reads a video's packets, without decoding them.

    Returns:
        When its frames are shown; ``None`` where the file does not say it of each.
    """
    import av

    stream = container.streams.video[0]
    if stream.time_base is None:
        return None
    moments: list[int] = []
    keys: list[int] = []
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            moments.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    except (av.FFmpegError, OSError):
        # Cut short: what there is can be looked at.
        if not moments:
            return None
    moments.sort()
    if len(set(moments)) != len(moments):
        return None
    return FrameTable(moments, sorted(keys), float(stream.time_base), frame_rate_of(container))


def cut_video(source: str, options: WorkOptions) -> list[Piece]:
    """Cuts a video into pieces.

    Args:
        source: path or address.
        options: how long they are, and how they warm up.

    Returns:
        The pieces in order; one where it cannot be cut.

    Raises:
        SourceError: it cannot be opened.
    """
    with opened(source, options.max_pixels) as container:
        table = frame_table(container)
    if table is None or not table.moments:
        return [Piece()]
    return pieces_of(table, options)


def pieces_of(table: FrameTable, options: WorkOptions) -> list[Piece]:
    """Divides a video's frames; see `cut_video`."""
    moments, length = table.moments, options.piece_seconds
    starts = [moments[0]]
    end = moments[-1] + 1
    for key in table.keys:
        since, left = (key - starts[-1]) * table.unit, (end - key) * table.unit
        if since >= length and left >= length * (_LONGER - 1):
            starts.append(key)
    pieces = []
    for number, begin in enumerate(starts):
        first = bisect_left(moments, begin)
        last = number == len(starts) - 1
        warm = first if number == 0 else _warm_first(table, first, options)
        pieces.append(
            Piece(
                number,
                first,
                None if number == 0 else begin,
                None if last else starts[number + 1],
                warm,
                None if warm == 0 else moments[warm],
                moments[0],
                last,
            )
        )
    return pieces


def _warm_first(table: FrameTable, first: int, options: WorkOptions) -> int:
    """Returns the frame at which a piece's warm-up begins.

    The face detector looks about at full size in one frame of so many, and a piece must do so in
    the same frames as one pass over the video.
    """
    moments = table.moments
    begin = moments[first] - options.warm_up / table.unit
    warm = bisect_left(moments, begin)
    step = LOOK_EVERY * options.every
    aligned = warm // step * step
    if (moments[warm] - moments[aligned]) * table.unit <= _LONGEST_ALIGNED:
        return aligned
    return warm // options.every * options.every
