"""Faces of two frames compared: which are the same, and how far they have moved."""

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray

SAME_FACE = 0.5
"""Intersection over union from which on two boxes of one frame are the same face."""

# From frame to frame a face has grown or shrunk by less than this.
_GROWN = 1.6


def found_again(xyxy: FloatArray, others: FloatArray) -> NDArray[np.intp]:
    """Looks for faces among those that another look at their frame has found.

    Args:
        xyxy: (N, 4) in pixels.
        others: (M, 4) likewise.

    Returns:
        (N,) the index of each among the others, -1 where it is not there.
    """
    if len(xyxy) == 0 or len(others) == 0:
        return np.full(len(xyxy), -1, np.intp)
    overlaps = intersection_over_union(xyxy, others)
    same = overlaps.max(axis=1) >= np.float32(SAME_FACE)
    return np.where(same, overlaps.argmax(axis=1), -1)


def offsets(xyxy: FloatArray, others: FloatArray) -> FloatArray:
    """Returns by how much another look at their frame finds faces elsewhere.

    Args:
        xyxy: (N, 4) in pixels.
        others: (M, 4) likewise.

    Returns:
        (N, 4) for each edge, in widths and heights of the face; 0 where it was not found.
    """
    shares = np.zeros_like(xyxy)
    again = found_again(xyxy, others)
    same = again >= 0
    sides = np.maximum(np.tile(xyxy[same, 2:] - xyxy[same, :2], 2), 1)
    shares[same] = (others[again[same]] - xyxy[same]) / sides
    return shares


def displacements(
    first: FloatArray, second: FloatArray, reach: float
) -> list[tuple[int, int, FloatArray]]:
    """Pairs faces of two frames that are near each other and alike in size, the nearest first.

    Args:
        first: (N, 4) in pixels.
        second: (M, 4) likewise.
        reach: how far apart they may be, in longer sides of the first.

    Returns:
        The indices of each pair, and how far the second's centre lies from the first's, (2,) in
        pixels.
    """
    if len(first) == 0 or len(second) == 0:
        return []
    sides, others = (
        np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1) for boxes in (first, second)
    )
    centres, theirs = ((boxes[:, :2] + boxes[:, 2:]) / np.float32(2) for boxes in (first, second))
    distances = np.linalg.norm(centres[:, None] - theirs[None], axis=2) / sides[:, None]
    ratio = sides[:, None] / others[None]
    distances[(distances >= reach) | (ratio > _GROWN) | (ratio < 1 / _GROWN)] = np.inf
    pairs = []
    for place in np.argsort(distances, axis=None, kind="stable"):
        row, column = divmod(int(place), len(second))
        if np.isinf(distances[row, column]):
            continue
        pairs.append((row, column, theirs[column] - centres[row]))
        # Neither belongs to another any more.
        distances[row, :] = distances[:, column] = np.inf
    return pairs
