"""Arithmetic of boxes in pixels (left, top, right, bottom): pure functions, inputs left alone."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray

UInt8Array = NDArray[np.uint8]


def expand_boxes(xyxy: FloatArray, margin: float) -> FloatArray:
    """Grows each box on every side by a share of its own width and height.

    Args:
        xyxy: (N, 4) boxes in pixels.
        margin: 0.25 adds a quarter of the width left and right, of the height above and below.

    Returns:
        (N, 4) float32, a new array.
    """
    size = xyxy[:, 2:] - xyxy[:, :2]
    grown = np.concatenate([xyxy[:, :2] - margin * size, xyxy[:, 2:] + margin * size], axis=1)
    return cast("FloatArray", grown.astype(np.float32))


def clip_boxes(xyxy: FloatArray, width: int, height: int) -> FloatArray:
    """Returns a copy of (N, 4) boxes cut to a frame of the given size in pixels."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(xyxy, np.float32(0), limits)


def cut(frame_bgr: UInt8Array, box: FloatArray) -> UInt8Array:
    """Returns the pixels of a box as a view, never empty: at least one pixel inside the frame.

    Args:
        frame_bgr: (H, W, 3) uint8.
        box: (4,) left, top, right, bottom in pixels; may reach beyond the frame or be empty.
    """
    left, top, right, bottom = pixel_box(box, frame_bgr.shape[1], frame_bgr.shape[0])
    return frame_bgr[top:bottom, left:right]


def pixel_box(box: FloatArray, width: int, height: int) -> tuple[int, int, int, int]:
    """Returns the whole pixels that `cut` takes of a box in a frame of the given size.

    Args:
        box: (4,) left, top, right, bottom in pixels; may reach beyond the frame or be empty.
        width: of the frame in pixels.
        height: likewise.

    Returns:
        Left, top, right, bottom; right and bottom are the first pixels outside.
    """
    left = int(np.clip(np.floor(box[0]), 0, width - 1))
    top = int(np.clip(np.floor(box[1]), 0, height - 1))
    right = int(np.clip(np.ceil(box[2]), left + 1, width))
    bottom = int(np.clip(np.ceil(box[3]), top + 1, height))
    return left, top, right, bottom


def intersection_over_union(first: FloatArray, second: FloatArray) -> FloatArray:
    """Computes how much every box of one set overlaps every box of another.

    Args:
        first: (N, 4) xyxy.
        second: (M, 4) xyxy.

    Returns:
        (N, M) float32 in [0, 1]; 0 where both boxes are empty.
    """
    # Training does this with 20,000 priors and few faces: the long side is the one to go along,
    # and axes lie side by side instead of in one (N, M, 2) array.
    if len(first) > len(second):
        return intersection_over_union(second, first).T
    widths, heights = (
        np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
        - np.maximum(first[:, None, axis], second[None, :, axis])
        for axis in (0, 1)
    )
    intersections = np.maximum(widths, 0) * np.maximum(heights, 0)
    sides = [np.maximum(boxes[:, 2:] - boxes[:, :2], 0) for boxes in (first, second)]
    areas = [across[:, 0] * across[:, 1] for across in sides]
    unions = areas[0][:, None] + areas[1][None, :] - intersections
    return cast(
        "FloatArray",
        np.divide(intersections, unions, out=np.zeros_like(unions), where=unions > 0),
    )
