"""What to blur in each frame of a video: faces, and where they must be while they are not found.

Whoever asks for faces to be blurred would rather have too much blurred than a face left clear. So
boxes too doubtful to be labelled count, too, and a face that is lost stays blurred for a while
where it is expected; between two sightings it is blurred on the way from one to the other. Where a
few frames can be held back, a face that is found late was there before: it is blurred in them.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from maskdet.boxes import expand_boxes, intersection_over_union
from maskdet.detections import FloatArray
from maskdet.vision.matching import best_pairs


@dataclass(frozen=True)
class VeilOptions:
    """How long faces that are not found stay blurred.

    Attributes:
        hold: frames for which a lost face stays blurred.
        ahead: frames that are held back, in which faces found later are blurred.
        doubtful_hold: what both are at most for each sighting of what was never more than
            doubtful; else everything that looks like a face for a moment would leave a smear.
        min_overlap: IoU of two sightings from which on they may be the same face.
        reach: how far, in widths of the face, it may jump when its boxes do not overlap at all.
        growth: share of its size by which an expected box grows a frame on every side.
        largest_growth: what that ends at.
    """

    hold: int = 12
    ahead: int = 8
    doubtful_hold: int = 4
    min_overlap: float = 0.1
    reach: float = 0.8
    growth: float = 0.02
    largest_growth: float = 0.2


@dataclass
class _Trail:
    """The sightings of what is taken for one face, oldest first: frame and (4,) box.

    Attributes:
        sightings: the latest of them.
        seen: how many there were in all.
        sure: whether it was ever sure enough to be labelled.
    """

    sightings: deque[tuple[int, FloatArray]] = field(default_factory=deque)
    seen: int = 0
    sure: bool = False

    def sight(self, frame: int, box: FloatArray, *, sure: bool) -> None:
        """Adds a sighting."""
        self.sightings.append((frame, box.copy()))
        self.seen += 1
        self.sure |= sure

    @property
    def last(self) -> int:
        return self.sightings[-1][0]

    def expected(self, frame: int) -> FloatArray:
        """Returns where the face should be some frames after it was last seen."""
        frame_seen, box = self.sightings[-1]
        if len(self.sightings) < 2:
            return box
        return box + _movement(self.sightings[-2], self.sightings[-1]) * np.float32(
            frame - frame_seen
        )

    def at(self, frame: int, options: VeilOptions) -> FloatArray | None:
        """Returns the box to blur in a frame, ``None`` where the face was not near in time."""
        before = [one for one in self.sightings if one[0] <= frame]
        after = [one for one in self.sightings if one[0] > frame]
        if before and before[-1][0] == frame:
            return before[-1][1]
        if before and after:
            (first, start), (then, end) = before[-1], after[0]
            share = np.float32((frame - first) / (then - first))
            away = min(frame - first, then - frame)
            return _grown(start + share * (end - start), away, options)
        # At one end of the trail: it moves on as it did there.
        near, other = (before[-1:], before[-2:-1]) if before else (after[:1], after[1:2])
        ((seen, box),) = near
        away = abs(frame - seen)
        longest = options.hold if before else options.ahead
        if away > (longest if self.sure else min(longest, options.doubtful_hold * self.seen)):
            return None
        if other:
            box = box + _movement(near[0], other[0]) * np.float32(frame - seen)
        return _grown(box, away, options)


def _movement(one: tuple[int, FloatArray], other: tuple[int, FloatArray]) -> FloatArray:
    """Returns the (4,) movement from frame to frame between two sightings, its size left alone."""
    movement = (other[1] - one[1]) / np.float32(other[0] - one[0])
    centre = (movement[:2] + movement[2:]) / 2
    moved: FloatArray = np.concatenate([centre, centre])
    return moved


def _grown(box: FloatArray, frames: int, options: VeilOptions) -> FloatArray:
    share = min(options.growth * frames, options.largest_growth)
    grown: FloatArray = expand_boxes(box[np.newaxis], share)[0]
    return grown


class Veil:
    """Remembers the faces of one source, frame by frame.

    Args:
        options: how long.
    """

    def __init__(self, options: VeilOptions | None = None) -> None:
        self._options = options or VeilOptions()
        self._trails: list[_Trail] = []
        self._frames = 0

    def add(self, xyxy: FloatArray, sure: int) -> None:
        """Takes what was found in the next frame.

        Args:
            xyxy: (N, 4) boxes in pixels, doubtful ones last.
            sure: how many are not doubtful.
        """
        frame, options = self._frames, self._options
        self._frames += 1
        # Those that no frame still held back can want are forgotten.
        kept = frame - options.ahead - options.hold
        self._trails = [trail for trail in self._trails if trail.last >= kept]
        for trail in self._trails:
            while len(trail.sightings) > 2 and trail.sightings[1][0] < kept:
                trail.sightings.popleft()
        open_ = [trail for trail in self._trails if frame - trail.last <= options.hold]
        taken = set()
        pairs = best_pairs(self._affinity(open_, xyxy, frame)) if open_ and len(xyxy) else []
        for row, column in pairs:
            open_[row].sight(frame, xyxy[column], sure=column < sure)
            taken.add(column)
        for column in range(len(xyxy)):
            if column not in taken:
                trail = _Trail()
                trail.sight(frame, xyxy[column], sure=column < sure)
                self._trails.append(trail)

    def at(self, frame: int) -> FloatArray:
        """Returns the (M, 4) boxes to blur in a frame.

        Args:
            frame: how many frames came before it; not older than `VeilOptions.ahead`.
        """
        boxes = [trail.at(frame, self._options) for trail in self._trails]
        return np.array([box for box in boxes if box is not None], np.float32).reshape(-1, 4)

    def _affinity(self, trails: list[_Trail], xyxy: FloatArray, frame: int) -> FloatArray:
        """Returns (trails, boxes) how likely they are the same face; 0 where they are not."""
        # Also where it was last: what turns back is not where it was going.
        expected = np.stack([trail.expected(frame) for trail in trails])
        last = np.stack([trail.sightings[-1][1] for trail in trails])
        overlap = np.maximum(*(intersection_over_union(one, xyxy) for one in (expected, last)))
        found = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        width = np.maximum(last[:, 2] - last[:, 0], 1)[:, None]
        distance = np.minimum(
            *(
                np.linalg.norm(((one[:, :2] + one[:, 2:]) / 2)[:, None] - found[None], axis=2)
                for one in (expected, last)
            )
        )
        nearness = np.clip(1 - distance / (self._options.reach * width), 0, 1)
        alike = width / np.maximum(xyxy[:, 2] - xyxy[:, 0], 1)[None]
        nearness[(alike < 0.5) | (alike > 2)] = 0
        affinity: FloatArray = np.where(
            overlap >= self._options.min_overlap, 1 + overlap, nearness
        ).astype(np.float32)
        return affinity
