"""Where things are in the picture: the frame, a column of panels, and which face sits where."""

import imutils
import numpy as np

from maskdet.detections import Detections
from maskdet.heatmap.drawing.panels import BACKGROUND, FAINT, MIN_TEXT, PanelShape, write
from maskdet.media.frames import UInt8Array

# Sides of a face in a panel: smaller shows nothing, larger takes space from the frame. Pixels.
MIN_SIDE, MAX_SIDE = 96, 260
# Places in a video's column, which must not change with the number of faces.
VIDEO_PANELS = 3
# Most columns and panels beside a picture; of a larger crowd the largest faces are shown.
_MAX_COLUMNS, MAX_PANELS = 3, 24


class Layout:
    """Where things are in every picture of a source, settled by its first frame.

    Args:
        width: of the frame in pixels.
        height: likewise.
        places: panels.
        size: side of a face in a panel; ``None`` to fit the frame's height.
        note: the line below the panels that says what the colours mean.
    """

    def __init__(
        self, width: int, height: int, *, places: int, size: int | None, note: str
    ) -> None:
        self._note = note
        columns = 1 if places <= VIDEO_PANELS else min(_MAX_COLUMNS, -(-places // VIDEO_PANELS))
        self.rows = -(-places // columns)
        self.places = places
        if size is None:
            size = MIN_SIDE
            while size < MAX_SIDE and self._tall(PanelShape(size + 1)) <= height:
                size += 1
        self.shape = PanelShape(size)
        self.frame_size = (width, height)
        # Video needs even sides.
        self.size = (
            _even(width + columns * self.shape.width),
            _even(max(height, self._tall(self.shape))),
        )
        # Copied for each frame, at a tenth of the time of filling it with the colour.
        self._empty = np.full((self.size[1], self.size[0], 3), BACKGROUND, np.uint8)

    def _tall(self, shape: PanelShape) -> int:
        return self.rows * shape.height + shape.line

    def place(self, number: int) -> tuple[int, int]:
        """Returns left and top of a panel in pixels."""
        column, row = divmod(number, self.rows)
        return self.frame_size[0] + column * self.shape.width, row * self.shape.height

    def canvas(self, frame_bgr: UInt8Array, hidden: int) -> UInt8Array:
        """Lays the frame on an empty picture with the note below the panels.

        Args:
            frame_bgr: (H, W, 3) uint8; one of another size than the first is fitted in.
            hidden: faces without a panel.
        """
        width, height = self.frame_size
        canvas = self._empty.copy()
        fitted = _fit(frame_bgr, width, height)
        canvas[: fitted.shape[0], : fitted.shape[1]] = fitted
        note = f"{self._note}; {hidden} more in the frame" if hidden else self._note
        baseline = self.size[1] - max(5, self.shape.line // 3)
        write(
            canvas,
            note,
            (width + self.shape.gap, baseline),
            max(MIN_TEXT, 0.75 * self.shape.text),
            FAINT,
        )
        return canvas


def _even(side: int) -> int:
    return side + side % 2


def _fit(frame_bgr: UInt8Array, width: int, height: int) -> UInt8Array:
    """Scales a frame of another size into the place of the first; one of that size is kept."""
    if frame_bgr.shape[:2] == (height, width):
        return frame_bgr
    wide = frame_bgr.shape[1] * height > width * frame_bgr.shape[0]
    scaled = (
        imutils.resize(frame_bgr, width=width) if wide else imutils.resize(frame_bgr, height=height)
    )
    return np.asarray(scaled[:height, :width], np.uint8)


class Seats:
    """Gives faces their places in the column, and lets a followed face keep its place.

    Args:
        places: how many there are.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken: dict[int, int] = {}

    def seat(self, detections: Detections) -> dict[int, int]:
        """Seats the faces of the next frame: the largest, from left to right where all are new.

        Returns:
            Place to index of the face.
        """
        sides = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
        largest = np.argsort(-sides.prod(axis=1), kind="stable")
        if detections.tracks is None:
            chosen = sorted(largest[: self._places].tolist(), key=lambda i: detections.xyxy[i, 0])
            return dict(enumerate(chosen))
        present = {int(number): index for index, number in enumerate(detections.tracks)}
        self._taken = {place: who for place, who in self._taken.items() if who in present}
        waiting = [i for i in largest.tolist() if detections.tracks[i] not in self._taken.values()]
        free = [place for place in range(self._places) if place not in self._taken]
        newcomers = sorted(waiting[: len(free)], key=lambda i: detections.xyxy[i, 0])
        for place, index in zip(free, newcomers, strict=False):
            self._taken[place] = int(detections.tracks[index])
        return {place: present[who] for place, who in self._taken.items()}
