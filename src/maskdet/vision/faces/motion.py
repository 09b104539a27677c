"""Tells whether something moves in a frame where no face is known: somebody may be coming."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.preprocessing import UInt8Array

# Longer side of the grey picture that frames are compared in. Pixels.
_SIDE = 64
# A pixel of it has changed from so many grey levels on, beside the picture's change as a whole: a
# camera that measures the light anew changes all of them.
_CHANGED = 8
# Whoever is known moves, too: so much around a face belongs to it, in sides of its box, and below
# it is the body.
_AROUND, _BELOW = 1.0, 4.0
# Samples a side of the frame for each of its pixels.
_SAMPLES = 4
# What moves, an arm that waves or leaves in the wind, goes on to do so about there. Pixels of it.
_SPREAD = 2

Mask = NDArray[np.bool_]


def thumbnail(frame_bgr: UInt8Array) -> NDArray[np.int16]:
    """Returns a frame as a tiny grey picture, (h, w) int16 of 0..255, the longer side 64 pixels.

    Each of its pixels is the mean of sixteen of the frame's.
    """
    height, width = frame_bgr.shape[:2]
    scale = _SIDE / max(height, width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    samples = cv2.resize(
        frame_bgr, (wide * _SAMPLES, high * _SAMPLES), interpolation=cv2.INTER_NEAREST
    )
    small = cv2.resize(samples, (wide, high), interpolation=cv2.INTER_AREA)
    grey: NDArray[np.int16] = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
    return grey


def changes(before: NDArray[np.int16], now: NDArray[np.int16]) -> Mask:
    """Tells where two frames differ.

    Args:
        before: `thumbnail` of the earlier frame.
        now: of the later one.

    Returns:
        (h, w) bool, of the later one's pixels.
    """
    if before.shape != now.shape:
        return np.ones(now.shape, np.bool_)
    difference = now - before
    changed: Mask = np.abs(difference - np.median(difference)) >= _CHANGED
    return changed


def spread(changed: Mask) -> Mask:
    """Returns (h, w) bool where something may move next, from where something has moved."""
    size = 2 * _SPREAD + 1
    wider: Mask = cv2.dilate(changed.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return wider


def is_elsewhere(changed: Mask, xyxy: FloatArray, width: int, height: int) -> bool:
    """Tells whether something has changed where nobody known is.

    Args:
        changed: (h, w) bool, of a thumbnail's pixels.
        xyxy: (N, 4) faces known, in pixels of the frame.
        width: of the frame in pixels.
        height: likewise.
    """
    changed = changed.copy()
    rows, columns = changed.shape
    for left, top, right, bottom in xyxy:
        wide, high = (right - left) * _AROUND, bottom - top
        first_x, last_x = ((left - wide) / width, (right + wide) / width)
        first_y, last_y = ((top - high * _AROUND) / height, (bottom + high * _BELOW) / height)
        changed[
            max(0, int(first_y * rows)) : max(0, int(np.ceil(last_y * rows))),
            max(0, int(first_x * columns)) : max(0, int(np.ceil(last_x * columns))),
        ] = False
    return bool(changed.any())
