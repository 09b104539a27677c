"""Cuts a clip out of videos that follow one another, without encoding it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskdet.errors import OutputError
from maskdet.media.files import replacing

if TYPE_CHECKING:
    from fractions import Fraction

# How long the last picture is shown. Seconds.
_LAST_FRAME = 0.04


@dataclass(frozen=True)
class Piece:
    """A finished video.

    Attributes:
        start: when it begins, by any clock that the others have, too. Seconds.
        seconds: how long it is.
        content: its file, or what would be in it.
    """

    start: float
    seconds: float
    content: Path | bytes

    @property
    def end(self) -> float:
        """When it ends."""
        return self.start + self.seconds


def cut_clip(path: Path, pieces: Sequence[Piece], start: float, end: float) -> float:
    """Writes what of some pieces lies between two moments.

    It begins with the last key frame before: a little earlier than asked.

    Args:
        path: an MP4, made whole or not at all.
        pieces: in order; all of one size.
        start: by the pieces' clock.
        end: likewise.

    Returns:
        How long it is, in seconds; 0 where nothing lies between, and nothing is written.

    Raises:
        OutputError: it cannot be written.
    """
    import av

    chosen = [piece for piece in pieces if piece.end >= start and piece.start <= end]
    if not chosen:
        return 0.0
    with replacing(path) as temporary:
        try:
            return _write(temporary, chosen, start, end)
        except av.FFmpegError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def _write(path: Path, pieces: Sequence[Piece], start: float, end: float) -> float:
    import av

    first: float | None = None
    last = 0.0
    written: Any = None
    with av.open(str(path), "w", "mp4", options={"movflags": "faststart"}) as clip:
        for piece in pieces:
            content = str(piece.content)
            opened: Any = BytesIO(piece.content) if isinstance(piece.content, bytes) else content
            with av.open(opened, format="mp4") as source:
                stream = source.streams.video[0]
                if written is None:
                    written = clip.add_stream_from_template(stream)
                for packet in _from_key(source, stream, start - piece.start):
                    moment = piece.start + float(packet.pts * packet.time_base)
                    if moment > end:
                        break
                    if first is None:
                        first = moment
                    base: Fraction = packet.time_base
                    packet.pts = packet.dts = round((moment - first) / base)
                    packet.stream = written
                    clip.mux(packet)
                    last = moment - first + _LAST_FRAME
    return last


def _from_key(source: Any, stream: Any, start: float) -> list[Any]:
    """Returns a piece's packets from the last key frame at or before a moment."""
    packets = [packet for packet in source.demux(stream) if packet.pts is not None]
    begin = 0
    for place, packet in enumerate(packets):
        if packet.is_keyframe and float(packet.pts * packet.time_base) <= start:
            begin = place
    return packets[begin:]
