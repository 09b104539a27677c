"""The recording of one moving source: its frames at their times, with its sound where there is."""

from collections.abc import Callable
from pathlib import Path

from maskdet.media.frames import FALLBACK_FRAME_RATE, Frame, Source, UInt8Array
from maskdet.media.inputs.live import LiveSource
from maskdet.media.inputs.video import VideoSource
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sound import Sound


class Recording:
    """Writes a source's frames to a video file.

    Args:
        source: where they come from; at least one frame of it has been read.
        path: the file; see `VideoWriter`.
        keep_times: whether frames are shown when they were in their source; else one follows the
            other at the source's frame rate.
        log: told what the file is without.
    """

    def __init__(
        self, source: Source, path: Path, *, keep_times: bool, log: Callable[[str], None]
    ) -> None:
        self.path = path
        self._source = source
        self._keep_times = keep_times
        self._log = log
        self._video = VideoWriter(path, source.frame_rate or FALLBACK_FRAME_RATE, log)
        reason = self._why_silent()
        if reason is not None:
            log(f"{path}: is without sound, {reason}")

    def write(self, frame: Frame, image: UInt8Array) -> None:
        """Appends what became of a frame.

        Args:
            frame: the frame as it was read.
            image: (H, W, 3) uint8 BGR.

        Raises:
            OutputError: the file cannot be written.
        """
        self._video.write(image, frame.time if self._keep_times else None)

    def close(self) -> None:
        """Finishes the file.

        Raises:
            OutputError: its end cannot be written.
        """
        self._video.sound = self._sound()
        self._video.close()

    def _why_silent(self) -> str | None:
        """Returns why the source's sound will not be in the file, ``None`` if it has none."""
        source = self._source
        if isinstance(source, LiveSource) and source.has_sound:
            return f"as that of {source.name} is not recorded"
        if not isinstance(source, VideoSource) or not source.has_sound:
            return None
        if not self._keep_times:
            return "as its frames are shown at another rate than their source's"
        if source.file is None:
            return f"as {source.name} would have to be fetched once more for it"
        return None

    def _sound(self) -> Sound | None:
        if not isinstance(self._source, VideoSource) or self._why_silent() is not None:
            return None
        sound = self._source.sound(self._video.seconds)
        if sound is not None and not self._video.keeps_time:
            self._log(f"{self.path}: is without sound, as {self._source.name} has gaps in its time")
            return None
        return sound
