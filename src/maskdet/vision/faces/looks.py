"""Decides how each frame of a video is looked at: in full, or where small faces are known to be.

Finding a small face takes a large input, following it does not. So a frame now and then is a *look*
at the full size, and in the frames between the network sees the whole frame at its smallest size,
for large faces, and cut-outs around the small ones. Each look proves at once that what it found is
found that way, too; where it is not, the frames up to the next are looked at in full, as are those
in which it is known that a face was lost.

What is decided for a frame rests on the looks before it and the frames since, never on more: a part
of a video is looked at as the whole is, once it has begun with a look or two.
"""

import threading
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.faces.displacement import displacements, missing
from maskdet.vision.faces.motion import moves_elsewhere, thumbnail
from maskdet.vision.faces.packing import Picture, packed
from maskdet.vision.preprocessing import UInt8Array

# One frame in so many is a look. Divides `size_choice.LOOK_EVERY`, whose looks are looks here, too.
FULL_EVERY = 10
# Halfway to the next, one is brought forward if something moves where no face is known.
EARLIER = FULL_EVERY // 2
# What a frame shows counts for those from so many later on; see `size_choice.DELAY`. Fewer, since
# in that time a face moves on; at least as many as the frames that are worked on at a time.
KNOWN_AFTER = 4
# For so long a look tells where faces are: in a source of few frames a second they are elsewhere
# by the next. Seconds.
_TELLS_FOR = 0.95
# Following must cost less than so much of a look, in pixels that the network sees.
_WORTH_IT = 0.75
# Such a share of a look's faces may be too hard to follow, or lost.
_HARD = 0.05
# A face has moved by less than so many of its sides from look to look, and from where it is
# expected to where it is found.
_BETWEEN_LOOKS, _FROM_EXPECTED = 6.0, 1.0


@dataclass(frozen=True)
class Look:
    """What a look showed.

    Attributes:
        index: number of its frame.
        moment: of its frame, in seconds, ``None`` where that is not known.
        size: it was looked at with.
        thumbnail: of its frame; see `maskdet.vision.faces.motion`.
        xyxy: (N, 4) the faces found, in pixels.
        small: (N,) bool, which of them need a cut-out.
        velocities: (N, 2) pixels a frame, along x and y.
        can_be_followed: whether nearly all were found again the cheap way.
    """

    index: int
    moment: float | None
    size: int
    thumbnail: NDArray[np.int16]
    xyxy: FloatArray
    small: NDArray[np.bool_]
    velocities: FloatArray
    can_be_followed: bool


@dataclass(frozen=True)
class Plan:
    """How a frame is to be looked at.

    Attributes:
        index: number of the frame.
        moment: of the frame, in seconds, ``None`` where that is not known.
        size: for the full size.
        base: the last look that is surely known, ``None`` for none.
        pictures: cut-outs to look at beside the whole frame at the smallest size; ``None`` to look
            at the frame in full.
        thumbnail: of a frame that is to be a look, ``None`` for any other.
    """

    index: int
    moment: float | None
    size: int
    base: Look | None
    pictures: list[Picture] | None = None
    thumbnail: NDArray[np.int16] | None = None


@dataclass
class _Shown:
    """What a frame showed: its faces, and the look they were followed from, if they were."""

    xyxy: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    base: int | None = None
    look: Look | None = None


class LookPlanner:
    """Plans the frames of one moving source. May be called from several threads.

    Args:
        smallest: the detector's smallest size.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest
        self._shown: dict[int, _Shown] = {}
        self._learned = 0
        self._changed = threading.Condition()

    def plan(
        self, index: int, frame_bgr: UInt8Array, size: int, moment: float | None = None
    ) -> Plan:
        """Plans a frame; waits for earlier ones if they are far behind.

        Args:
            index: number of the frame, from 0; `saw` must be called for each.
            frame_bgr: (H, W, 3) uint8.
            size: the full size, larger than the smallest.
            moment: of the frame, in seconds, where it is known.
        """
        height, width = frame_bgr.shape[:2]
        base, latest = self._known(index)
        full = Plan(index, moment, size, base)
        if index % EARLIER == 0:
            now = thumbnail(frame_bgr)
            due = index % FULL_EVERY == 0 or (
                base is not None and moves_elsewhere(base.thumbnail, now, base.xyxy, width, height)
            )
            if due:
                return replace(full, thumbnail=now)
        if base is None or base.size < size or not base.can_be_followed:
            return full
        if moment is not None and base.moment is not None and moment - base.moment > _TELLS_FOR:
            return full
        expected, lost = _expected(base, latest, index)
        if lost > _HARD * len(base.xyxy):
            return full
        pictures = packed(expected, width, height, self._smallest)
        cost = self._smallest**2 + sum(picture.size**2 for picture in pictures)
        if cost > _WORTH_IT * size**2:
            return full
        return replace(full, pictures=pictures)

    def saw(
        self,
        index: int,
        plan: Plan | None,
        xyxy: FloatArray | None,
        small: NDArray[np.bool_] | None = None,
        followed: FloatArray | None = None,
    ) -> None:
        """Learns from a frame.

        Args:
            index: number of the frame.
            plan: by which it was looked at, ``None`` for a frame that needed none.
            xyxy: (N, 4) the faces found, in pixels; ``None`` if looking failed.
            small: of a look, (N,) bool, which of them need a cut-out.
            followed: of a look, (M, 4) what is found in its frame the cheap way.
        """
        shown = _Shown()
        if xyxy is not None:
            followed_from = plan.base if plan and plan.pictures is not None else None
            shown = _Shown(xyxy, followed_from.index if followed_from else None)
            if plan and plan.thumbnail is not None and small is not None and followed is not None:
                shown.look = Look(
                    index,
                    plan.moment,
                    plan.size,
                    plan.thumbnail,
                    xyxy,
                    small,
                    _velocities(plan.base, index, xyxy),
                    missing(xyxy, followed) <= _HARD * len(xyxy),
                )
        with self._changed:
            self._shown[index] = shown
            self._shown.pop(index - 3 * FULL_EVERY, None)
            while self._learned in self._shown:
                self._learned += 1
            self._changed.notify_all()

    def _known(self, index: int) -> tuple[Look | None, tuple[int, _Shown] | None]:
        """Returns the last look that is known, and what the last frame that is known showed.

        Of that, only what rests on that look alone, or on none.
        """
        latest = index - KNOWN_AFTER
        if latest < 0:
            return None, None
        with self._changed:
            self._changed.wait_for(lambda: self._learned > latest)
            looks = (
                self._shown[earlier].look
                for earlier in range(latest, max(-1, latest - FULL_EVERY), -1)
                if earlier in self._shown
            )
            base = next((look for look in looks if look is not None), None)
            shown = self._shown[latest]
        if base is None or latest == base.index or shown.base not in (None, base.index):
            return base, None
        return base, (latest, shown)


def _expected(base: Look, latest: tuple[int, _Shown] | None, index: int) -> tuple[FloatArray, int]:
    """Returns (M, 4) where a look's small faces are expected in a frame, and how many were lost."""
    boxes, velocities = base.xyxy[base.small], base.velocities[base.small]
    since = np.full((len(boxes), 1), index - base.index, np.float32)
    lost = 0
    if latest is not None:
        number, shown = latest
        lost = len(boxes)
        elapsed = np.float32(number - base.index)
        moved = boxes + np.tile(velocities * elapsed, 2)
        for row, match, movement in displacements(moved, shown.xyxy, _FROM_EXPECTED):
            velocities[row] += movement / elapsed
            boxes[row], since[row] = shown.xyxy[match], index - number
            lost -= 1
        # A frame that was looked at in full says that it is gone.
        lost = lost if shown.base is not None else 0
    expected: FloatArray = boxes + np.tile(velocities * since, 2)
    return expected, lost


def _velocities(before: Look | None, index: int, xyxy: FloatArray) -> FloatArray:
    """Returns (N, 2) how faces have moved since an earlier look, in pixels a frame."""
    velocities = np.zeros((len(xyxy), 2), np.float32)
    if before is not None:
        elapsed = np.float32(index - before.index)
        for row, _, movement in displacements(xyxy, before.xyxy, _BETWEEN_LOOKS):
            velocities[row] = -movement / elapsed
    return velocities
