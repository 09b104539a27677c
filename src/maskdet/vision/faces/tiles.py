"""Frames cut into overlapping tiles, each looked at on its own.

Tiles find small faces in large frames. In a frame far from square, such as a panorama or a page
scanned from top to bottom, they find any at all: squashed to the network's square its faces are too
narrow, or too flat, to be seen as faces.
"""

import math
import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import clip_boxes
from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import FaceDetector, Faces, merged
from maskdet.vision.preprocessing import UInt8Array

# Share of a tile that its neighbour has, too: a face up to that size lies whole in one of them.
OVERLAP = 0.25
# `auto` cuts a frame so that no tile is longer than this. Pixels.
LONGEST_TILE = 640
# A box this near a cut, in shares of the tile, is taken to be a face that the cut goes through.
_NEAR_A_CUT = 0.01

# A frame whose sides are further apart than this is cut by itself. Cinema film is at 2.4.
WIDEST = 2.5
# Its tiles in shares of its shorter side: as wide as an ordinary photograph, and in common as much
# as a portrait's face takes. Longer tiles cost less and overlook what is small.
_STRIP, _STRIP_OVERLAP = 4 / 3, 0.75
# However narrow the frame. Pixels.
_SHORTEST_STRIP = 64


@dataclass(frozen=True)
class TileGrid:
    """A frame cut into columns by rows; ``None`` chooses by the frame's size."""

    columns: int | None = None
    rows: int | None = None

    whole_too: ClassVar[bool] = True
    """Whether the whole frame is looked at beside its tiles, for what is larger than one."""

    def boxes(self, width: int, height: int) -> FloatArray:
        """Returns the (N, 4) tiles of a frame in pixels; a single one is the frame itself."""
        longest = LONGEST_TILE
        if Strips.needed(width, height):
            longest = min(longest, Strips.length(width, height))
        columns = self.columns or -(-width // longest)
        rows = self.rows or -(-height // longest)
        tiles = [
            (left, top, right, bottom)
            for top, bottom in _spans(height, rows)
            for left, right in _spans(width, columns)
        ]
        return np.array(tiles, np.float32)


class Strips:
    """A frame far from square cut along its longer side; any other left whole."""

    whole_too = False

    @staticmethod
    def needed(width: int, height: int) -> bool:
        """Tells whether a frame is too far from square to be looked at whole."""
        return max(width, height) > WIDEST * min(width, height)

    @staticmethod
    def length(width: int, height: int) -> int:
        """Returns how long the tiles of such a frame are, in pixels."""
        return max(_SHORTEST_STRIP, round(_STRIP * min(width, height)))

    def boxes(self, width: int, height: int) -> FloatArray:
        """Returns the (N, 4) tiles of a frame in pixels; a single one is the frame itself."""
        longer, shorter = max(width, height), min(width, height)
        span = self.length(width, height)
        if not self.needed(width, height) or span >= longer:
            return np.array([(0, 0, width, height)], np.float32)
        count = math.ceil((longer - span) / (span - _STRIP_OVERLAP * shorter)) + 1
        starts = np.linspace(0, longer - span, count).round()
        tiles = np.array([[0, 0, width, height]] * count, np.float32)
        along = 0 if width == longer else 1
        tiles[:, along], tiles[:, along + 2] = starts, starts + span
        return tiles

    def seen_at_once(self, width: int, height: int) -> tuple[int, int]:
        """Returns the width and height of what of a frame the network is shown at a time."""
        left, top, right, bottom = (int(side) for side in self.boxes(width, height)[0])
        return right - left, bottom - top


Tiles = TileGrid | Strips


def parse_tiles(text: str) -> Tiles | None:
    """Reads how frames are cut.

    Args:
        text: ``off``, ``wide`` (only those far from square), ``auto``, or columns by rows, such as
            ``3x2``.

    Raises:
        ValueError: it is none of these.
    """
    named = {"off": None, "wide": Strips(), "auto": TileGrid()}
    if text in named:
        return named[text]
    match = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", text)
    if match is None:
        raise ValueError(f"{text!r} is not wide, auto, off, or columns by rows such as 3x2")
    return TileGrid(int(match[1]), int(match[2]))


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """Cuts a side into spans of equal length that overlap by `OVERLAP` of it."""
    span = length / (count - (count - 1) * OVERLAP)
    step = span * (1 - OVERLAP)
    return [
        (round(index * step), min(length, round(index * step + span))) for index in range(count)
    ]


class TiledFaceDetector:
    """Runs a detector on each tile of a frame, and merges what it finds.

    Args:
        detector: the detector.
        tiles: how frames are cut.
    """

    def __init__(self, detector: FaceDetector, tiles: Tiles) -> None:
        self._detector = detector
        self._tiles = tiles
        self.default_confidence = detector.default_confidence
        self.precision = detector.precision
        self.workers = detector.workers

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `maskdet.vision.faces.detector.FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        tiles = self._tiles.boxes(width, height)
        if len(tiles) == 1:
            return self._detector.detect(frame_bgr)
        found = [self._detector.detect(frame_bgr)] if self._tiles.whole_too else []
        for tile in tiles:
            left, top, right, bottom = (int(side) for side in tile)
            view = np.ascontiguousarray(frame_bgr[top:bottom, left:right])
            boxes, scores = self._detector.detect(view)
            moved = boxes + np.array([left, top, left, top], np.float32)
            whole = ~_cut_through(moved, tile, width, height)
            found.append((moved[whole], scores[whole]))
        boxes, scores = merged(found)
        return clip_boxes(boxes, width, height), scores


def _cut_through(xyxy: FloatArray, tile: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
    """Tells which boxes touch an edge of the tile that is not an edge of the frame."""
    near = np.array([tile[2] - tile[0], tile[3] - tile[1]] * 2, np.float32) * _NEAR_A_CUT
    touching = np.abs(xyxy - tile) <= near
    inner = tile != np.array([0, 0, width, height], np.float32)
    cut: NDArray[np.bool_] = np.any(touching & inner, axis=1)
    return cut
