"""Where captions stand in a picture: over no face, and over no other caption."""

import numpy as np

from maskdet.boxes import clip_boxes
from maskdet.detections import FloatArray

# Height of a caption, as a share of its face's, up to which it may stand on the face itself.
_ON_FOREHEAD = 0.12


class CaptionPlaces:
    """Finds a place for one caption after another.

    Args:
        faces: (N, 4) boxes in pixels.
        width: of the picture in pixels.
        height: likewise.
        line: thickness of the boxes' lines in pixels, half of which lies outside them.
    """

    def __init__(self, faces: FloatArray, width: int, height: int, line: int) -> None:
        self._faces = faces
        self._size = width, height
        self._line = line
        # Faces, then the captions placed so far.
        self._taken = clip_boxes(faces, width, height)

    def find(self, index: int, width: int, height: int) -> tuple[int, int] | None:
        """Finds and takes the first free place about a face.

        Args:
            index: of the face.
            width: of the caption in pixels.
            height: likewise.

        Returns:
            The lower left corner in pixels, ``None`` where there is no room.
        """
        left, top, right, bottom = (round(float(side)) for side in self._faces[index])
        frame_width, frame_height = self._size
        gap = self._line // 2 + 1
        # Along a box's edge it may slide to stay inside the picture.
        starts = [min(max(at, 0), frame_width - width) for at in (left, right - width)]
        rows = [min(max(at, height), frame_height) for at in (top + height, bottom)]
        above, below = top - gap, bottom + gap + height
        for corner in (
            *((start, above) for start in starts),
            *((start, below) for start in starts),
            *((right + gap, row) for row in rows),
            *((left - gap - width, row) for row in rows),
        ):
            if self._is_free(corner, width, height, self._taken):
                return self._take(corner, width, height)
        # A face that fills the picture has room on its own forehead.
        inside = starts[0], max(top, 0) + height + self._line
        others = np.delete(self._taken, index, axis=0)
        if height <= _ON_FOREHEAD * (bottom - top) and self._is_free(inside, width, height, others):
            return self._take(inside, width, height)
        return None

    def _take(self, corner: tuple[int, int], width: int, height: int) -> tuple[int, int]:
        place = (corner[0], corner[1] - height, corner[0] + width, corner[1])
        self._taken = np.vstack([self._taken, np.array([place], np.float32)])
        return corner

    def _is_free(self, corner: tuple[int, int], width: int, height: int, taken: FloatArray) -> bool:
        left, bottom = corner
        right, top = left + width, bottom - height
        if left < 0 or top < 0 or right > self._size[0] or bottom > self._size[1]:
            return False
        across = np.minimum(taken[:, 2], right) - np.maximum(taken[:, 0], left)
        down = np.minimum(taken[:, 3], bottom) - np.maximum(taken[:, 1], top)
        return not bool(((across > 0) & (down > 0)).any())
