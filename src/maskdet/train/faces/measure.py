"""How well boxes found match boxes labelled: average precision, precision and recall."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.prior_boxes import intersection_over_union

OVERLAP = 0.5  # intersection over union from which on a box counts as the face


def match_detections(xyxy: FloatArray, faces: FloatArray) -> NDArray[np.intp]:
    """Assigns detections to labelled faces, each face to the first detection that covers it.

    Args:
        xyxy: (D, 4) detections, best first.
        faces: (F, 4) labelled boxes.

    Returns:
        (D,) the index of the face each detection found, -1 for a false alarm.
    """
    matches = np.full(len(xyxy), -1, np.intp)
    if len(faces) == 0:
        return matches
    overlaps = intersection_over_union(xyxy, faces)
    for index, row in enumerate(overlaps):
        best = int(row.argmax())
        if row[best] >= OVERLAP:
            matches[index] = best
            overlaps[:, best] = -1
    return matches


def average_precision(scores: FloatArray, hits: NDArray[np.bool_], faces: int) -> float:
    """Computes the area under the precision-recall curve, all-point interpolated.

    As PASCAL VOC does since 2010: at every recall the best precision at that recall or a higher
    one counts.

    Args:
        scores: (D,) of the detections of all photographs.
        hits: (D,) bool, whether each found a face that no better one had.
        faces: how many faces are labelled.
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    precisions = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precisions[::-1])[::-1]
    return float(envelope[hits[order]].sum() / faces)


@dataclass(frozen=True)
class FaceOutcome:
    """What became of every detection and every labelled face of a set of photographs.

    Attributes:
        scores: (D,) of the detections.
        hits: (D,) bool, whether a detection is a face no better detection has found.
        found_at: (F,) the score of the detection that found each face, 0 where none did.
        heights: (F,) pixels.
    """

    scores: FloatArray
    hits: NDArray[np.bool_]
    found_at: FloatArray
    heights: FloatArray

    @classmethod
    def of(cls, xyxy: FloatArray, scores: FloatArray, faces: FloatArray) -> Self:
        """Compares the detections of one photograph, best first, with its labelled boxes."""
        matches = match_detections(xyxy, faces)
        found_at = np.zeros(len(faces), np.float32)
        found_at[matches[matches >= 0]] = scores[matches >= 0]
        return cls(scores, matches >= 0, found_at, faces[:, 3] - faces[:, 1])

    @classmethod
    def together(cls, outcomes: Sequence[Self]) -> Self:
        """Joins the outcomes of several photographs."""
        names = ("scores", "hits", "found_at", "heights")
        return cls(*(np.concatenate([getattr(one, name) for one in outcomes]) for name in names))

    @property
    def average_precision(self) -> float:
        """See `average_precision`."""
        return average_precision(self.scores, self.hits, len(self.found_at))

    def precision(self, confidence: float) -> float:
        """Returns the share of the detections at this confidence that are faces."""
        chosen = self.hits[self.scores >= confidence]
        return float(chosen.mean()) if len(chosen) else 1.0

    def recall(self, confidence: float, chosen: NDArray[np.bool_] | None = None) -> float:
        """Returns the share of the (chosen) faces found at this confidence."""
        found = self.found_at >= confidence
        return float((found if chosen is None else found[chosen]).mean())

    def balance(self) -> float:
        """Returns the confidence at which precision and recall are nearest to equal, of 0.01s."""
        steps = np.arange(0.05, 0.96, 0.01)
        gaps = [abs(self.precision(step) - self.recall(step)) for step in steps]
        return round(float(steps[int(np.argmin(gaps))]), 2)
