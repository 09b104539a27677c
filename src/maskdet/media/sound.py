"""The sound of a video, to be kept beside what was made of its pictures."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskdet.errors import MaskdetError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer


# By how much times that are equal may differ. Seconds.
_ROUNDING = 0.001


class SoundError(MaskdetError):
    """Sound that cannot be kept in a file; the message goes on from the file's format."""


@dataclass(frozen=True)
class Sound:
    """The first sound track of a file, as far as its pictures were recorded.

    Attributes:
        file: the video.
        begin: when the recording's first frame is shown, by the file's own clock, in seconds.
        end: when the recording ends, likewise; ``None`` for all there is.
    """

    file: Path
    begin: float
    end: float | None = None

    def copied_to(self, output: "OutputContainer", source: "InputContainer") -> "Copied":
        """Adds the track to a file that is being made, as it is: nothing is encoded again.

        Args:
            output: the new file, its header not yet written.
            source: `file`, opened.

        Raises:
            SoundError: the file has none, or its new format cannot hold it.
        """
        if not source.streams.audio:
            raise SoundError(f"and {self.file} has none any more")
        track = source.streams.audio[0]
        try:
            copy: Any = output.add_stream_from_template(track, opaque=True)
        except ValueError:
            name = getattr(track.codec_context, "name", None) or "what it is encoded with"
            raise SoundError(f"which cannot hold {name}") from None
        # AVI has no times: what is before the first frame would make all the rest late.
        return Copied(self, source, copy, run_up=output.format.name != "avi")


class Copied:
    """The packets of a sound track on their way into a new file.

    Args:
        sound: the track.
        source: its file, opened.
        stream: the track of the new file.
        run_up: whether a packet may stand before the first frame.
    """

    def __init__(
        self, sound: Sound, source: "InputContainer", stream: Any, *, run_up: bool
    ) -> None:
        self._run_up = run_up
        self._sound = sound
        self._source = source
        self._stream = stream

    def __iter__(self) -> Iterator["av.Packet[Any]"]:
        """Gives the packets, timed by the recording; a damaged track ends where it is damaged."""
        import av

        track = self._source.streams.audio[0]
        with suppress(av.FFmpegError, OSError):
            for packet in self._source.demux(track):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                begin = float(packet.pts * packet.time_base)
                length = float((packet.duration or 0) * packet.time_base)
                # One packet before the first frame stays: a decoder needs it for the next.
                needed = begin + length if self._run_up else begin
                if needed < self._sound.begin - _ROUNDING:
                    continue
                if self._sound.end is not None and begin >= self._sound.end:
                    return
                shift = int(np.rint(self._sound.begin / float(packet.time_base)))
                packet.pts -= shift
                packet.dts -= shift
                packet.stream = self._stream
                yield packet
