"""Recognises what the user named: camera, picture, folder, glob, list, video, stream or a pipe."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path

import cv2

from maskdet.errors import SourceError
from maskdet.media.files import printable
from maskdet.media.frames import Kind, Source
from maskdet.media.inputs.animation import AnimationSource, is_animated_gif
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.media.inputs.folders import search_folder, search_pattern
from maskdet.media.inputs.formats import (
    RAW_SUFFIXES,
    is_animated,
    kind_of,
    picture_format,
    read_head,
)
from maskdet.media.live import CameraFeed, Feed, LiveSource, StreamFeed
from maskdet.media.pictures import PictureSource, PictureStream
from maskdet.media.video import VideoSource, open_container, public_name

STANDARD_INPUT = "-"
_URL_MARK = "://"
# Addresses that are live whatever they say of their length; http may be a file on a server.
_LIVE_SCHEMES = frozenset({"rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"})
# FFmpeg's names of video without a container.
_BARE_FORMATS = frozenset({"h264", "hevc", "m4v", "mjpeg", "mpegvideo"})
_SCHEMES = _LIVE_SCHEMES | {"http", "https"}


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
    """

    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    log: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    max_pixels: int = MAX_PIXELS
    own: tuple[Path, ...] = ()
    name_all: bool = False


def open_sources(texts: list[str], options: ReadOptions | None = None) -> list[Source]:
    """Opens everything the user named, lists, folders and patterns spread out.

    Args:
        texts: see `open_source`; also folders, patterns such as ``'photos/*.jpg'``, and the path of
            a ``.txt`` file that names one source a line. The pictures of a folder or pattern are
            one source, each of its videos is another.
        options: how to read.

    Raises:
        SourceError: one of them is not there, cannot be read, or is named twice.
    """
    options = options or ReadOptions()
    names: list[str] = []
    for text in texts:
        names += _read_list(Path(text)) if _is_list(text) else [text]
    _refuse_repeats(names)
    sources: list[Source] = []
    for name in names:
        if _URL_MARK not in name and Path(name).is_dir():
            sources += _open_folder(Path(name), options)
        elif has_magic(name) and _URL_MARK not in name and not Path(name).exists():
            sources += _open_pattern(name, options)
        else:
            sources.append(open_source(name, options))
    # A video named by itself and found in a folder, too.
    _refuse_repeats(source.name for source in sources)
    return sources


def _refuse_repeats(names: Iterable[str]) -> None:
    """Refuses two sources of one name, which records could not tell apart."""
    for name, times in Counter(names).items():
        if times > 1:
            raise SourceError(f"{name}: is named {times} times")


def open_source(text: str, options: ReadOptions | None = None) -> Source:
    """Recognises what the user named and opens it.

    Args:
        text: a camera's number or device path; the path of a picture or a video; the URL of a
            picture, video or stream; ``-`` for pictures on standard input.
        options: how to read.

    Raises:
        SourceError: it is not there, or nothing maskdet can read.
    """
    options = options or ReadOptions()
    if text == STANDARD_INPUT:
        return PictureStream(sys.stdin.buffer, "standard input", max_pixels=options.max_pixels)
    if _URL_MARK in text:
        return _open_url(text, options)
    path = Path(text)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder")
    if path.is_char_device() or (text.isdecimal() and not path.exists()):
        return _open_camera(int(text) if text.isdecimal() else text, options)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    return _open_file(path, options)


def _open_file(path: Path, options: ReadOptions) -> Source:
    head = read_head(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        raise SourceError(f"{path}: is a camera's raw picture; save it as JPEG or TIFF first")
    kind = kind_of(path)
    if kind == "picture" or (kind is None and _opencv_reads(path)):
        moving = _open_animation(path, head, None, options)
        return moving or PictureSource([path], str(path), "picture", max_pixels=options.max_pixels)
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty")
    return VideoSource(str(path), max_pixels=options.max_pixels)


def _open_animation(
    path: Path, head: bytes, folder: Path | None, options: ReadOptions
) -> Source | None:
    """Opens a picture that moves; ``None`` if it does not."""
    if picture_format(head) == "gif" and is_animated_gif(path):
        waits = folder is not None
        return VideoSource(str(path), folder=folder, waits=waits, max_pixels=options.max_pixels)
    if is_animated(head):
        return AnimationSource(path, folder=folder, max_pixels=options.max_pixels)
    return None


def _opencv_reads(path: Path) -> bool:
    # OpenCV ends the process over a name that is not UTF-8.
    return printable(str(path)) == str(path) and cv2.haveImageReader(str(path))


def _open_folder(folder: Path, options: ReadOptions) -> list[Source]:
    """Opens the pictures and videos of a folder."""
    found = search_folder(folder, recursive=options.recursive, own=options.own)
    sources = _open_several(found.media, str(folder), folder, options)
    if not sources:
        hint = "" if options.recursive else "; --recursive looks into its folders"
        told = found.failures[0] if found.failures else None
        raise SourceError(told or f"{folder}: has no pictures or videos{hint}")
    found.tell(str(folder), options.log, each=options.name_all)
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
    found.tell(pattern, options.log, each=options.name_all)
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
            animation = _open_animation(path, read_head(path), folder, options)
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


def _open_camera(device: int | str, options: ReadOptions) -> Source:
    name = f"camera {device}"

    def open_feed() -> CameraFeed:
        return CameraFeed(device)

    try:
        first = open_feed()
    except SourceError as error:
        raise SourceError(f"{name}: {error}") from None
    return _live("camera", name, first, open_feed, options)


def _open_url(url: str, options: ReadOptions) -> Source:
    name, scheme = public_name(url), url.split(_URL_MARK, 1)[0].lower()
    if scheme not in _SCHEMES:
        raise SourceError(f"{name}: {scheme} is not one of {', '.join(sorted(_SCHEMES))}")
    container = open_container(url, options.timeout, options.max_pixels)
    if container.format.name.endswith("_pipe"):
        container.close()
        return PictureStream(url, name, options.timeout, options.max_pixels)
    # Bare frames have no duration; a camera that sends them does not say how many bytes it will.
    bare = container.format.name in _BARE_FORMATS and container.size > 0
    if scheme not in _LIVE_SCHEMES and (container.duration is not None or bare):
        return VideoSource(url, container, max_pixels=options.max_pixels)
    first = StreamFeed(url, options.timeout, container)
    return _live("stream", name, first, lambda: StreamFeed(url, options.timeout), options)


def _live(
    kind: Kind, name: str, first: Feed, open_again: Callable[[], Feed], options: ReadOptions
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
    return text.lower().endswith(".txt") and Path(text).is_file()


def _read_list(path: Path) -> list[str]:
    """Reads a list of sources; paths are relative to the list, # begins a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SourceError(f"{path}: cannot be read as a list of sources") from None
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise SourceError(f"{path}: names no source")
    return [
        name if _URL_MARK in name or name.isdecimal() else str(path.parent / name) for name in names
    ]
