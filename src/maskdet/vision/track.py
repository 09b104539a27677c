"""One face through time, and what decides whether it is the same face still."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray

ADJUSTING = 1.0
"""For so long a mask that is put right again may be out of its place. Seconds."""

# How probable it is that a mask which has just left its place is put right again.
_ADJUSTED = 0.5


@dataclass(frozen=True)
class TrackingOptions:
    """How faces are followed.

    Attributes:
        min_overlap: IoU of a predicted and a found box below which they are not the same face.
        same_face: IoU of a track's predicted box and the box of its twin (see `Track`) from which
            on the twin's is the track's.
        reach: how far, in widths of the face, a face may jump when boxes do not overlap at all.
        max_age: for how long a face may be missing before its track ends, in usual intervals
            between frames; but for no less than `shortest_age` and no more than `longest_age`.
        shortest_age: in seconds, for a source of many frames a second.
        longest_age: in seconds, for one of few.
        velocity_share: weight of the newest movement in the smoothed velocity.
        forgetting: share of the evidence kept from frame to frame.
        certainty: one frame's probabilities are taken as at most this where labels are decided, so
            that no single frame can outweigh all others.
        switch_at: accumulated share of another label, of it and the track's own, at which a track
            takes it.
        adjusting: a mask must be worn incorrectly for so long to be called so, in seconds: one that
            is adjusted hangs under the nose for a moment.
        settled_at: accumulated share from which on a label counts as settled.
        recheck: a settled, unchanged face is classified again after so long, in seconds.
        change: mean difference of its blurred thumbnail, in grey levels, from which on it has
            changed.
        sharpest_kept: share of the sharpest so far that a face is still measured by a frame later:
            one that stays out of focus counts in full again after a second or two.
    """

    min_overlap: float = 0.2
    same_face: float = 0.4
    reach: float = 0.6
    max_age: float = 12
    shortest_age: float = 0.4
    longest_age: float = 3.0
    velocity_share: float = 0.4
    forgetting: float = 0.75
    certainty: float = 0.97
    switch_at: float = 0.6
    adjusting: float = ADJUSTING
    settled_at: float = 0.9
    recheck: float = 0.2
    change: float = 6.0
    sharpest_kept: float = 0.98


@dataclass
class Track:
    """One face through time.

    Attributes:
        number: counts from 1 through a run.
        box: (4,) float32, last seen, in pixels.
        velocity: (4,) float32, pixels a second.
        log_evidence: (C,) accumulated log-probabilities, newest frame with weight `clarity`; each
            frame's are clipped, to decide the label.
        evidence: (C,) the frames' probabilities accumulated as they are, with the same weights.
        weight: sum of the frames' weights in both.
        label: index of its label.
        leaning_since: time from which on a mask has seemed to be worn incorrectly, while that is
            not its label; ``None`` where it does not.
        seen_at: when it was last seen, in seconds since the source's first frame.
        seen: frames it was seen in.
        answer: the classifier's last (C,) probabilities and (C,) logits.
        read_at: when it gave them, in seconds as `seen_at`.
        thumbnail: the face as it was then, tiny and grey.
        extent: (2,) width and height that were cut out for it, in pixels; faces are compared at the
            same ones.
        sharpest: how sharp it was at its sharpest lately, in grey levels a pixel of its thumbnail.
        clarity: how sharp it is in its last frame, as a share of that.
        twin_of: number of the track upon whose box this one began, maybe the same face found twice.
    """

    number: int
    box: FloatArray
    velocity: FloatArray
    log_evidence: FloatArray
    evidence: FloatArray
    seen_at: float
    weight: float = 0.0
    label: int = -1
    leaning_since: float | None = None
    seen: int = 0
    answer: tuple[FloatArray, FloatArray] | None = None
    thumbnail: NDArray[np.int16] | None = field(default=None, repr=False)
    extent: FloatArray | None = field(default=None, repr=False)
    read_at: float = -math.inf
    sharpest: float = 0.0
    clarity: float = 1.0
    twin_of: int | None = None

    @property
    def shares(self) -> FloatArray:
        """(C,) what decides the label: the geometric mean of clipped probabilities; sums to 1."""
        mean = self.log_evidence / max(self.weight, 1e-6)
        exponentials = np.exp(mean - mean.max())
        shares: FloatArray = (exponentials / exponentials.sum()).astype(np.float32)
        return shares

    @property
    def probabilities(self) -> FloatArray:
        """(C,) how sure it is: the weighted mean of the frames' probabilities, summing to 1.

        As neighbouring frames err together, their mean is about as often right as each of them
        says; a product, which would take them for independent, is too sure.
        """
        mean: FloatArray = (self.evidence / max(self.weight, 1e-6)).astype(np.float32)
        if self.leaning_since is not None:
            # Whether it is being adjusted, or stays so, nobody knows yet.
            mean = mean * np.float32(1 - _ADJUSTED)
            mean[self.label] += np.float32(_ADJUSTED)
        return mean
