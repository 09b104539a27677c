"""Whether a picture shows anything: the same for long, black, one colour, or faces too small."""

from collections import deque

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.media.frames import UInt8Array
from maskdet.serve.showing.status import CameraState

# Every n-th pixel a side is enough to tell.
_STEP = 8
# Of grey levels: a picture below this mean is black, one that varies less than this shows nothing.
_BLACK, _EVEN = 16.0, 5.0
# What is only for a moment, as when somebody passes close by, is no state. Seconds.
_SETTLED = 3.0
# Faces lower than this say little of masks; so many of the latest are asked, which must have come
# within so long. Pixels, number, seconds.
_FEW_PIXELS, _ASKED, _RECENT = 20.0, 50, 300.0
_FEWEST_ASKED = 20


class Sight:
    """Looks at the pictures of one camera, not at who is in them.

    Args:
        frozen_after: the same picture for so many seconds is no picture.
    """

    def __init__(self, frozen_after: float) -> None:
        self._frozen_after = frozen_after
        self.forget()

    def forget(self) -> None:
        """Begins anew, as after an opening."""
        self._last: UInt8Array | None = None
        self._changed_at: float | None = None
        self._empty: tuple[CameraState, float] | None = None
        self._heights: deque[tuple[float, float]] = deque(maxlen=_ASKED)

    def judge(self, image: UInt8Array, moment: float) -> tuple[CameraState, str]:
        """Tells how a camera is by its newest picture, and why.

        Args:
            image: (H, W, 3) uint8 BGR.
            moment: in seconds, never back.
        """
        few = np.ascontiguousarray(image[::_STEP, ::_STEP])
        same = self._last is not None and np.array_equal(few, self._last)
        self._last = few
        if not same or self._changed_at is None:
            self._changed_at = moment
        still = moment - self._changed_at
        if still >= self._frozen_after:
            return CameraState.FROZEN, f"the same picture for {still:.0f} s"
        empty = self._emptiness(few)
        if empty is None:
            self._empty = None
        elif self._empty is None or self._empty[0] is not empty:
            self._empty = empty, moment
        if self._empty is not None and moment - self._empty[1] >= _SETTLED:
            state = self._empty[0]
            why = "the picture is black" if state is CameraState.DARK else "the lens seems covered"
            return state, why
        return self._small(moment)

    def saw_faces(self, xyxy: FloatArray, moment: float) -> None:
        """Takes the faces of a frame, (N, 4) boxes in pixels."""
        self._heights.extend((moment, float(box[3] - box[1])) for box in xyxy)

    def _emptiness(self, few: UInt8Array) -> CameraState | None:
        grey = cv2.cvtColor(few, cv2.COLOR_BGR2GRAY)
        # What a black sensor gives beside black is noise.
        if grey.mean() < _BLACK and np.percentile(grey, 99) < 2 * _BLACK:
            return CameraState.DARK
        return CameraState.COVERED if grey.std() < _EVEN else None

    def _small(self, moment: float) -> tuple[CameraState, str]:
        heights = [height for seen, height in self._heights if moment - seen <= _RECENT]
        middle = float(np.median(heights)) if len(heights) >= _FEWEST_ASKED else _FEW_PIXELS
        if middle < _FEW_PIXELS:
            return CameraState.SMALL_FACES, f"faces are {middle:.0f} pixels high: go nearer"
        return CameraState.LIVE, ""
