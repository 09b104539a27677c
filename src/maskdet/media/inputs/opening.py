"""Opens files: one, those of a folder, or those that a pattern matches."""

from pathlib import Path

import cv2

from maskdet.errors import SourceError
from maskdet.media.files import printable
from maskdet.media.frames import Source
from maskdet.media.inputs.animation import AnimationSource, is_animated_gif
from maskdet.media.inputs.folders import search_folder, search_pattern
from maskdet.media.inputs.formats import is_animated, kind_of, picture_format, read_head
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.pictures import PictureSource
from maskdet.media.inputs.video import VideoSource
from maskdet.suffixes import RAW_SUFFIXES


def open_file(path: Path, name: str | None, options: ReadOptions) -> Source:
    """Opens a picture or a video, whichever the file is.

    Args:
        path: the file.
        name: what the user calls it, if anything.
        options: how to read.

    Raises:
        SourceError: it is neither, or damaged.
    """
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


def open_folder(folder: Path, options: ReadOptions) -> list[Source]:
    """Opens the pictures and videos of a folder.

    Raises:
        SourceError: there are none.
    """
    found = search_folder(folder, recursive=options.recursive, own=options.own, log=options.log)
    sources = _open_several(found.media, str(folder), folder, options)
    if not sources:
        hint = "" if options.recursive else "; --recursive looks into its folders"
        told = found.failures[0] if found.failures else None
        raise SourceError(told or f"{folder}: has no pictures or videos{hint}")
    found.tell(str(folder), options.note or options.log, each=options.name_all)
    sources[0].failures += found.failures
    return sources


def open_pattern(pattern: str, options: ReadOptions) -> list[Source]:
    """Opens what a pattern matches.

    Raises:
        SourceError: it matches no picture and no video.
    """
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
