"""Recognises what the user named: camera, picture, folder, glob, list, video, stream or a pipe."""

import os
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
from maskdet.media.frames import PICTURE_SUFFIXES, VIDEO_SUFFIXES, Kind, Source
from maskdet.media.live import CameraFeed, Feed, LiveSource, StreamFeed
from maskdet.media.pictures import PictureSource, PictureStream
from maskdet.media.video import AnimationSource, VideoSource, open_container, public_name
from maskdet.text_files import as_on_disk, read_text

STANDARD_INPUT = "-"
_URL_MARK = "://"
# Addresses that are live whatever they say of their length; http may be a file on a server.
_LIVE_SCHEMES = frozenset({"rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"})
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
    """

    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    log: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)


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
    names = [_as_on_disk(name) for name in names]
    _refuse_repeats(names)
    sources: list[Source] = []
    for name in names:
        if _URL_MARK not in name and Path(name).is_dir():
            sources += _open_folder(Path(name), options.recursive)
        elif has_magic(name) and _URL_MARK not in name and not Path(name).exists():
            sources += _open_pattern(name)
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
        return PictureStream(sys.stdin.buffer, "standard input")
    if _URL_MARK in text:
        return _open_url(text, options)
    path = Path(text)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder")
    if path.is_char_device() or (text.isdecimal() and not path.exists()):
        return _open_camera(int(text) if text.isdecimal() else text, options)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    return _open_file(path)


def _open_file(path: Path) -> Source:
    suffix = path.suffix.lower()
    # FFmpeg decodes animated GIF but not WebP. OpenCV 4.10 reads no GIF, and a WebP's first frame.
    if suffix == ".gif":
        animation = VideoSource(str(path))
        if (animation.frame_count or 0) > 1 or not _opencv_reads(path):
            return animation
    if suffix == ".webp" and hasattr(cv2, "imreadanimation") and _is_animated(path):
        return AnimationSource(path)
    if suffix in PICTURE_SUFFIXES or _opencv_reads(path):
        return PictureSource([path], str(path), "picture")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty")
    return VideoSource(str(path))


def _opencv_reads(path: Path) -> bool:
    # OpenCV ends the process over a name that is not UTF-8.
    return printable(str(path)) == str(path) and cv2.haveImageReader(str(path))


def _is_animated(path: Path) -> bool:
    return printable(str(path)) == str(path) and cv2.imcount(str(path)) > 1


def _open_folder(folder: Path, recursive: bool) -> list[Source]:
    """Opens the pictures and videos of a folder; hidden ones are left out, as a shell does."""
    unread: list[OSError] = []
    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=unread.append):
        files += [Path(root, name) for name in names if not name.startswith(".")]
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
    failures = [f"{error.filename}: cannot be read ({error.strerror})" for error in unread]
    sources = _open_several(sorted(files), str(folder), folder)
    if not sources:
        hint = "" if recursive else "; --recursive looks into its folders"
        raise SourceError(failures[0] if failures else f"{folder}: has no pictures or videos{hint}")
    sources[0].failures += failures
    return sources


def _open_pattern(pattern: str) -> list[Source]:
    """Opens what a pattern matches."""
    base = Path(Path(pattern).anchor)
    paths = sorted(base.glob(str(Path(pattern).relative_to(base))))
    files = [path for path in paths if path.is_file()]
    sources = _open_several(files, pattern, None)
    if not sources:
        found = f"{len(files)} files, none a picture or video" if files else "nothing"
        raise SourceError(f"{pattern}: matches {found}")
    return sources


def _open_several(files: list[Path], name: str, folder: Path | None) -> list[Source]:
    """Makes one source of the pictures among files, and one of each video."""
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    # A GIF of one picture is read as a video of one frame.
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES | {".gif"}]
    sources: list[Source] = []
    if pictures:
        sources.append(PictureSource(pictures, name, "pictures", folder))
    return sources + [VideoSource(str(path), folder=folder, waits=True) for path in videos]


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
    container = open_container(url, options.timeout)
    if container.format.name.endswith("_pipe"):
        container.close()
        return PictureStream(url, name, options.timeout)
    if scheme not in _LIVE_SCHEMES and container.duration is not None:
        return VideoSource(url, container)
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


def _as_on_disk(name: str) -> str:
    """Returns a path as it is on disk, where its accents are spelled another way."""
    path = Path(name)
    found = path if _URL_MARK in name else as_on_disk(path)
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
    return [
        name if _URL_MARK in name or name.isdecimal() else str(path.parent / name) for name in names
    ]
