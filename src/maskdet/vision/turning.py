"""Pictures on their side or upside down: turning them, and noticing that they should be.

The first stage finds few faces at any other turn than upright: of 139 faces of 59 photographs 33
when these are upside down and 9 on either side. Of the large ones of 154 portraits it finds more,
88 of 151 upside down, but is less sure of them: of all but one it was surest upright. So a look now
and then at all four turns of a small copy tells how a camera is mounted.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.preprocessing import UInt8Array

TURNS = (0, 90, 180, 270)
"""By how many degrees a picture may be turned, clockwise."""

_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
# Longest side of the copy that is looked at, in pixels.
_SIDE = 320
# The first looks are at these frames, counted from 0, the others so many frames apart: one costs as
# much as two or three frames of a video. Of pictures, each another scene, more are looked at.
_FIRST_FRAMES, _FRAMES_APART = (5, 50), 500
_FIRST_PICTURES, _PICTURES_APART = (0, 2, 6), 16
# Looks that are added up, faces found at another turn from which on it is said, and how many times
# what speaks for them must be what speaks for those found upright.
_LOOKS, _FEWEST, _TIMES = 8, 4, 1.5
# What speaks for a face is the logit of its score, up to this.
_SUREST = 7.0


def turned(image: UInt8Array, degrees: int) -> UInt8Array:
    """Returns an (H, W, 3) picture turned clockwise by one of `TURNS`; itself for 0."""
    if degrees == 0:
        return image
    return np.asarray(cv2.rotate(image, _CODES[degrees]), np.uint8)


class TurnWatch:
    """Looks now and then whether faces are found at another turn. May be used by several threads.

    Args:
        rotate: degrees by which the pictures have been turned already.
        log: told, once a source, by how much it should be turned.
    """

    def __init__(self, rotate: int, log: Callable[[str], None]) -> None:
        self._rotate = rotate
        self._log = log
        self._frames: dict[Hashable, int] = {}
        # Of each turn the number of faces, and what speaks for them.
        self._looks: dict[Hashable, deque[list[tuple[int, float]]]] = {}
        self._told: set[Hashable] = set()
        self._lock = threading.Lock()

    def look(
        self,
        name: str,
        image: UInt8Array,
        detect: Callable[[UInt8Array], tuple[FloatArray, FloatArray]],
        *,
        confidence: float,
        moving: bool,
    ) -> None:
        """Takes the next frame of a source, and looks at it if it is time to.

        Args:
            name: of the source.
            image: (H, W, 3) uint8 BGR.
            detect: finds faces: boxes, and scores in [0, 1].
            confidence: score from which on it is one.
            moving: whether the source's frames follow one another in time.
        """
        first, apart = (
            (_FIRST_FRAMES, _FRAMES_APART) if moving else (_FIRST_PICTURES, _PICTURES_APART)
        )
        with self._lock:
            number = self._frames.get(name, 0)
            self._frames[name] = number + 1
            if name in self._told or not (number in first or (number and number % apart == 0)):
                return
        scale = min(1.0, _SIDE / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found: list[tuple[int, float]] = []
        for turn in TURNS:
            _, scores = detect(turned(np.asarray(small, np.uint8), turn))
            sure = scores[scores >= confidence].astype(np.float64)
            logits = np.log(sure) - np.log(np.maximum(1 - sure, np.exp(-2 * _SUREST)))
            found.append((len(sure), float(np.minimum(logits, _SUREST).sum())))
        with self._lock:
            looks = self._looks.setdefault(name, deque(maxlen=_LOOKS))
            looks.append(found)
            faces, evidence = np.sum(looks, axis=0).T
            best = int(evidence.argmax())
            clear = faces[best] >= _FEWEST and evidence[best] >= _TIMES * evidence[0]
            if name in self._told or best == 0 or not clear:
                return
            self._told.add(name)
        self._log(f"{name}: {self._advice(TURNS[best])}")

    def _advice(self, turn: int) -> str:
        found = f"faces are found better when it is turned clockwise by {turn} degrees"
        right = (self._rotate + turn) % 360
        return f"{found}: leave --rotate out" if right == 0 else f"{found}: give --rotate {right}"
