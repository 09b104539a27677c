"""Faces made unrecognisable."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes, pixel_box
from maskdet.detections import FloatArray
from maskdet.media.frames import UInt8Array

# Blurring covers hair and chin, and what of a face a box leaves out. So many tiles are left a side.
_BLUR_MARGIN = 0.3
_BLUR_TILES = 6
# Exponent of the superellipse that is blurred: 2 would be an ellipse, which leaves corners clear.
_ROUNDNESS = 4


def blur_faces(image: UInt8Array, xyxy: FloatArray) -> UInt8Array:
    """Makes faces unrecognisable, in place.

    Each face is reduced to a few mosaic tiles, then smoothed, inside a rounded box a good deal
    larger than its own: a plain Gaussian of fixed width leaves large faces recognisable, and the
    box of a face that is half hidden, or turned away, is often a little off.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        xyxy: (N, 4) boxes in pixels.

    Returns:
        The same array.
    """
    height, width = image.shape[:2]
    for box, (left, top, right, bottom) in _blurred_regions(xyxy, width, height):
        region = image[top:bottom, left:right]
        tiles = cv2.resize(region, (_BLUR_TILES, _BLUR_TILES), interpolation=cv2.INTER_AREA)
        smooth = cv2.resize(tiles, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        mask = _rounded(box, left, top, right, bottom)
        region[mask] = smooth[mask]
    return image


def blurred_pixels(xyxy: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
    """Returns the (height, width) bool mask of what `blur_faces` changes in a picture.

    Args:
        xyxy: (N, 4) boxes in pixels.
        width: of the picture in pixels.
        height: likewise.
    """
    changed = np.zeros((height, width), bool)
    for box, (left, top, right, bottom) in _blurred_regions(xyxy, width, height):
        changed[top:bottom, left:right] |= _rounded(box, left, top, right, bottom)
    return changed


def _blurred_regions(
    xyxy: FloatArray, width: int, height: int
) -> Iterator[tuple[FloatArray, tuple[int, int, int, int]]]:
    """Yields each face's enlarged box, and the pixels of the picture it lies on."""
    for box in expand_boxes(xyxy, _BLUR_MARGIN):
        if box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0:
            yield box, pixel_box(box, width, height)


def _rounded(box: FloatArray, left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    """Returns which pixels of a region lie in a box with rounded corners, a superellipse."""
    centre, half = (box[:2] + box[2:]) / 2, np.maximum((box[2:] - box[:2]) / 2, 0.5)
    across = np.abs((np.arange(left, right) + 0.5 - centre[0]) / half[0]) ** _ROUNDNESS
    down = np.abs((np.arange(top, bottom) + 0.5 - centre[1]) / half[1]) ** _ROUNDNESS
    inside: NDArray[np.bool_] = across[np.newaxis] + down[:, np.newaxis] <= 1
    return inside
