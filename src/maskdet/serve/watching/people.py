"""Counts people: each track once, when it has been there for a moment, and each crossing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from maskdet.detections import UNCERTAIN_LABEL, Detections
from maskdet.serve.site.camera_settings import Line, Point

# A face seen for so many frames, over so long, is somebody. Number, seconds.
_FRAMES, _SECONDS = 3, 0.5
# Who has not been seen for so long does not come back under this number. Seconds.
_FORGET_AFTER = 30.0


@dataclass
class _Somebody:
    """A track.

    Attributes:
        since: when it was first seen.
        seen: when last.
        place: of its centre then, in shares of the frame.
        frames: how often it was seen.
        is_counted: whether it is among the people already.
    """

    since: float
    seen: float
    place: Point
    frames: int = 0
    is_counted: bool = False


@dataclass(frozen=True)
class Crossing:
    """Somebody has crossed a line.

    Attributes:
        line: its name.
        label: of who did.
        is_inward: to its right-hand side.
    """

    line: str
    label: str
    is_inward: bool


class People:
    """Follows who is before one camera.

    Args:
        lines: where people are counted who cross.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._known: dict[int, _Somebody] = {}

    def forget(self) -> None:
        """Begins anew: track numbers do, too."""
        self._known.clear()

    def see(
        self, detections: Detections, width: int, height: int, moment: float
    ) -> tuple[Counter[str], list[Crossing]]:
        """Takes a frame's faces.

        Args:
            detections: followed faces.
            width: of the frame, in pixels.
            height: likewise.
            moment: in seconds, never back.

        Returns:
            Who has come, by label: each person once, under the label of the moment at which there
            is no doubt of the face. And who has crossed a line.
        """
        come: Counter[str] = Counter()
        crossings: list[Crossing] = []
        if detections.tracks is None:
            return come, crossings
        self._known = {
            number: one for number, one in self._known.items() if moment - one.seen <= _FORGET_AFTER
        }
        size = np.array([width, height], np.float32)
        centres = (detections.xyxy[:, :2] + detections.xyxy[:, 2:]) / 2 / size
        for number, (x, y), label in zip(
            detections.tracks.tolist(), centres.tolist(), detections.predicted_labels, strict=True
        ):
            place = x, y
            one = self._known.setdefault(number, _Somebody(moment, moment, place))
            one.frames += 1
            if self._lines and one.is_counted:
                crossings += self._crossed(one.place, place, label)
                one.place = place
            one.seen = moment
            is_there = one.frames >= _FRAMES and moment - one.since >= _SECONDS
            if is_there and not one.is_counted and label != UNCERTAIN_LABEL:
                one.is_counted = True
                come[label] += 1
        return come, crossings

    def _crossed(self, before: Point, now: Point, label: str) -> list[Crossing]:
        return [
            Crossing(line.name, label, _side(line, now) > 0)
            for line in self._lines
            if _cross(before, now, line)
        ]


def _side(line: Line, place: Point) -> float:
    """Returns more than 0 to the right of a line, less to its left, as it is seen on the screen."""
    (x1, y1), (x2, y2) = line.start, line.end
    return (x2 - x1) * (place[1] - y1) - (y2 - y1) * (place[0] - x1)


def _cross(before: Point, now: Point, line: Line) -> bool:
    """Tells whether a step leads over a line, not past its ends; who stands upon it is not over."""
    first, second = _side(line, before), _side(line, now)
    if first == second or (first > 0) == (second > 0):
        return False
    step = Line("", before, now)
    ends = [_side(step, end) for end in (line.start, line.end)]
    return all(one * other <= 0 for one, other in pairwise(ends))
