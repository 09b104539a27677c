"""What looks at a moving source have shown, and what is to be expected in the frames after them.

`maskdet.vision.faces.looks` decides by it how a frame is looked at.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.displacement import displacements
from maskdet.vision.faces.motion import Mask, changes, is_elsewhere, spread

# A face has moved by less than so many of its sides from look to look, and from where it is
# expected to where it is found.
_BETWEEN_LOOKS, _FROM_EXPECTED = 6.0, 1.0


@dataclass(frozen=True)
class Proof:
    """What a look's frame shows to whoever looks at it in the cheap ways.

    Attributes:
        small: (N,) bool, which of the look's faces are too small for the smallest size.
        near: (M, 4) what is found at the smallest size and in cut-outs around those.
        apart: (K, 4) what is found in cut-outs around all of them.
    """

    small: NDArray[np.bool_]
    near: FloatArray
    apart: FloatArray


@dataclass(frozen=True)
class Steady:
    """What a look shows of motion, one that was not brought forward.

    Attributes:
        thumbnail: of its frame; see `maskdet.vision.faces.motion`.
        restless: (h, w) bool, where something has moved since the one before it, and may go on to.
    """

    thumbnail: NDArray[np.int16]
    restless: Mask


@dataclass(frozen=True)
class Look:
    """What a look showed.

    Attributes:
        index: number of its frame.
        moment: of its frame, in seconds, ``None`` where that is not known.
        size: it was looked at with.
        thumbnail: of its frame; see `maskdet.vision.faces.motion`.
        steady: of the last look that was not brought forward, which may be this one.
        xyxy: (N, 4) the faces found, in pixels; of those that were followed to it, halfway between
            where the look has found them and where they were followed to.
        small: (N,) bool, which of them are too small for the smallest size.
        velocities: (N, 2) pixels a frame, along x and y.
        near: whether nearly all were found again at the smallest size and in cut-outs.
        apart: whether all were found again in cut-outs alone.
        offsets: (N, 4) how far from here the edges of those were, in widths and heights of the
            face: boxes are not alike at every scale, and should not jump from one to another.
    """

    index: int
    moment: float | None
    size: int
    thumbnail: NDArray[np.int16]
    steady: Steady
    xyxy: FloatArray
    small: NDArray[np.bool_]
    velocities: FloatArray
    near: bool
    apart: bool
    offsets: FloatArray

    def is_calm(self, now: NDArray[np.int16], width: int, height: int) -> bool:
        """Tells whether in a later frame nothing moves that was still, but for those who are known.

        Args:
            now: the frame's thumbnail.
            width: of the frame in pixels.
            height: likewise.
        """
        if self.steady.restless.shape != now.shape:
            return False
        moved = changes(self.thumbnail, now) & ~self.steady.restless
        return not is_elsewhere(moved, self.xyxy, width, height)


@dataclass(frozen=True)
class Expected:
    """The faces that a frame is expected to show.

    Attributes:
        xyxy: (N, 4) where, in pixels.
        before: (N, 4) where they were at the look, as it has it.
        small: (N,) bool, as of a `Look`.
        offsets: (N, 4) likewise.
        lost: (N,) bool, which of them were not found lately, though they were only followed.
        others: how many faces beside them were found lately.
    """

    xyxy: FloatArray
    before: FloatArray
    small: NDArray[np.bool_]
    offsets: FloatArray
    lost: NDArray[np.bool_]
    others: int

    @property
    def all_are_known(self) -> bool:
        """Whether nobody was lost or has come."""
        return self.others == 0 and not self.lost.any()

    def corrected(self, faces: Faces) -> Faces:
        """Returns faces found in cut-outs with boxes as a look would find them."""
        xyxy, scores = faces
        xyxy = xyxy.copy()
        for row, match, _ in displacements(self.xyxy, xyxy, _FROM_EXPECTED):
            left, top, right, bottom = xyxy[match]
            # As offsets are told in sizes of the face that a look finds.
            grown = 1 + self.offsets[row, 2:] - self.offsets[row, :2]
            size = np.array([right - left, bottom - top], np.float32) / grown
            xyxy[match] -= self.offsets[row] * np.tile(size, 2)
        return xyxy, scores

    def are_in(self, xyxy: FloatArray) -> bool:
        """Tells whether all of them are among the faces found, (M, 4) in pixels."""
        return len(displacements(self.xyxy, xyxy, _FROM_EXPECTED)) == len(self.xyxy)


@dataclass
class Shown:
    """What a frame showed.

    Attributes:
        xyxy: (N, 4) its faces, in pixels.
        base: number of the look they were followed from, ``None`` where it was looked at in full.
        look: what else is known of it, if it was a look.
    """

    xyxy: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    base: int | None = None
    look: Look | None = None


def expected_faces(base: Look, latest: tuple[int, Shown] | None, index: int) -> Expected:
    """Returns where a look's faces are expected in a frame, but for those that are gone.

    Args:
        base: the look.
        latest: number of a later frame and what it showed, ``None`` for nothing.
        index: number of the frame.
    """
    boxes, velocities = base.xyxy.copy(), base.velocities.copy()
    since = np.full((len(boxes), 1), index - base.index, np.float32)
    lost = np.zeros(len(boxes), np.bool_)
    gone, others = lost.copy(), 0
    if latest is not None:
        number, shown = latest
        lost[:] = True
        elapsed = np.float32(number - base.index)
        moved = boxes + np.tile(velocities * elapsed, 2)
        pairs = displacements(moved, shown.xyxy, _FROM_EXPECTED)
        for row, match, movement in pairs:
            velocities[row] += movement / elapsed
            boxes[row], since[row] = shown.xyxy[match], index - number
            lost[row] = False
        others = len(shown.xyxy) - len(pairs)
        if shown.base is None:
            gone, lost = lost, gone
    here = ~gone
    expected = boxes + np.tile(velocities * since, 2)
    return Expected(
        expected[here], base.xyxy[here], base.small[here], base.offsets[here], lost[here], others
    )


def steady_after(base: Look | None, now: NDArray[np.int16], *, early: bool) -> Steady:
    """Returns what is known of motion after a look.

    Args:
        base: the look before it.
        now: the look's thumbnail.
        early: whether it was brought forward.
    """
    if base is None:
        return Steady(now, np.zeros(now.shape, np.bool_))
    if early:
        return base.steady
    return Steady(now, spread(changes(base.steady.thumbnail, now)))


def velocities_since(before: Look | None, index: int, xyxy: FloatArray) -> FloatArray:
    """Returns (N, 2) how a frame's faces have moved since an earlier look, in pixels a frame."""
    velocities = np.zeros((len(xyxy), 2), np.float32)
    if before is not None:
        elapsed = np.float32(index - before.index)
        for row, _, movement in displacements(xyxy, before.xyxy, _BETWEEN_LOOKS):
            velocities[row] = -movement / elapsed
    return velocities
