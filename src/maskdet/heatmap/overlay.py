"""From a class activation map to colour on a face: evidence, enlarging, colouring, blending."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from maskdet.detections import FloatArray

UInt8Array = NDArray[np.uint8]

# Cubic splines show a 7x7 map without the diamond pattern of linear interpolation.
_SPLINE_ORDER = 3


def positive_evidence(cam: FloatArray) -> FloatArray:
    """Scales what speaks for a class to [0, 1]; what speaks against it is 0.

    Args:
        cam: (H, W) class activation map in logit units.

    Returns:
        (H, W) float32; all zeros where nothing speaks for the class.
    """
    positive = np.maximum(cam, 0)
    peak = float(positive.max(initial=0.0))
    scaled = positive / peak if peak > 0 else np.zeros_like(positive)
    return cast("FloatArray", scaled.astype(np.float32))


def enlarge(evidence: FloatArray, side: int) -> FloatArray:
    """Enlarges a map in [0, 1] to (side, side) by spline interpolation.

    A cell of the map stands for a patch of the picture, so samples are patch centres
    (``grid_mode``), and the map is held constant beyond the outermost ones.
    """
    factors = (side / evidence.shape[0], side / evidence.shape[1])
    large = zoom(evidence, factors, order=_SPLINE_ORDER, mode="nearest", grid_mode=True)
    return cast("FloatArray", np.clip(large, 0, 1).astype(np.float32))


def blend(face_bgr: UInt8Array, evidence: FloatArray, alpha: float) -> UInt8Array:
    """Paints a map over a face.

    Args:
        face_bgr: (S, S, 3) uint8.
        evidence: (S, S) float32 in [0, 1].
        alpha: weight of the colours, 0 to 1.

    Returns:
        (S, S, 3) uint8 BGR, a new picture: blue without evidence, red with the most.
    """
    colours = cv2.applyColorMap((evidence * 255).astype(np.uint8), cv2.COLORMAP_JET)
    return cast("UInt8Array", cv2.addWeighted(face_bgr, 1 - alpha, colours, alpha, 0))
