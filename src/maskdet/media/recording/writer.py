"""Writes a video file, in fragments that outlast whatever ends the run."""

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import cv2
import imutils

from maskdet.errors import OutputError
from maskdet.files.holding import BusyError
from maskdet.media.files import make_folder
from maskdet.media.frames import UInt8Array
from maskdet.media.recording.codecs import WRITABLE_VIDEOS, Codec, usable_codec
from maskdet.media.recording.finish import FRAGMENTED, finish, has_pictures
from maskdet.media.recording.partial import PartialFile
from maskdet.media.recording.timing import FrameClock

if TYPE_CHECKING:
    import av

    from maskdet.media.sound import Sound


# A fragment begins at each key frame.
_SECONDS_PER_FRAGMENT = 2
# MPEG-4 part 2 stores the frame rate in 16 bits.
_MAX_RATE_DENOMINATOR = 1001
# What FFmpeg calls the formats.
_FORMATS = {".avi": "avi", ".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}


class VideoWriter:
    """A video file, written beside its name, and finished and renamed when it is closed.

    The first frame decides the size; later frames of another size are fitted into it. What a run
    that was killed has left of the same file is finished under a name of its own.

    Args:
        path: .mp4, .mov or .mkv (H.264) or .avi (MPEG-4, XVID).
        frame_rate: frames a second.
        log: told when the usual codec cannot be had and which stands in for it, and what a file
            is without.

    Attributes:
        sound: to be put beside the frames when the file is closed.
    """

    def __init__(
        self, path: Path, frame_rate: float, log: Callable[[str], None] = lambda _: None
    ) -> None:
        if path.suffix.lower() not in WRITABLE_VIDEOS:
            raise OutputError(
                f"{path}: a video is written as one of {', '.join(sorted(WRITABLE_VIDEOS))}"
            )
        self.path = path
        self.frames = 0
        self.sound: Sound | None = None
        self._log = log
        slowest = Fraction(1, _MAX_RATE_DENOMINATOR)
        self._rate = max(slowest, Fraction(frame_rate).limit_denominator(_MAX_RATE_DENOMINATOR))
        self._partial: PartialFile | None = None
        self._container: Any = None
        self._stream: Any = None
        self._clock = FrameClock(self._rate, 1)
        self._key: int | None = None
        # Why nothing more can be written.
        self._fault: OutputError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def seconds(self) -> float:
        """How long the video is."""
        return self._clock.end

    @property
    def keeps_time(self) -> bool:
        """Whether a second of the source is a second of the video, from its begin to its end."""
        return not self._clock.has_jumped

    def _open(self, width: int, height: int) -> None:
        """Makes the file and writes its head.

        Raises:
            OutputError: it cannot be; nothing is left of it.
        """
        import av

        make_folder(self.path.parent)
        codec = usable_codec(self.path, width, height, self._rate, self._log)
        flags = {"flush_packets": "1"}
        if self.path.suffix.lower() in FRAGMENTED:
            flags["movflags"] = "frag_keyframe+empty_moov+default_base_moof"
        elif self.path.suffix.lower() == ".mkv":
            flags["cluster_time_limit"] = str(1000 * _SECONDS_PER_FRAGMENT)
        try:
            self._partial = PartialFile(self.path, self._log)
            self._container = av.open(
                self._partial.file, "w", _FORMATS[self.path.suffix.lower()], container_options=flags
            )
            self._add_stream(codec, width, height)
            # Here, as a second try at a head that could not be written ends the process.
            self._container.start_encoding()
        except BusyError:
            raise OutputError(f"{self.path}: is being recorded by another run") from None
        except (av.FFmpegError, OSError) as error:
            self._container = None
            if self._partial is not None:
                self._partial.discard()
            raise OutputError(f"{self.path}: cannot be written ({_reason(error)})") from None

    def _add_stream(self, codec: Codec, width: int, height: int) -> None:
        self._stream = self._container.add_stream(codec.name, rate=self._rate)
        self._clock = FrameClock(self._rate, codec.ticks)
        self._stream.codec_context.time_base = self._clock.tick
        # 4:2:0 chroma needs even sides.
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        # Frames encoded side by side would each be held in memory; the cores have other work.
        self._stream.codec_context.thread_count = 1
        self._stream.options = codec.options
        self._stream.codec_context.gop_size = max(1, round(_SECONDS_PER_FRAGMENT * self._rate))
        if codec.tag:
            self._stream.codec_tag = codec.tag

    def write(self, image: UInt8Array, time: float | None = None) -> None:
        """Appends a frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            time: when it is shown, in seconds of its source, as frames of a camera come when they
                come; ``None`` for one frame's time after the last.

        Raises:
            OutputError: the file cannot be written (what was written so far is kept), now or
                since an earlier frame.
        """
        import av

        if self._fault is not None:
            raise self._fault
        if self._container is None:
            self._open(image.shape[1], image.shape[0])
        try:
            # A quarter of the time that FFmpeg's own conversion takes.
            planes = cv2.cvtColor(self._fit(image), cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = self._clock.position(time), self._clock.tick
            if self._begins_fragment(frame.pts):
                frame.pict_type = av.video.frame.PictureType.I
            self._encode(frame)
        except (av.FFmpegError, OSError) as error:
            raise self._break_off(error) from None
        self.frames += 1

    def _begins_fragment(self, position: int) -> bool:
        """Tells whether it is time for a key frame: by the clock, not by the number of frames."""
        if self._key is None or (position - self._key) * self._clock.tick >= _SECONDS_PER_FRAGMENT:
            self._key = position
            return True
        return False

    def _encode(self, frame: "av.VideoFrame | None") -> None:
        """Encodes a frame, or what is left at the end."""
        for packet in self._stream.encode(frame):
            # Or the last frame of the file would be shown for a tick.
            packet.duration = self._clock.ticks
            self._container.mux(packet)

    def _fit(self, image: UInt8Array) -> UInt8Array:
        """Brings a frame to the stream's size: padded by a pixel, or scaled onto black."""
        width, height = self._stream.width, self._stream.height
        if (
            image.shape[1] > width
            or image.shape[0] > height
            or max(width - image.shape[1], height - image.shape[0]) > 1
        ):
            wide = image.shape[1] * height > width * image.shape[0]
            image = (
                imutils.resize(image, width=width) if wide else imutils.resize(image, height=height)
            )
            image = image[:height, :width]
        missing_rows, missing_columns = height - image.shape[0], width - image.shape[1]
        if missing_rows or missing_columns:
            border = (
                cv2.BORDER_REPLICATE
                if max(missing_rows, missing_columns) == 1
                else cv2.BORDER_CONSTANT
            )
            image = cv2.copyMakeBorder(image, 0, missing_rows, 0, missing_columns, border)
        return image

    def close(self) -> None:
        """Finishes the file and gives it its name; without a frame there is no file.

        Raises:
            OutputError: the last frames cannot be written, or the file cannot be given its name.
        """
        if self._container is None:
            return
        import av

        assert self._partial is not None
        try:
            self._encode(None)
            self._container.close()
            self._partial.close()
        except (av.FFmpegError, OSError) as error:
            raise self._break_off(error) from None
        self._container = None
        try:
            finish(self._partial.path, self.path, self._log, sound=self.sound)
        finally:
            self._partial.release()

    def _break_off(self, error: Exception) -> OutputError:
        """Ends a file that takes no more: what is there plays, under its name.

        Returns:
            What is to be raised.
        """
        import av

        container, self._container = self._container, None
        partial = self._partial
        assert partial is not None
        with suppress(av.FFmpegError, OSError):
            container.close()
        partial.close()
        words = f"{self.path}: cannot be written on ({_reason(error)})"
        if not has_pictures(partial.path):
            partial.discard()
            self._fault = OutputError(words.replace(" on (", " ("))
            return self._fault
        try:
            partial.path.replace(self.path)
            self._fault = OutputError(f"{words}; it holds what was written so far")
        except OSError:
            self._fault = OutputError(f"{words}; see {partial.path}")
        finally:
            partial.release()
        return self._fault


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
