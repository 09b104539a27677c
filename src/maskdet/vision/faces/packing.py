"""Cut-outs around faces, several of them packed into one picture for the network.

Where a face is about to be is known from the frames before. To find it there, the network need not
see the whole frame, least of all at the large size that a small face asks for: a cut-out around it,
scaled so that the face is comfortably large, and laid beside the others' in one small picture,
shows as much.

What a network makes of a face depends a little on where in its grid of cells the face lies, and on
its size. So a cut-out keeps its size, and its place until the face has moved far from its middle,
or the box would tremble.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.heads import halved
from maskdet.vision.preprocessing import UInt8Array

# Side of a cut-out in longer sides of its face. From its middle, a small face may move by one whole
# side, a large one by half of one; as cut-outs stay, it is 0.6 and 0.25 at least.
REACH, CLOSE_REACH = 3.0, 2.0
# Tiles a side of a picture, and the picture's side as a share of the detector's smallest size.
# Fewer tiles are larger, since a network sees less well at a picture's edges.
_GRIDS = ((1, 0.4), (2, 0.7), (3, 1.0))
# Sides that every network can halve often enough. Pixels.
_STEP = 32
# A box this near a cut, in shares of the tile, is taken to be a face that the cut goes through.
_NEAR_A_CUT = 0.01
# A face that lies in another's cut-out with so much room around it, in sides of its own, needs none
# of its own if it is no more than so many times smaller.
_ROOM, _SMALLER = 0.5, 1.5
# A cut-out follows its face in steps of so much of its side, the nearest. Of the picture with one
# cut-out a step is a cell of the network's coarser maps, so that most of them see the face alike.
_STRIDE = 0.25


@dataclass(frozen=True)
class Tile:
    """A cut-out and its place in a picture.

    Attributes:
        source: left, top, right, bottom in pixels of the frame.
        place: likewise in pixels of the picture.
    """

    source: tuple[int, int, int, int]
    place: tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """How a picture is packed.

    Attributes:
        size: its side in pixels.
        tiles: what it shows.
    """

    size: int
    tiles: tuple[Tile, ...]

    def drawn(self, frame_bgr: UInt8Array) -> UInt8Array:
        """Returns the (size, size, 3) uint8 picture of a frame, black where no tile lies."""
        picture = np.zeros((self.size, self.size, 3), np.uint8)
        for tile in self.tiles:
            left, top, right, bottom = tile.source
            x, y, x_end, y_end = tile.place
            # Scaled as a whole frame is; averaging over exact areas takes ten times as long.
            cut = halved(frame_bgr[top:bottom, left:right], max(x_end - x, y_end - y))
            picture[y:y_end, x:x_end] = cv2.resize(
                cut, (x_end - x, y_end - y), interpolation=cv2.INTER_LINEAR
            )
        return picture

    def unpacked(self, faces: Faces, width: int, height: int) -> Faces:
        """Takes what was found in the picture back to the frame.

        Args:
            faces: boxes in pixels of the picture, with their scores.
            width: of the frame in pixels.
            height: likewise.

        Returns:
            Boxes in pixels of the frame, those left out that a cut goes through.
        """
        xyxy, scores = faces
        centres = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        found, theirs = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        frame = np.array([0, 0, width, height], np.float32)
        for tile in self.tiles:
            source, place = np.array(tile.source, np.float32), np.array(tile.place, np.float32)
            inside = np.all((centres >= place[:2]) & (centres < place[2:]), axis=1)
            scale = (source[2:] - source[:2]) / (place[2:] - place[:2])
            boxes = (xyxy[inside] - np.tile(place[:2], 2)) * np.tile(scale, 2)
            boxes += np.tile(source[:2], 2)
            # Over the edge or nearly so; where the frame ends, too, nothing is cut.
            near = np.tile(source[2:] - source[:2], 2) * _NEAR_A_CUT
            inwards = np.array([1, 1, -1, -1], np.float32)
            cut = ((boxes - source) * inwards <= near) & (source != frame)
            whole = ~cut.any(axis=1)
            found.append(np.clip(boxes[whole], 0, np.tile(frame[2:], 2)))
            theirs.append(scores[inside][whole])
        return np.concatenate(found), np.concatenate(theirs)


def packed(
    xyxy: FloatArray,
    width: int,
    height: int,
    smallest: int,
    reach: float = REACH,
    *,
    now: FloatArray | None = None,
) -> list[Picture]:
    """Lays out cut-outs around faces.

    Args:
        xyxy: (N, 4) where the faces were last looked for, in pixels.
        width: of the frame in pixels.
        height: likewise.
        smallest: the detector's smallest size, the side of a full picture in pixels.
        reach: side of a cut-out in longer sides of its face.
        now: (N, 4) where they are expected; ``None`` for there.

    Returns:
        As few pictures as hold them, none where there is no face.
    """
    sources = _sources(xyxy, xyxy if now is None else now, width, height, reach)
    most = _GRIDS[-1][0] ** 2
    return [
        _picture(sources[first : first + most], smallest) for first in range(0, len(sources), most)
    ]


def _sources(
    xyxy: FloatArray, now: FloatArray, width: int, height: int, reach: float
) -> list[tuple[int, int, int, int]]:
    """Returns the cut-outs, squares where the frame has room for them, none for nothing new."""
    sources: list[tuple[int, int, int, int]] = []
    largest: list[float] = []
    sides = np.maximum(xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1])
    centres, theirs = ((boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (xyxy, now))
    # The largest first: their cut-outs hold most of their neighbours.
    for index in np.argsort(-sides, kind="stable"):
        box, side = now[index], float(sides[index])
        room = side * _ROOM
        wanted = np.array([box[0] - room, box[1] - room, box[2] + room, box[3] + room])
        wanted = np.clip(wanted, 0, [width, height, width, height])
        if any(
            bool(np.all(wanted[:2] >= source[:2]) and np.all(wanted[2:] <= source[2:]))
            and size <= _SMALLER * side
            for source, size in zip(sources, largest, strict=True)
        ):
            continue
        length = max(1, round(reach * side))
        spans = [
            _span(float(before), float(there), length, limit)
            for before, there, limit in zip(
                centres[index], theirs[index], (width, height), strict=True
            )
        ]
        sources.append((spans[0][0], spans[1][0], spans[0][1], spans[1][1]))
        largest.append(side)
    return sources


def _span(before: float, now: float, length: int, limit: int) -> tuple[int, int]:
    """Returns begin and end of so many pixels, inside 0..limit, about a centre that has moved.

    They are whole steps away from where they would be had it not.
    """
    length = min(length, limit)
    first, wanted = (
        min(max(0, round(centre - length / 2)), limit - length) for centre in (before, now)
    )
    stride = length * _STRIDE
    begin = first + round(stride * round((wanted - first) / stride))
    begin = min(max(0, begin), limit - length)
    return begin, begin + length


def _picture(sources: Sequence[tuple[int, int, int, int]], smallest: int) -> Picture:
    """Lays cut-outs into the smallest picture that has room for them."""
    columns, share = next(grid for grid in _GRIDS if grid[0] ** 2 >= len(sources))
    size = smallest if share == 1 else max(1, round(smallest * share / _STEP)) * _STEP
    side = size // columns
    tiles = []
    for number, (left, top, right, bottom) in enumerate(sources):
        x, y = number % columns * side, number // columns * side
        scale = side / max(right - left, bottom - top)
        wide = max(1, math.floor((right - left) * scale + 0.5))
        high = max(1, math.floor((bottom - top) * scale + 0.5))
        tiles.append(Tile((left, top, right, bottom), (x, y, x + wide, y + high)))
    return Picture(size, tuple(tiles))
