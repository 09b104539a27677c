"""Where a run's frames are written: files named after their pictures, or one video."""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import PICTURE_SUFFIXES
from maskdet.errors import OutputError
from maskdet.media.files import next_run_folder
from maskdet.media.frames import FALLBACK_FRAME_RATE, Frame, Source
from maskdet.media.sinks import WRITABLE_VIDEOS, VideoWriter, picture_output_name, write_picture

UInt8Array = NDArray[np.uint8]


class FrameOutput:
    """Writes each frame of a source where it belongs; a context manager.

    Nothing is created before the first frame, so a source that cannot be read leaves nothing.

    Args:
        source: what the frames come from; pictures become pictures, video and cameras a video.
        target: a folder, or a file for a single picture or video; ``None`` for a fresh folder
            ``runs/<command>/<n>``.
        command: the command's name.
        overwrite: whether files that exist may be replaced.

    Raises:
        OutputError: the target is a file that exists, or does not fit the source.
    """

    def __init__(
        self, source: Source, target: Path | None, command: str, *, overwrite: bool = False
    ) -> None:
        self.written: list[Path] = []
        self._source = source
        self._command = command
        self._overwrite = overwrite
        self._video: VideoWriter | None = None
        suffix = target.suffix.lower() if target is not None else ""
        names_file = suffix in WRITABLE_VIDEOS | PICTURE_SUFFIXES
        self._file = target if names_file else None
        self._folder = None if names_file else target
        if self._file is not None:
            self._check_file(self._file)

    def _check_file(self, file: Path) -> None:
        if self._source.kind == "pictures":
            raise OutputError(f"{file}: a folder of pictures needs a folder as its output")
        suffixes = WRITABLE_VIDEOS if self._source.is_moving else PICTURE_SUFFIXES
        if file.suffix.lower() not in suffixes:
            what = "video" if self._source.is_moving else "picture"
            raise OutputError(
                f"{file}: {self._source.name} gives a {what}: end the name in "
                f"{', '.join(sorted(suffixes))}"
            )
        self._guard(file)

    def _guard(self, path: Path) -> Path:
        if path.exists() and not self._overwrite:
            raise OutputError(f"{path}: exists already; --overwrite replaces it")
        return path

    def _path(self, name: str) -> Path:
        """Returns where a file of the run goes, creating the run's folder when it is fresh."""
        if self._file is not None:
            return self._file
        if self._folder is None:
            self._folder = next_run_folder(self._command)
        return self._guard(self._folder / name)

    @property
    def place(self) -> Path | None:
        """The folder or file written to; ``None`` before a fresh folder was made."""
        return self._file or self._folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._video is not None:
            self._video.close()

    def write(self, frame: Frame, image: UInt8Array) -> None:
        """Writes what became of a frame.

        Args:
            frame: the frame as it was read; names the file.
            image: (H, W, 3) uint8 BGR.

        Raises:
            OutputError: it cannot be written.
        """
        if not self._source.is_moving:
            path = self._path(picture_output_name(frame.source))
            write_picture(path, image)
            self.written.append(path)
            return
        if self._video is None:
            name = Path(self._source.name).stem.replace(" ", "-") + ".mp4"
            path = self._path(name)
            self._video = VideoWriter(path, self._source.frame_rate or FALLBACK_FRAME_RATE)
            self.written.append(path)
        self._video.write(image)
