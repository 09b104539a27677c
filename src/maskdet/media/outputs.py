"""Where a run's frames are written: files named after their pictures, one video a moving source."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from maskdet.errors import OutputError
from maskdet.media.files import next_run_folder, refuse_existing, unused
from maskdet.media.frames import Frame, Source, UInt8Array
from maskdet.media.inputs.naming import file_stem
from maskdet.media.picture_files import WRITABLE_PICTURES, picture_output_name, write_picture
from maskdet.media.recording.codecs import WRITABLE_VIDEOS
from maskdet.media.recording.interrupted import finish_beside, put_all_aside, put_earlier_aside
from maskdet.media.recording.recording import Recording
from maskdet.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from maskdet.wording import counted

if TYPE_CHECKING:
    import threading


class RunOutput:
    """Writes the frames of a run where they belong; a context manager.

    Nothing is created before the first frame, so a source that cannot be read leaves nothing.

    Args:
        sources: what the frames come from; pictures become pictures, all else videos.
        target: a folder, or a file for a single picture or video; ``None`` for a fresh folder
            ``runs/<command>/<n>``.
        command: the command's name.
        overwrite: whether files that exist may be replaced.
        append: whether files that exist stay, and those of this run get numbers.
        lasting: whether the run goes on where a recording cannot be written on.
        keep_times: whether a video's frames are shown when they were in their source; else one
            follows the other at the source's frame rate.
        log: told what the user should know.

    Attributes:
        written: the files written.
        failures: one line for each recording whose end is missing.

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
        append: bool = False,
        lasting: bool = False,
        keep_times: bool = True,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.written: list[Path] = []
        self.failures: list[str] = []
        self._log = log
        self._command = command
        self._overwrite = overwrite
        self._append = append
        self._lasting = lasting
        self._keep_times = keep_times
        # By the source's id; ``None`` once it has ended.
        self._recordings: dict[int, Recording | None] = {}
        self._finishing: threading.Thread | None = None
        self._taken: set[Path] = set()
        self._sources = sources
        suffix = target.suffix.lower() if target is not None else ""
        names_file = suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES
        self._file = target if names_file else None
        self._folder = None if names_file else target
        if self._file is not None:
            self._file = self.free(self._file)
            self._check_file(self._file, sources)
        elif self._folder is not None and not append:
            # Now, not when a camera that is to be watched for days gives its first frame.
            for source in sources:
                if source.is_live:
                    self.guard(self._folder / f"{file_stem(source)}.mp4")

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
            read.update(source.paths)
        return frozenset(path.resolve() for path in read)

    def guard(self, path: Path) -> None:
        """Refuses a file that exists, unless it may be replaced; what is being read never may.

        Args:
            path: any file the run is to write, not only its frames.

        Raises:
            OutputError: the file is not to be written.
        """
        self.guard_records(path)
        refuse_existing(path, overwrite=self._overwrite)

    def guard_records(self, path: Path) -> None:
        """Refuses a file that is being read, for records; they know themselves what they replace.

        Args:
            path: any file the run is to write.

        Raises:
            OutputError: the file is not to be written.
        """
        if path.exists() and path.resolve() in self._read:
            raise OutputError(f"{path}: is what is read; write it elsewhere")

    def free(self, path: Path) -> Path:
        """Returns the name that a file of the run gets: with a number where an earlier one stays.

        Args:
            path: the name that was asked for.
        """
        return unused(path) if self._append else path

    def _new_path(self, name: Path, *, keep: bool = False) -> Path:
        """Returns where a file of the run goes; a name taken in this run gets a number.

        Args:
            name: below the folder of the run.
            keep: whether the name of a file that exists gets a number, too.
        """
        if self._folder is None:
            self._folder = next_run_folder(self._command)
        path, number = self._folder / name, 1
        # What came to stand there since the start does not end the watching.
        keep = keep or self._append or self._lasting
        while path in self._taken or (keep and path.exists()):
            number += 1
            path = self._folder / name.with_name(f"{name.stem}-{number}{name.suffix}")
        self._taken.add(path)
        self.guard(path)
        return path

    @property
    def names(self) -> list[str]:
        """What the user is to be told was written: the files, or the folder of more than one."""
        if self._folder is not None and self._file is None and len(self.written) > 1:
            return [f"{self._folder} ({counted(len(self.written), 'file')})"]
        return [str(path) for path in self.written]

    def __enter__(self) -> Self:
        """Finishes, beside the run, what an earlier one was killed over.

        Raises:
            OutputError: another run is writing the same file.
        """
        if self._file is None:
            own = self._folder is not None
            places = (
                [self._folder] if self._folder else sorted(Path("runs").glob(self._command + "/*"))
            )
            broken_off = [
                recording
                for place in places
                for recording in put_all_aside(place, keep_names=not own)
            ]
        else:
            broken_off = put_earlier_aside(self._file)
        self._finishing = finish_beside(broken_off, self._log)
        return self

    def __exit__(self, *exception: object) -> None:
        self._close_all()
        if self._finishing is not None:
            self._finishing.join()

    def _close_all(self) -> None:
        """Finishes the recordings: all of them, also where the end of one cannot be written."""
        for key, recording in self._recordings.items():
            if recording is not None:
                self._recordings[key] = None
                try:
                    recording.close()
                except OutputError as error:
                    self._give_up(recording, error)

    def _give_up(self, recording: Recording, error: OutputError) -> None:
        self.failures.append(str(error))
        if not recording.path.exists():
            self.written.remove(recording.path)

    def write(self, source: Source, frame: Frame, image: UInt8Array) -> None:
        """Writes what became of a frame.

        Args:
            source: the frame's source.
            frame: the frame as it was read; names the file.
            image: (H, W, 3) uint8 BGR.

        Raises:
            OutputError: it cannot be written; of a recording in a lasting run, that is only said.
        """
        if not source.is_moving:
            name = picture_output_name(Path(frame.source).name)
            path = self._file or self._new_path(place_of(source, frame.source) / name)
            write_picture(path, image)
            self.written.append(path)
            return
        if id(source) not in self._recordings:
            self._begin(source, frame)
        recording = self._recordings[id(source)]
        if recording is None:
            return
        try:
            recording.write(frame, image)
        except OutputError as error:
            self._recordings[id(source)] = None
            self._give_up(recording, error)
            if not self._lasting:
                raise
            self._log(f"{error}; watching goes on")

    def _begin(self, source: Source, frame: Frame) -> None:
        if not any(other.is_live for other in self._sources):
            # They are read one after another: those before are at their end.
            self._close_all()
        name = f"{file_stem(source)}.mp4"
        path = self._file or self._new_path(place_of(source, frame.source) / name)
        self._recordings[id(source)] = Recording(
            source, path, keep_times=self._keep_times, log=self._log
        )
        self.written.append(path)

    def write_still(self, image: UInt8Array) -> Path:
        """Writes one frame as a picture of its own beside the run's files, and returns where."""
        if self._file is not None:
            self._folder = self._file.parent
        path = self._new_path(Path("frame.jpg"), keep=True)
        write_picture(path, image)
        self.written.append(path)
        return path


def place_of(source: Source, name: str) -> Path:
    """Returns where in the output a frame belongs: its folder below the one the user named.

    Args:
        source: the frame's source.
        name: the frame's; see `Frame.source`.
    """
    path = Path(name)
    if source.folder is None or not path.is_relative_to(source.folder):
        return Path()
    return path.relative_to(source.folder).parent
