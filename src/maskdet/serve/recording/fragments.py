"""Encodes pictures into a fragmented MP4, a file or memory, which plays wherever it breaks off."""

from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import cv2

from maskdet.errors import OutputError
from maskdet.media.frames import UInt8Array
from maskdet.media.recording.codecs import usable_codec

# Times are kept to the millisecond; a fragment begins at each key frame. Seconds.
_TICK = Fraction(1, 1000)
SECONDS_A_FRAGMENT = 2.0
# By how much FFmpeg may differ from what it is told of the rate: nothing, as times are given.
_NOMINAL_RATE = Fraction(25)
_FLAGS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}


class Fragments:
    """A video that is being written.

    Args:
        target: path of the file, or memory.
        width: of the pictures, in pixels; they are cut to even sides.
        height: likewise.

    Attributes:
        seconds: how long it is.
        written: how much of it is in the target already, all before the newest key frame. Seconds.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, target: Path | IO[bytes], width: int, height: int) -> None:
        import av

        self.seconds = self.written = 0.0
        self._name = target if isinstance(target, Path) else "memory"
        self._size = width - width % 2, height - height % 2
        codec = usable_codec(Path("recording.mp4"), *self._size, _NOMINAL_RATE, lambda _: None)
        self._key = -SECONDS_A_FRAGMENT
        self._last = -1
        try:
            where: Any = str(target) if isinstance(target, Path) else target
            self._container = av.open(where, "w", "mp4", container_options=_FLAGS)
            stream: Any = self._container.add_stream(codec.name, rate=_NOMINAL_RATE)
            stream.width, stream.height = self._size
            stream.pix_fmt, stream.options = "yuv420p", codec.options
            stream.codec_context.time_base = _TICK
            # The other cores have other work.
            stream.codec_context.thread_count = 1
            stream.codec_context.max_b_frames = 0
            stream.codec_context.gop_size = 10_000
            self._stream = stream
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None

    def write(self, image: UInt8Array, time: float) -> None:
        """Appends a picture.

        Args:
            image: (H, W, 3) uint8 BGR, of the size given.
            time: when it is shown, in seconds from the first.

        Raises:
            OutputError: it cannot be written.
        """
        import av

        width, height = self._size
        planes = cv2.cvtColor(image[:height, :width], cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._last = max(self._last + 1, round(time / _TICK))
        frame.pts, frame.time_base = self._last, _TICK
        if time - self._key >= SECONDS_A_FRAGMENT:
            frame.pict_type = av.video.frame.PictureType.I
            self._key = time
        self._mux(frame)
        self.seconds = self._last * float(_TICK)

    def close(self) -> None:
        """Finishes it.

        Raises:
            OutputError: its end cannot be written; what was before it plays.
        """
        import av

        try:
            self._mux(None)
        finally:
            try:
                self._container.close()
            except (av.FFmpegError, OSError) as error:
                raise self._failed(error) from None

    def _mux(self, frame: Any) -> None:
        import av

        try:
            for packet in self._stream.encode(frame):
                begins = float(packet.pts * packet.time_base) if packet.is_keyframe else None
                self._container.mux(packet)
                if begins is not None:
                    # What was before it is a fragment of its own now.
                    self.written = begins
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(f"{self._name}: cannot be recorded ({reason})")
