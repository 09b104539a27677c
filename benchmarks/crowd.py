"""A video of a crowd, made of photographs, for `throughput.py`: films of crowds are not free."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from maskdet.media.frames import UInt8Array
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.recording.writer import VideoWriter
from maskdet.suffixes import PICTURE_SUFFIXES

# So many photographs, so many frames of each, at this size, seen through a window
# that moves over a picture by so much larger.
_CROWD_PHOTOGRAPHS, _CROWD_FRAMES, _CROWD_SIZE, _CROWD_ROOM = 6, 15, (1280, 720), 1.25


def _photographs_of(folder: Path) -> list[Path]:
    """Returns the pictures of a folder, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def _faces_labelled(photograph: Path) -> int:
    """Counts the faces of a photograph by its YOLO labels: ``labels/`` beside its folder."""
    labels = photograph.parent.parent / "labels" / f"{photograph.stem}.txt"
    return len(labels.read_text().splitlines()) if labels.is_file() else 0


def panned(photograph: UInt8Array) -> Iterator[UInt8Array]:
    """Gives frames of `_CROWD_SIZE` that move over a (H, W, 3) uint8 BGR photograph."""
    width, height = _CROWD_SIZE
    scale = _CROWD_ROOM * max(width / photograph.shape[1], height / photograph.shape[0])
    large = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    for step in np.linspace(0, 1, _CROWD_FRAMES):
        left = round(step * (large.shape[1] - width))
        top = round(step * (large.shape[0] - height))
        yield np.ascontiguousarray(large[top : top + height, left : left + width])


def make_crowd(folder: Path, path: Path) -> None:
    """Writes a video of the photographs with the most faces.

    Args:
        folder: of photographs.
        path: the video, .mp4.
    """
    busiest = sorted(_photographs_of(folder), key=_faces_labelled, reverse=True)[
        :_CROWD_PHOTOGRAPHS
    ]
    with VideoWriter(path, 25) as video:
        for photograph in busiest:
            for frame in panned(read_picture(photograph)):
                video.write(frame)
