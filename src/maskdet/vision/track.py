"""One face through time, and what decides whether it is the same face still."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray


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
        certainty: one frame's probabilities are taken as at most this, so that no single frame
            can outweigh all others.
        switch_at: accumulated probability of another label at which a track takes it.
        settled_at: accumulated probability from which on a label counts as settled.
        recheck: a settled, unchanged face is classified again after so many frames.
        change: mean difference of its thumbnail, in grey levels, from which on it has changed.
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
    settled_at: float = 0.9
    recheck: int = 4
    change: float = 6.0
    sharpest_kept: float = 0.98


@dataclass
class Track:
    """One face through time.

    Attributes:
        number: counts from 1 through a run.
        box: (4,) float32, last seen, in pixels.
        velocity: (4,) float32, pixels a second.
        log_evidence: (C,) accumulated log-probabilities, newest frame with weight `clarity`.
        weight: sum of the frames' weights in `log_evidence`.
        label: index of its label.
        seen_at: when it was last seen, in seconds since the source's first frame.
        seen: frames it was seen in.
        answer: the classifier's last (C,) probabilities and (C,) logits.
        sharpest: how sharp it was at its sharpest lately, in grey levels a pixel of its thumbnail.
        clarity: how sharp it is in its last frame, as a share of that.
        twin_of: number of the track upon whose box this one began, maybe the same face found twice.
    """

    number: int
    box: FloatArray
    velocity: FloatArray
    log_evidence: FloatArray
    seen_at: float
    weight: float = 0.0
    label: int = -1
    seen: int = 0
    answer: tuple[FloatArray, FloatArray] | None = None
    thumbnail: NDArray[np.int16] | None = field(default=None, repr=False)
    since_classified: int = 0
    sharpest: float = 0.0
    clarity: float = 1.0
    twin_of: int | None = None

    @property
    def probabilities(self) -> FloatArray:
        """(C,) the weighted geometric mean of the frames' probabilities, summing to 1."""
        mean = self.log_evidence / max(self.weight, 1e-6)
        exponentials = np.exp(mean - mean.max())
        shares: FloatArray = (exponentials / exponentials.sum()).astype(np.float32)
        return shares
