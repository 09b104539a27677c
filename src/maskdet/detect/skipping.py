"""Leaves out what an earlier run has done: `--skip-existing`, for folders and many sources."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskdet.errors import OptionError, OutputError
from maskdet.media.files import unused
from maskdet.media.frames import Source
from maskdet.media.inputs.containers import open_any
from maskdet.media.inputs.naming import file_stem
from maskdet.media.inputs.pictures import PictureSource
from maskdet.media.outputs import place_of
from maskdet.media.picture_files import picture_output_name
from maskdet.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES

# By so much of its source's length may a video be shorter and still be whole: the last frames of
# some files cannot be decoded, and containers round. The larger of a share and seconds.
_SLACK, _SLACK_SECONDS = 0.02, 1.0


@dataclass
class Left:
    """What there is still to do.

    Attributes:
        sources: in order, pictures that are done left out.
        skipped: pictures and videos left out.
        failures: of sources of which nothing is left.
    """

    sources: list[Source] = field(default_factory=list)
    skipped: int = 0
    failures: list[str] = field(default_factory=list)


def leave_out_done(
    sources: Sequence[Source],
    output: Path,
    *,
    max_frames: int | None,
    log: Callable[[str], None],
) -> Left:
    """Finds which sources an earlier run with the same output has not finished.

    A picture is done if its annotated one exists, since those are written whole or not at all. So
    is a video, but for one that was stopped: what is there of it is shorter than its source, and is
    given a name with its date, to make room.

    Args:
        sources: in order.
        output: the folder, or the file of a single picture or video.
        max_frames: of each source; ``None`` for all.
        log: told of videos that are made anew.

    Raises:
        OptionError: a source is live, and never done.
        OutputError: two sources give files of one name, of which nobody knows whose is there, or a
            video that was stopped cannot be renamed.
    """
    for source in sources:
        if source.is_live:
            raise OptionError(f"--skip-existing is for files; {source.name} is none")
    names_file = output.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES
    places: list[list[tuple[Path, Path]]] = [
        [(path, output if names_file else output / _name(source, path)) for path in source.paths]
        for source in sources
    ]
    owners = Counter(place for each in places for _, place in each)
    left = Left()
    for source, each in zip(sources, places, strict=True):
        done = [path for path, place in each if place.exists()]
        for path, place in each:
            if path in done and owners[place] > 1:
                raise OutputError(
                    f"{place}: several sources give a file of this name, and --skip-existing "
                    "cannot tell whose it is"
                )
        if source.is_moving and done:
            path, place = each[0]
            if not _is_whole(place, path, source, max_frames):
                _put_aside(place, log)
                done = []
        left.skipped += len(done)
        if not done:
            left.sources.append(source)
        elif isinstance(source, PictureSource) and len(done) < len(source.paths):
            gone = set(done)
            rest = [path for path in source.paths if path not in gone]
            left.sources.append(replace(source, paths=rest))
        else:
            left.failures += source.failures
    return left


def _name(source: Source, path: Path) -> Path:
    """Returns what a file of a source becomes, below the run's folder."""
    if source.is_moving:
        return place_of(source, source.name) / f"{file_stem(source)}.mp4"
    called = path
    if isinstance(source, PictureSource) and source.title is not None:
        called = Path(source.title)
    return place_of(source, str(called)) / picture_output_name(called.name)


def _is_whole(made: Path, read: Path, source: Source, max_frames: int | None) -> bool:
    """Tells whether a video is about as long as what it was made of."""
    length, wanted = _seconds(made), _seconds(read)
    if length is None:
        return False
    if max_frames is not None and source.frame_rate:
        limit = max_frames / source.frame_rate
        wanted = limit if wanted is None else min(wanted, limit)
    return wanted is None or length >= wanted - max(_SLACK_SECONDS, _SLACK * wanted)


def _seconds(file: Path) -> float | None:
    """Returns how long the pictures of a video last by its header, ``None`` if that is unknown."""
    import av

    try:
        with open_any(str(file)) as container:
            streams = container.streams.video
            if streams and streams[0].duration and streams[0].time_base:
                return float(streams[0].duration * streams[0].time_base)
            # A file's end may be that of its sound.
            return container.duration / av.time_base if streams and container.duration else None
    except (av.FFmpegError, OSError):
        return None


def _put_aside(place: Path, log: Callable[[str], None]) -> None:
    try:
        date = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(place.stat().st_mtime))
        aside = unused(place.with_name(f"{place.stem}-{date}{place.suffix}"))
        place.rename(aside)
    except OSError as error:
        raise OutputError(f"{place}: cannot be renamed ({error.strerror})") from None
    log(f"{place}: breaks off early, and is made anew; what there was is now {aside.name}")
