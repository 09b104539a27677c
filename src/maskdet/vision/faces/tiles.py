"""Small faces in large frames: the frame cut into overlapping tiles, each looked at on its own."""

import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class TileGrid:
    """How a frame is cut: columns by rows; ``None`` chooses by the frame's size."""

    columns: int | None = None
    rows: int | None = None

    @classmethod
    def parse(cls, text: str) -> "TileGrid | None":
        """Reads ``off``, ``auto`` or columns by rows, such as ``3x2``.

        Raises:
            ValueError: it is none of these.
        """
        if text == "off":
            return None
        if text == "auto":
            return cls()
        match = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", text)
        if match is None:
            raise ValueError(f"{text!r} is not auto, off, or columns by rows such as 3x2")
        return cls(int(match[1]), int(match[2]))

    def boxes(self, width: int, height: int) -> FloatArray:
        """Returns the (N, 4) tiles of a frame in pixels; a single one is the frame itself."""
        columns = self.columns or -(-width // LONGEST_TILE)
        rows = self.rows or -(-height // LONGEST_TILE)
        tiles = [
            (left, top, right, bottom)
            for top, bottom in _spans(height, rows)
            for left, right in _spans(width, columns)
        ]
        return np.array(tiles, np.float32)


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """Cuts a side into spans of equal length that overlap by `OVERLAP` of it."""
    span = length / (count - (count - 1) * OVERLAP)
    step = span * (1 - OVERLAP)
    return [
        (round(index * step), min(length, round(index * step + span))) for index in range(count)
    ]


class TiledFaceDetector:
    """Runs a detector on the whole frame and on each tile, and merges what they find.

    Args:
        detector: the detector.
        grid: how frames are cut.
    """

    def __init__(self, detector: FaceDetector, grid: TileGrid) -> None:
        self._detector = detector
        self._grid = grid
        self.default_confidence = detector.default_confidence
        self.workers = detector.workers

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `maskdet.vision.faces.detector.FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        found = [self._detector.detect(frame_bgr)]
        tiles = self._grid.boxes(width, height)
        for tile in tiles if len(tiles) > 1 else []:
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
