"""Recognises what the user named: camera, picture, folder, glob, list, video, stream or a pipe."""

import stat
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from glob import has_magic
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from maskdet.addresses import MARK, looks_like_address, public_mistake, public_name
from maskdet.errors import SourceError, UnreachableError
from maskdet.files.text_files import as_on_disk
from maskdet.media.frames import Kind, Source
from maskdet.media.inputs.containers import open_container
from maskdet.media.inputs.feeds import CameraFeed, Feed, StreamFeed
from maskdet.media.inputs.folders import matching
from maskdet.media.inputs.lists import is_list, read_list
from maskdet.media.inputs.live import LiveSource
from maskdet.media.inputs.lookup import is_camera, is_folder, local_path, look
from maskdet.media.inputs.naming import address_stem, refuse_repeats, split_name, tell_apart
from maskdet.media.inputs.opening import open_file, open_folder, open_pattern
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.pictures import PictureStream, with_pictures_together
from maskdet.media.inputs.pipes import Download, Pipe
from maskdet.media.inputs.video import VideoSource
from maskdet.media.stages import waited_for
from maskdet.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES

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
    return read_list(Path(text)) if is_list(text) else [text]


def _open_named(text: str, options: ReadOptions) -> list[Source]:
    """Opens what may be several sources."""
    if MARK in text:
        return [open_source(text, options)]
    if look(Path(text)) is None:
        name, where = split_name(text)
        if has_magic(text) and (name is None or matching(text)):
            return open_pattern(text, options)
        if name is not None and MARK not in where and (has_magic(where) or is_folder(where)):
            raise SourceError(f"{text}: only a camera, a video or one picture can be given a name")
    elif is_folder(text):
        return open_folder(Path(text), options)
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
    return open_file(path, name, options)


def _open_pipe(where: Path | int, name: str, stem: str | None, options: ReadOptions) -> Source:
    limit = options.max_pixels
    return PictureStream(lambda: Pipe(where, options.stop), name, stem, max_pixels=limit)


def _open_camera(device: int | str, name: str | None, options: ReadOptions) -> Source:
    name = name or f"camera {device}"
    if isinstance(device, int) and device > _MOST_CAMERAS:
        raise SourceError(f"camera {device}: there is no camera of such a number")

    def open_feed() -> CameraFeed:
        return CameraFeed(device, options.rate)

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
        return StreamFeed(url, options.timeout, max_pixels=options.max_pixels, rate=options.rate)

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
    first = StreamFeed(url, options.timeout, container, rate=options.rate)
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


def _as_on_disk(name: str) -> str:
    """Returns a path as it is on disk, where its accents are spelled another way."""
    path = Path(name)
    found = path if MARK in name else as_on_disk(path)
    return name if found == path else str(found)
