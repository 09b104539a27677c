"""How well boxes found match boxes labelled: average precision, precision and recall."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.matching import average_precision, match_detections


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
    def of(
        cls,
        xyxy: FloatArray,
        scores: FloatArray,
        faces: FloatArray,
        ignored: FloatArray | None = None,
    ) -> Self:
        """Compares the detections of one photograph, best first, with its labelled boxes.

        Args:
            xyxy: (D, 4) detections.
            scores: (D,) theirs.
            faces: (F, 4) labelled ones.
            ignored: (M, 4) boxes; a detection of one that is no face is not counted at all.
        """
        matches = match_detections(xyxy, faces)
        if ignored is not None and len(ignored):
            counted = (matches >= 0) | (match_detections(xyxy, ignored) < 0)
            matches, scores = matches[counted], scores[counted]
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
        """Returns the share of the faces found at this confidence.

        Args:
            confidence: score from which on a detection counts.
            chosen: (F,) which faces to count; ``None`` for all. Of no faces it is not a number.
        """
        found = self.found_at >= confidence
        return float((found if chosen is None else found[chosen]).mean())

    def balance(self) -> float:
        """Returns the confidence at which precision and recall are nearest to equal, of 0.01s."""
        steps = np.arange(0.05, 0.96, 0.01)
        gaps = [abs(self.precision(step) - self.recall(step)) for step in steps]
        return round(float(steps[int(np.argmin(gaps))]), 2)
