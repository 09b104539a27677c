"""From a map to a smooth picture of numbers: enlarging, blurring, morphology, scaling."""

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.media.frames import UInt8Array

# The kernel of erosion and dilation that the scripts before maskdet used. Pixels.
_MORPHOLOGY_SIDE = 2
# Colour index of zero: the middle of 0..255, with 127 steps on either side.
ZERO = 128


@lru_cache(maxsize=512)
def spline_matrix(cells: int, pixels: int) -> FloatArray:
    """Returns the (pixels, cells) matrix that enlarges by cubic spline interpolation.

    Interpolation is linear in the values, so a map is enlarged by two products with matrices that
    are computed once a size: the values of ``scipy.ndimage.map_coordinates(order=3,
    mode="mirror")`` at a small part of its cost. A cell stands for a patch of the picture, so its
    value belongs to the patch's centre; beyond the outermost centres the map is held constant.
    Cubic splines show a 7x7 map without the diamond pattern of linear interpolation.

    Args:
        cells: side of the map.
        pixels: side of the picture.
    """
    if cells == 1:
        return np.ones((pixels, 1), np.float32)
    centres = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    at_pixels = _spline_weights(np.clip(centres, 0, cells - 1), cells)
    at_cells = _spline_weights(np.arange(cells, dtype=float), cells)
    return cast("FloatArray", np.linalg.solve(at_cells.T, at_pixels.T).T.astype(np.float32))


def _spline_weights(positions: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """Returns (P, cells) weights of cubic B-splines at positions, mirrored at the ends.

    Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing
    Magazine 16(6), 1999.
    """
    weights = np.zeros((len(positions), cells))
    first = np.floor(positions).astype(int)
    for knot in range(-1, 3):
        distance = np.abs(positions - (first + knot))
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = np.clip(2 - distance, 0, None) ** 3 / 6
        column = np.abs(first + knot)
        column = np.where(column >= cells, 2 * (cells - 1) - column, column)
        np.add.at(weights, (np.arange(len(positions)), column), np.where(distance < 1, near, far))
    return weights


def enlarge(map_: FloatArray, width: int, height: int) -> FloatArray:
    """Enlarges an (h, w) map to (height, width) float32 by cubic splines, without overshoot.

    The result stays between the least and the greatest value of the map.
    """
    rows = spline_matrix(map_.shape[0], height)
    columns = spline_matrix(map_.shape[1], width)
    large = rows @ map_ @ columns.T
    return cast("FloatArray", np.clip(large, map_.min(), map_.max()))


def blurred(values: FloatArray, kernel: int) -> FloatArray:
    """Smooths (H, W) values by a Gaussian of `kernel` (odd) pixels; 0 leaves them."""
    if kernel == 0:
        return values
    return cast("FloatArray", cv2.GaussianBlur(values, (kernel, kernel), 0))


def opened(values: FloatArray) -> FloatArray:
    """Erodes and dilates with a 2x2 kernel; evidence for and against are treated alike.

    Args:
        values: (H, W) float32, signed.

    Returns:
        (H, W) float32: specks narrower than two pixels are gone.
    """
    kernel = np.ones((_MORPHOLOGY_SIDE, _MORPHOLOGY_SIDE), np.uint8)
    # A kernel of even side has no middle: the way back starts from its other corner, or all
    # would move by a pixel.
    sides = [
        cv2.dilate(cv2.erode(np.maximum(signed, 0), kernel), kernel, anchor=(0, 0))
        for signed in (values, -values)
    ]
    return cast("FloatArray", sides[0] - sides[1])


def colour_indices(values: FloatArray, scale: float) -> UInt8Array:
    """Turns signed values into places of a colour map, zero in the middle.

    Args:
        values: (H, W) float32.
        scale: the value, and its negative, at the ends of the colour map. Where it is zero there
            is no evidence anywhere, and all is `ZERO`: nothing is divided by it.
    """
    if scale <= 0:
        return np.full(values.shape, ZERO, np.uint8)
    steps = np.rint(values * np.float32(127 / scale))
    return cast("UInt8Array", (np.clip(steps, -ZERO, 127) + ZERO).astype(np.uint8))
