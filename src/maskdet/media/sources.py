"""Recognises what the user named: camera, picture, folder, glob, list, video, stream or a pipe."""

import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from glob import has_magic
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import cv2

from maskdet.addresses import MARK, looks_like_address, public_mistake, public_name
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.files import printable
from maskdet.media.frames import PICTURE_SUFFIXES, VIDEO_SUFFIXES, Kind, Source
from maskdet.media.inputs.animation import AnimationSource, is_animated_gif
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.media.inputs.folders import matching, search_folder, search_pattern
from maskdet.media.inputs.formats import (
    RAW_SUFFIXES,
    is_animated,
    kind_of,
    picture_format,
    read_head,
)
from maskdet.media.inputs.lookup import is_camera, is_folder, local_path, look
from maskdet.media.inputs.naming import address_stem, refuse_repeats, split_name, tell_apart
from maskdet.media.inputs.pipes import Download, Pipe
from maskdet.media.live import CameraFeed, Feed, LiveSource, StreamFeed
from maskdet.media.pictures import PictureSource, PictureStream, with_pictures_together
from maskdet.media.stages import waited_for
from maskdet.media.video import VideoSource, open_container
from maskdet.text_files import as_on_disk, read_text

STANDARD_INPUT = "-"
# Addresses that are live whatever they say of their length; http may be a file on a server.
_LIVE_SCHEMES = frozenset({"rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"})
# Over a bare connection somebody may send pictures.
_ALWAYS_STREAMS = _LIVE_SCHEMES - {"tcp", "udp"}
# FFmpeg's names of video without a container.
_BARE_FORMATS = frozenset({"h264", "hevc", "m4v", "mjpeg", "mpegvideo"})
# What such a video is called; on a server it may be a camera's.
_BARE_SUFFIXES = frozenset({".264", ".265", ".h264", ".h265", ".hevc", ".mjpeg", ".mjpg"})
_SCHEMES = _LIVE_SCHEMES | {"http", "https"}
# A camera's number is a C integer.
_MOST_CAMERAS = 2**31 - 1


@dataclass(frozen=True)
class ReadOptions:
    """How sources are read.

    Attributes:
        recursive: whether folders are searched to the bottom.
        reconnect: attempts to open a lost camera or stream again; ``None`` for ever.
        timeout: seconds a server may be silent.
        log: told, a line at a time, when a live source is lost and found.
        stop: ends live sources when set.
        max_pixels: larger pictures and videos are not read.
        own: folders that the run is to write into; what is there from an earlier one is no source.
        name_all: whether all that is passed over in folders is named, each in a line.
        note: told what is passed over in folders, a line or two each; ``None`` for telling `log`.
        several: whether there are other sources, for which one that is not there is not waited.
    """

    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    log: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    max_pixels: int = MAX_PIXELS
    own: tuple[Path, ...] = ()
    name_all: bool = False
    note: Callable[[str], None] | None = None
    several: bool = False


def open_sources(texts: list[str], options: ReadOptions | None = None) -> list[Source]:
    """Opens everything the user named, lists, folders and patterns spread out.

    Args:
        texts: see `open_source`; also folders, patterns such as ``'photos/*.jpg'``, and the path of
            a ``.txt`` file that names one source a line. The pictures of a folder or pattern are
            one source, and so are pictures of one folder that are named one by one, as a shell
            does; each video is another.
        options: how to read.

    A stream that is not there joins when it comes; so does a camera, if there is anything else.

    Raises:
        SourceError: one of them is not there, cannot be read, or is named twice.
    """
    options = options or ReadOptions()
    # A disk of the network that is gone keeps whoever asks, and a signal may end the wait.
    named = waited_for(
        lambda: [_as_on_disk(local_path(name)) for text in texts for name in _spread(text)]
    )
    if not all(map(str.strip, named)):
        raise SourceError("an empty name is no source")
    refuse_repeats(named)
    options = replace(options, several=len(named) > 1)
    sources: list[Source] = []
    for text in named:
        # Some systems want cameras to be opened in the main thread.
        if is_camera(split_name(text)[1]):
            sources.append(open_source(text, options))
        else:
            sources += waited_for(partial(_open_named, text, options))
    sources = with_pictures_together(sources)
    tell_apart(sources)
    if len(sources) > 1 and all(_is_absent_camera(source) for source in sources):
        names = [source.name for source in sources]
        raise SourceError(f"{', '.join(names)}: cannot be opened; are they connected?")
    return sources


def _is_absent_camera(source: Source) -> bool:
    return isinstance(source, LiveSource) and source.kind == "camera" and not source.is_open


def _spread(text: str) -> list[str]:
    return _read_list(Path(text)) if _is_list(text) else [text]


def _open_named(text: str, options: ReadOptions) -> list[Source]:
    """Opens what may be several sources."""
    if MARK in text:
        return [open_source(text, options)]
    if look(Path(text)) is None:
        name, where = split_name(text)
        if has_magic(text) and (name is None or matching(text)):
            return _open_pattern(text, options)
        if name is not None and MARK not in where and (has_magic(where) or is_folder(where)):
            raise SourceError(f"{text}: only a camera, a video or one picture can be given a name")
    elif is_folder(text):
        return _open_folder(Path(text), options)
    return [open_source(text, options)]


def open_source(text: str, options: ReadOptions | None = None) -> Source:
    """Recognises what the user named and opens it.

    Args:
        text: a camera's number or device path; the path of a picture, a video or a named pipe; the
            URL of a picture, video or stream; ``-`` for pictures on standard input. Before it may
            stand a name and an equals sign: ``door=rtsp://...``.
        options: how to read.

    Raises:
        SourceError: it is not there, or nothing maskdet can read.
    """
    options = options or ReadOptions()
    if MARK not in text and look(Path(text)) is not None:
        name, where = None, text
    else:
        name, where = split_name(text)
    where = local_path(where)
    if where == STANDARD_INPUT:
        return _open_pipe(0, name or "standard input", name, options)
    if MARK in where:
        return _open_url(where.strip(), name, options)
    if is_camera(where):
        return _open_camera(int(where) if where.isdecimal() else where, name, options)
    path = Path(where)
    status = look(path)
    if status is None:
        hint = "; an address begins with rtsp:// or http://" if looks_like_address(where) else ""
        raise SourceError(f"{public_mistake(text)}: no such file or folder{hint}")
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path}: is a folder")
    if stat.S_ISFIFO(status.st_mode):
        return _open_pipe(path, name or str(path), name or path.stem, options)
    if stat.S_ISSOCK(status.st_mode):
        raise SourceError(f"{path}: is no file, but a socket")
    return _open_file(path, name, options)


def _open_pipe(where: Path | int, name: str, stem: str | None, options: ReadOptions) -> Source:
    limit = options.max_pixels
    return PictureStream(lambda: Pipe(where, options.stop), name, stem, max_pixels=limit)


def _open_file(path: Path, name: str | None, options: ReadOptions) -> Source:
    limit = options.max_pixels
    head = read_head(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        raise SourceError(f"{path}: is a camera's raw picture; save it as JPEG or TIFF first")
    kind = kind_of(path)
    if kind == "picture" or (kind is None and _opencv_reads(path)):
        if moving := _open_animation(path, head, name, None, limit):
            return moving
        title = None if name is None else f"{name}{path.suffix}"
        return PictureSource([path], name or str(path), "picture", title=title, max_pixels=limit)
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty")
    return VideoSource(str(path), name=name, max_pixels=limit)


def _open_animation(
    path: Path, head: bytes, name: str | None, folder: Path | None, limit: int
) -> Source | None:
    """Opens a picture that moves; ``None`` if it does not."""
    if picture_format(head) == "gif" and is_animated_gif(path):
        waits = folder is not None
        return VideoSource(str(path), folder=folder, waits=waits, name=name, max_pixels=limit)
    if is_animated(head):
        return AnimationSource(path, folder=folder, name=name, max_pixels=limit)
    return None


def _opencv_reads(path: Path) -> bool:
    # OpenCV ends the process over a name that is not UTF-8.
    return printable(str(path)) == str(path) and cv2.haveImageReader(str(path))


def _open_folder(folder: Path, options: ReadOptions) -> list[Source]:
    """Opens the pictures and videos of a folder."""
    found = search_folder(folder, recursive=options.recursive, own=options.own, log=options.log)
    sources = _open_several(found.media, str(folder), folder, options)
    if not sources:
        hint = "" if options.recursive else "; --recursive looks into its folders"
        told = found.failures[0] if found.failures else None
        raise SourceError(told or f"{folder}: has no pictures or videos{hint}")
    found.tell(str(folder), options.note or options.log, each=options.name_all)
    sources[0].failures += found.failures
    return sources


def _open_pattern(pattern: str, options: ReadOptions) -> list[Source]:
    """Opens what a pattern matches."""
    found = search_pattern(pattern)
    sources = _open_several(found.media, pattern, None, options)
    if not sources:
        count = len(found.others)
        what = f"{count} files, none a picture or video" if count else "nothing"
        raise SourceError(f"{pattern}: matches {what}")
    found.tell(pattern, options.note or options.log, each=options.name_all)
    return sources


def _open_several(
    files: list[Path], name: str, folder: Path | None, options: ReadOptions
) -> list[Source]:
    """Makes one source of the pictures among files, and one of each that moves."""
    pictures: list[Path] = []
    moving: list[Source] = []
    limit = options.max_pixels
    for path in files:
        if kind_of(path) == "video":
            moving.append(VideoSource(str(path), folder=folder, waits=True, max_pixels=limit))
            continue
        try:
            animation = _open_animation(path, read_head(path), None, folder, limit)
        except SourceError:
            # Said when its turn comes.
            animation = None
        if animation is None:
            pictures.append(path)
        else:
            moving.append(animation)
    if not pictures:
        return moving
    return [PictureSource(pictures, name, "pictures", folder, max_pixels=limit), *moving]


def _open_camera(device: int | str, name: str | None, options: ReadOptions) -> Source:
    name = name or f"camera {device}"
    if isinstance(device, int) and device > _MOST_CAMERAS:
        raise SourceError(f"camera {device}: there is no camera of such a number")

    def open_feed() -> CameraFeed:
        return CameraFeed(device)

    first = None
    try:
        first = open_feed()
    except SourceError as error:
        if not options.several:
            raise SourceError(f"{name}: {error}") from None
    return _live("camera", name, first, open_feed, options)


def _open_url(url: str, name: str | None, options: ReadOptions) -> Source:
    scheme, rest = url.split(MARK, 1)
    # FFmpeg knows them in small letters only.
    scheme = scheme.lower()
    url = f"{scheme}{MARK}{rest}"
    public = public_name(url)
    if scheme not in _SCHEMES:
        raise SourceError(f"{public}: {scheme} is not one of {', '.join(sorted(_SCHEMES))}")

    def open_feed() -> StreamFeed:
        return StreamFeed(url, options.timeout, max_pixels=options.max_pixels)

    # What can only be a stream is opened when it is read: several at a time, each when it answers.
    if scheme in _ALWAYS_STREAMS:
        return _live("stream", name or public, None, open_feed, options)
    try:
        container = open_container(url, options.timeout, options.max_pixels)
    except SourceError as error:
        may_come = options.several or isinstance(error, UnreachableError)
        if may_come and not _names_file(url):
            return _live("stream", name or public, None, open_feed, options)
        raise
    # By the address or by what it sends, FFmpeg takes a picture for itself, or for one of a series.
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        container.close()
        return open_address_of_pictures(url, name, options)
    # Bare frames have no duration; a camera that sends them does not say how many bytes it will.
    bare = container.format.name in _BARE_FORMATS and container.size > 0
    if scheme not in _LIVE_SCHEMES and (container.duration is not None or bare):
        return VideoSource(url, container, name=name, max_pixels=options.max_pixels)
    first = StreamFeed(url, options.timeout, container)
    return _live("stream", name or public, first, open_feed, options)


def open_address_of_pictures(
    url: str, name: str | None = None, options: ReadOptions | None = None
) -> PictureStream:
    """Returns the pictures that a server sends for an address, opened when they are read.

    Args:
        url: the address, its scheme in small letters.
        name: what the user calls it.
        options: how to read.
    """
    options = options or ReadOptions()
    public, timeout = public_name(url), options.timeout
    stem = name or address_stem(public)
    if Path(stem).suffix.lower() in PICTURE_SUFFIXES:
        stem = Path(stem).stem
    limit = options.max_pixels
    return PictureStream(lambda: Download(url, timeout), name or public, stem, max_pixels=limit)


def _names_file(url: str) -> bool:
    """Tells whether an address is that of a picture or video on a server."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return suffix in (PICTURE_SUFFIXES | VIDEO_SUFFIXES) - _BARE_SUFFIXES


def _live(
    kind: Kind,
    name: str,
    first: Feed | None,
    open_again: Callable[[], Feed],
    options: ReadOptions,
) -> LiveSource:
    return LiveSource(
        kind,
        name,
        first,
        open_again,
        reconnect=options.reconnect,
        log=options.log,
        stop=options.stop,
    )


def _is_list(text: str) -> bool:
    return text.lower().endswith(".txt") and look(Path(text)) is not None


def _as_on_disk(name: str) -> str:
    """Returns a path as it is on disk, where its accents are spelled another way."""
    path = Path(name)
    found = path if MARK in name else as_on_disk(path)
    return name if found == path else str(found)


def _read_list(path: Path) -> list[str]:
    """Reads a list of sources; paths are relative to the list, # begins a comment."""
    try:
        lines = read_text(path).splitlines()
    except OSError:
        raise SourceError(f"{path}: cannot be read as a list of sources") from None
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise SourceError(f"{path}: names no source")
    return [_beside(path, name) for name in names]


def _beside(path: Path, text: str) -> str:
    """Makes the path of a source relative to the list that names it."""
    if MARK in text or text.isdecimal():
        return text
    name, where = split_name(text)
    if name is None or (path.parent / text).exists():
        return str(path.parent / text)
    return f"{name}={where if where.isdecimal() else path.parent / where}"
