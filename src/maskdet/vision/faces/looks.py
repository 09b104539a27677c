"""Decides how each frame of a video is looked at: in full, or where faces are known to be.

Finding a face takes a look at the whole frame, a small one a large input. To follow it does not. So
a frame now and then is a *look* at the full size. In the frames between the network sees cut-outs
around the faces, and the whole frame at its smallest size only where that is cheaper, and while
something moves where nobody is known and all was still. Each look proves at once that what it found
is found that way, too; where it is not, the frames up to the next are looked at in full, as are
those in which it is known that a face was lost.

How a frame is looked at rests on the looks before it and the frames since, never on more: a part
of a video is looked at as the whole is, once it has begun with a look or two. Of the looks further
back only their boxes count, each for half as much as the one after it.
"""

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.faces.displacement import found_again, offsets
from maskdet.vision.faces.expectation import (
    Expected,
    Look,
    Proof,
    Shown,
    expected_faces,
    steady_after,
    velocities_since,
)
from maskdet.vision.faces.motion import thumbnail
from maskdet.vision.faces.packing import CLOSE_REACH, Picture, packed
from maskdet.vision.preprocessing import UInt8Array

# One frame in so many is a look. Divides `size_choice.LOOK_EVERY`, whose looks are looks here, too.
FULL_EVERY = 10
# Halfway to the next, one is brought forward, mostly if something moves where no face is known.
EARLIER = FULL_EVERY // 2
# What a frame shows counts for those from so many later on; see `size_choice.DELAY`. Fewer, since
# in that time a face moves on; at least as many as the frames that are worked on at a time.
KNOWN_AFTER = 4
# For so long a look tells where faces are: in a source of few frames a second they are elsewhere
# by the next. Seconds.
_TELLS_FOR = 0.95
# Following must cost less than so much of what it saves, in pixels that the network sees.
_WORTH_IT = 0.75
# Such a share of a look's faces may be too hard to follow, or lost.
_HARD = 0.05


@dataclass(frozen=True)
class Following:
    """How known faces are found without a look at the full size.

    Attributes:
        pictures: cut-outs to look at beside the whole frame at the smallest size.
        expected: the faces known.
        apart: whether it is enough if all of these are in the cut-outs, and no need to look at the
            whole frame.
    """

    pictures: list[Picture]
    expected: Expected
    apart: bool = False


@dataclass(frozen=True)
class Plan:
    """How a frame is to be looked at.

    Attributes:
        index: number of the frame.
        moment: of the frame, in seconds, ``None`` where that is not known.
        size: for the full size.
        base: the last look that is surely known, ``None`` for none.
        following: how known faces are found without a look at the full size; ``None`` where they
            are not.
        thumbnail: of a frame that is to be a look, ``None`` for any other.
    """

    index: int
    moment: float | None
    size: int
    base: Look | None
    following: Following | None = None
    thumbnail: NDArray[np.int16] | None = None

    @property
    def is_look(self) -> bool:
        """Whether the frame is looked at in full, and what it shows proved."""
        return self.thumbnail is not None

    @property
    def only_follows(self) -> bool:
        """Whether the frame is not looked at in full."""
        return self.following is not None and not self.is_look


class LookPlanner:
    """Plans the frames of one moving source. May be called from several threads.

    Args:
        smallest: the detector's smallest size.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest
        self._shown: dict[int, Shown] = {}
        self._learned = 0
        self._changed = threading.Condition()

    def plan(
        self, index: int, frame_bgr: UInt8Array, size: int, moment: float | None = None
    ) -> Plan:
        """Plans a frame; waits for earlier ones if they are far behind.

        Args:
            index: number of the frame, from 0; `saw` must be called for each.
            frame_bgr: (H, W, 3) uint8.
            size: the full size.
            moment: of the frame, in seconds, where it is known.
        """
        height, width = frame_bgr.shape[:2]
        base, latest = self._known(index)
        now = thumbnail(frame_bgr)
        full = Plan(index, moment, size, base)
        look = replace(full, thumbnail=now)
        due, halfway = index % FULL_EVERY == 0, index % EARLIER == 0
        # At the smallest size a look is as cheap as whole frames are that stand in for it.
        cheap = size == self._smallest
        if base is None:
            return look if due or (halfway and cheap) else full
        known = expected_faces(base, latest, index)
        calm = base.is_calm(now, width, height)
        alone = calm and base.apart
        apart = alone and known.all_are_known
        tells = base.near and not _is_over(base.moment, moment)
        if due or (halfway and (not calm or (cheap and not apart))):
            # Frames about it are followed so, and its boxes should not be other than theirs.
            plan, apart = look, alone
        else:
            plan = full
            lost = (known.lost & known.small).sum() > _HARD * len(base.xyxy)
            tells = tells and base.size >= size and not lost
        if not tells:
            return plan
        return replace(plan, following=self._cheapest(size, known, width, height, apart=apart))

    def _cheapest(
        self, size: int, known: Expected, width: int, height: int, *, apart: bool
    ) -> Following | None:
        """Returns how known faces are followed, ``None`` where a look at the full size is cheaper.

        Args:
            size: the full size.
            known: the faces.
            width: of the frame in pixels.
            height: likewise.
            apart: whether cut-outs may be all that is looked at.
        """
        sides = width, height, self._smallest
        small, close = known.small, ~known.small
        pictures = packed(known.before[small], *sides, now=known.xyxy[small])
        cost = self._smallest**2 + _pixels(pictures)
        if apart:
            others = packed(known.before[close], *sides, CLOSE_REACH, now=known.xyxy[close])
            if _pixels(pictures + others) <= _WORTH_IT * cost:
                return Following(pictures + others, known, apart=True)
        if size == self._smallest or cost > _WORTH_IT * size**2:
            return None
        return Following(pictures, known)

    def saw(
        self,
        index: int,
        plan: Plan | None,
        xyxy: FloatArray | None,
        proof: Proof | None = None,
    ) -> None:
        """Learns from a frame.

        Args:
            index: number of the frame.
            plan: by which it was looked at, ``None`` if planning failed.
            xyxy: (N, 4) the faces found, in pixels; ``None`` if looking failed. Of a look, where
                they are to be found from now on.
            proof: of a look, what else is found in its frame.
        """
        shown = Shown()
        if xyxy is not None:
            followed_from = plan.base if plan and plan.only_follows else None
            shown = Shown(xyxy, followed_from.index if followed_from else None)
            if plan and plan.thumbnail is not None and proof is not None:
                shown.look = Look(
                    index,
                    plan.moment,
                    plan.size,
                    plan.thumbnail,
                    steady_after(plan.base, plan.thumbnail, early=index % FULL_EVERY != 0),
                    xyxy,
                    proof.small,
                    velocities_since(plan.base, index, xyxy),
                    (found_again(xyxy, proof.near) < 0).sum() <= _HARD * len(xyxy),
                    bool((found_again(xyxy, proof.apart) >= 0).all()),
                    offsets(xyxy, proof.apart),
                )
        with self._changed:
            self._shown[index] = shown
            self._shown.pop(index - 3 * FULL_EVERY, None)
            while self._learned in self._shown:
                self._learned += 1
            self._changed.notify_all()

    def _known(self, index: int) -> tuple[Look | None, tuple[int, Shown] | None]:
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


def _pixels(pictures: list[Picture]) -> int:
    """Returns how many pixels of these the network sees."""
    return sum(picture.size**2 for picture in pictures)


def _is_over(before: float | None, moment: float | None) -> bool:
    """Tells whether a look is too long ago to say where faces are, if the moments are known."""
    return before is not None and moment is not None and moment - before > _TELLS_FOR
