"""What stands before and behind an SSD: a frame squashed to its input, its head maps made boxes.

Shared by the detector that runs an exported network and by training, which measures the network it
trains.
"""

from collections.abc import Mapping
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.vision.faces.prior_boxes import (
    PriorBoxSpec,
    decode,
    non_maximum_suppression,
    prior_boxes,
)
from maskdet.vision.preprocessing import UInt8Array

HeadMaps = Mapping[str, NDArray[Any]]
"""``loc_i``, (1, h, w, priors x 4), and ``conf_i``, (1, h, w, priors x 2), for each map i."""

# Suppression compares every box with every better one: beyond so many it would take longer than the
# network. At any confidence worth using there are far fewer.
MOST_CANDIDATES = 1000

# Boxes that overlap the best by so much, and score so much of what it does, have a say in where the
# face is. Compared on the bundled detector's validation pictures, where other values give the same.
_VOTES_FROM, _VOTING_SHARE = 0.6, np.float32(0.7)


def halved(picture: UInt8Array, size: int) -> UInt8Array:
    """Halves a picture for as long as it stays no smaller than a square both ways.

    Each pixel is the mean of four. What is then sampled for the square skips none of them, at a
    tenth of the time of averaging over the exact area.

    Args:
        picture: (H, W, 3) uint8.
        size: side of the square in pixels.
    """
    while min(picture.shape[:2]) >= 2 * size:
        height, width = (side // 2 for side in picture.shape[:2])
        even = picture[: 2 * height, : 2 * width]
        picture = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    return picture


def squash(frame_bgr: UInt8Array, size: int, *, halve: bool) -> UInt8Array:
    """Squashes a frame to the network's square input.

    Args:
        frame_bgr: (H, W, 3) uint8.
        size: side of the square in pixels.
        halve: whether to average large frames down first; what the network was trained with.

    Returns:
        (size, size, 3) uint8.
    """
    if halve:
        frame_bgr = halved(frame_bgr, size)
    # Linear whatever the scale: what the networks were trained and checked with.
    squashed = cv2.resize(frame_bgr, (size, size), interpolation=cv2.INTER_LINEAR)
    return cast("UInt8Array", squashed)


class SsdHeads:
    """Turns one network's head maps at one input size into boxes.

    Attributes:
        priors: (P, 4) float32 cxcywh in pixels of the input.

    Args:
        spec: layout of the prior boxes.
        shapes: (height, width) of each head map in cells.
        nms_threshold: overlap beyond which the weaker of two boxes is dropped.
        box_voting: whether a face's box is the mean of the boxes found for it, each as heavy as its
            score, and not the best of them alone (Gidaris and Komodakis, "Object detection via a
            multi-region & semantic segmentation-aware CNN model", ICCV 2015, section 5). Which one
            is best changes from frame to frame, and the box would jump.
    """

    def __init__(
        self,
        spec: PriorBoxSpec,
        shapes: list[tuple[int, int]],
        *,
        nms_threshold: float,
        box_voting: bool = False,
    ) -> None:
        self.priors = prior_boxes(spec, shapes)
        self._variances = spec.variances
        self._nms_threshold = nms_threshold
        self._box_voting = box_voting
        self._maps = range(len(spec.steps))

    def boxes(self, heads: HeadMaps, confidence: float) -> tuple[FloatArray, FloatArray]:
        """Finds the faces.

        Args:
            heads: of one picture.
            confidence: least score of a face, in [0, 1].

        Returns:
            (N, 4) float32 xyxy in pixels of the input, and (N,) float32 scores, best first.
        """
        evidence = np.concatenate(
            [np.subtract(c[:, 1], c[:, 0]) for c in self._rows(heads, "conf", 2)]
        )
        # Softmax over background and face is a logistic of their difference: compared before it is
        # worked out, since nearly every prior is background. Who votes for a face need not be one.
        floor = confidence * _VOTING_SHARE if self._box_voting else confidence
        with np.errstate(divide="ignore"):
            least = np.log(floor) - np.log1p(-floor)
        candidates = np.flatnonzero(evidence >= least)
        if len(candidates) > MOST_CANDIDATES:
            order = np.argpartition(-evidence[candidates], MOST_CANDIDATES)
            candidates = candidates[order[:MOST_CANDIDATES]]
        # Written as a tanh, which cannot overflow.
        scores = (0.5 + 0.5 * np.tanh(0.5 * evidence[candidates])).astype(np.float32)
        offsets = np.concatenate(list(self._rows(heads, "loc", 4)))
        boxes = decode(offsets[candidates], self.priors[candidates], self._variances)
        kept = non_maximum_suppression(boxes, scores, self._nms_threshold)
        if not self._box_voting:
            return boxes[kept], scores[kept]
        kept = kept[scores[kept] >= np.float32(confidence)]
        return _voted(boxes, scores, kept), scores[kept]

    def _rows(self, heads: HeadMaps, kind: str, width: int) -> list[NDArray[Any]]:
        return [heads[f"{kind}_{index}"].reshape(-1, width) for index in self._maps]


def _voted(xyxy: FloatArray, scores: FloatArray, kept: NDArray[np.intp]) -> FloatArray:
    """Returns (K, 4) the boxes kept of (N, 4), each the mean of those that are of its face."""
    weights = np.where(
        (intersection_over_union(xyxy[kept], xyxy) >= _VOTES_FROM)
        & (scores >= _VOTING_SHARE * scores[kept][:, None]),
        scores,
        np.float32(0),
    )
    # Of a box without area, not even its own overlap counts.
    weights[np.arange(len(kept)), kept] = scores[kept]
    # One without end would spoil all others.
    finite = np.all(np.isfinite(xyxy), axis=1)
    total = weights[:, finite] @ xyxy[finite]
    heaviness = weights[:, finite].sum(axis=1, keepdims=True)
    mean = total / np.maximum(heaviness, np.finfo(np.float32).tiny)
    return cast("FloatArray", np.where(finite[kept][:, None], mean, xyxy[kept]))
