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


def thumbnail(frame_bgr: UInt8Array) -> NDArray[np.int16]:
    """Returns a frame as a tiny grey picture, (h, w) int16 of 0..255, the longer side 64 pixels."""
    height, width = frame_bgr.shape[:2]
    scale = _SIDE / max(height, width)
    small = cv2.resize(
        frame_bgr,
        (max(1, round(width * scale)), max(1, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    grey: NDArray[np.int16] = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
    return grey


def moves_elsewhere(
    before: NDArray[np.int16], now: NDArray[np.int16], xyxy: FloatArray, width: int, height: int
) -> bool:
    """Tells whether two frames differ where nobody known is.

    Args:
        before: `thumbnail` of the earlier frame.
        now: of the later one.
        xyxy: (N, 4) faces known, in pixels of the frame.
        width: of the frame in pixels.
        height: likewise.
    """
    if before.shape != now.shape:
        return True
    difference = now - before
    changed = np.abs(difference - np.median(difference)) >= _CHANGED
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
