"""Where a run's frames are written: files named after their pictures, one video a moving source."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

from maskdet.errors import OutputError
from maskdet.media.codecs import WRITABLE_VIDEOS
from maskdet.media.files import next_run_folder, refuse_existing
from maskdet.media.frames import (
    FALLBACK_FRAME_RATE,
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    Frame,
    Source,
    UInt8Array,
)
from maskdet.media.pictures import PictureSource
from maskdet.media.sinks import WRITABLE_PICTURES, VideoWriter, picture_output_name, write_picture


class RunOutput:
    """Writes the frames of a run where they belong; a context manager.

    Nothing is created before the first frame, so a source that cannot be read leaves nothing.

    Args:
        sources: what the frames come from; pictures become pictures, all else videos.
        target: a folder, or a file for a single picture or video; ``None`` for a fresh folder
            ``runs/<command>/<n>``.
        command: the command's name.
        overwrite: whether files that exist may be replaced.
        keep_times: whether a video's frames are shown when they were in their source; else one
            follows the other at the source's frame rate.
        log: told what the user should know.

    Attributes:
        written: the files written.

    Raises:
        OutputError: the target is a file that exists, or does not fit the sources.
    """

    def __init__(
        self,
        sources: list[Source],
        target: Path | None,
        command: str,
        *,
        overwrite: bool = False,
        keep_times: bool = True,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.written: list[Path] = []
        self._log = log
        self._command = command
        self._overwrite = overwrite
        self._keep_times = keep_times
        self._videos: dict[int, VideoWriter] = {}
        self._taken: set[Path] = set()
        self._sources = sources
        suffix = target.suffix.lower() if target is not None else ""
        names_file = suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES
        self._file = target if names_file else None
        self._folder = None if names_file else target
        if self._file is not None:
            self._check_file(self._file, sources)

    def _check_file(self, file: Path, sources: list[Source]) -> None:
        if len(sources) > 1 or sources[0].kind == "pictures":
            raise OutputError(f"{file}: several pictures or sources need a folder as their output")
        moving = sources[0].is_moving
        suffixes = WRITABLE_VIDEOS if moving else WRITABLE_PICTURES
        if file.suffix.lower() not in suffixes:
            raise OutputError(
                f"{file}: {sources[0].name} gives a {'video' if moving else 'picture'}: "
                f"end the name in {', '.join(sorted(suffixes))}"
            )
        self.guard(file)

    @cached_property
    def _read(self) -> frozenset[Path]:
        """The files that are read; looked up when first asked for, as a folder may have many."""
        read: set[Path] = set()
        for source in self._sources:
            read.update(source.paths if isinstance(source, PictureSource) else [Path(source.name)])
        return frozenset(path.resolve() for path in read)

    def guard(self, path: Path) -> None:
        """Refuses a file that exists, unless it may be replaced; what is being read never may.

        Args:
            path: any file the run is to write, not only its frames.

        Raises:
            OutputError: the file is not to be written.
        """
        if path.exists() and path.resolve() in self._read:
            raise OutputError(f"{path}: is what is read; write it elsewhere")
        refuse_existing(path, overwrite=self._overwrite)

    def _new_path(self, name: Path, *, unused: bool = False) -> Path:
        """Returns where a file of the run goes; a name taken in this run gets a number.

        Args:
            name: below the folder of the run.
            unused: whether the name of a file that exists gets a number, too.
        """
        if self._folder is None:
            self._folder = next_run_folder(self._command)
        path, number = self._folder / name, 1
        while path in self._taken or (unused and path.exists()):
            number += 1
            path = self._folder / name.with_name(f"{name.stem}-{number}{name.suffix}")
        self._taken.add(path)
        self.guard(path)
        return path

    @property
    def place(self) -> Path | None:
        """The folder or file written to; ``None`` before a fresh folder was made."""
        return self._file or self._folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        # All of them, also where the end of one cannot be written.
        with ExitStack() as stack:
            for video in self._videos.values():
                stack.callback(video.close)

    def write(self, source: Source, frame: Frame, image: UInt8Array) -> None:
        """Writes what became of a frame.

        Args:
            source: the frame's source.
            frame: the frame as it was read; names the file.
            image: (H, W, 3) uint8 BGR.

        Raises:
            OutputError: it cannot be written.
        """
        if not source.is_moving:
            name = picture_output_name(Path(frame.source).name)
            path = self._file or self._new_path(_place(source, frame) / name)
            write_picture(path, image)
            self.written.append(path)
            return
        video = self._videos.get(id(source))
        if video is None:
            name = _safe(source.name) + ".mp4"
            path = self._file or self._new_path(_place(source, frame) / name)
            video = VideoWriter(path, source.frame_rate or FALLBACK_FRAME_RATE, self._log)
            self._videos[id(source)] = video
            self.written.append(path)
        video.write(image, frame.time if self._keep_times else None)

    def write_still(self, image: UInt8Array) -> Path:
        """Writes one frame as a picture of its own beside the run's files, and returns where."""
        if self._file is not None:
            self._folder = self._file.parent
        path = self._new_path(Path("frame.jpg"), unused=True)
        write_picture(path, image)
        return path


def _place(source: Source, frame: Frame) -> Path:
    """Returns where in the output a frame belongs: its folder below the one the user named."""
    path = Path(frame.source)
    if source.folder is None or not path.is_relative_to(source.folder):
        return Path()
    return path.relative_to(source.folder).parent


def _safe(name: str) -> str:
    """Makes a file name of a source's name: "camera 0" -> "camera-0", a path or URL -> its end."""
    end = name.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1] if "/" in name else name
    stem = Path(end).stem or "stream"
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in stem)
