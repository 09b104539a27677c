"""The word that vision, media and the commands have in common: the faces found in one frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

MASK_LABEL = "with_mask"
NO_MASK_LABEL = "without_mask"
INCORRECT_LABEL = "mask_worn_incorrectly"
# What a face is called whose label is not sure enough; not one of a model's own labels.
UNCERTAIN_LABEL = "uncertain"


@dataclass(frozen=True)
class Detections:
    """N faces as parallel arrays; no faces is N = 0, never `None`.

    Attributes:
        labels: the C class names, in the order of the probabilities' columns.
        xyxy: (N, 4) float32, left, top, right, bottom in pixels of the frame.
        face_scores: (N,) float32 in [0, 1], how sure the face detector is.
        probabilities: (N, C) float32, one row a face, summing to 1.
        logits: (N, C) float32, the evidence before the softmax.
        cams: (N, H, W, C) float32, class activation maps: each map's mean plus a share of the
            biases is the class's logit. ``None`` where the model gives no maps.
        tracks: (N,) number of each face's track through the video; ``None`` without tracking.
        decided: (N,) index of each face's label where tracking has decided it; ``None`` leaves
            the most probable one.
        uncertain: (N,) bool, faces whose label is not to be counted; ``None`` for none.
        lost: (M, 4) float32, where faces are expected that were seen a moment ago and were not
            found in this frame; ``None`` without tracking.
        doubtful: (K, 4) float32, what may be a face and is too doubtful to be labelled; ``None``
            where it was not asked for.
        evidence_outside: (N,) float32, share of the evidence for each label that lies outside the
            face box, NaN where there is none; ``None`` where it was not asked for.
        off_face: (N,) bool, faces with more of it there than was allowed; ``None`` likewise.
    """

    labels: tuple[str, ...]
    xyxy: FloatArray
    face_scores: FloatArray
    probabilities: FloatArray
    logits: FloatArray
    cams: FloatArray | None = None
    tracks: NDArray[np.intp] | None = None
    decided: NDArray[np.intp] | None = None
    uncertain: NDArray[np.bool_] | None = None
    lost: FloatArray | None = None
    doubtful: FloatArray | None = None
    evidence_outside: FloatArray | None = None
    off_face: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        count, classes = len(self.xyxy), len(self.labels)
        expected = {
            "xyxy": (count, 4),
            "face_scores": (count,),
            "probabilities": (count, classes),
            "logits": (count, classes),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {found}")
        if self.cams is not None and (
            self.cams.ndim != 4 or (self.cams.shape[0], self.cams.shape[3]) != (count, classes)
        ):
            raise ValueError(
                f"cams: expected shape ({count}, H, W, {classes}), got {self.cams.shape}"
            )

    @classmethod
    def empty(cls, labels: Sequence[str]) -> Self:
        """Returns the detections of a frame without faces."""
        classes = len(labels)
        return cls(
            labels=tuple(labels),
            xyxy=np.zeros((0, 4), np.float32),
            face_scores=np.zeros(0, np.float32),
            probabilities=np.zeros((0, classes), np.float32),
            logits=np.zeros((0, classes), np.float32),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    @property
    def label_indices(self) -> NDArray[np.intp]:
        """(N,) index of each face's label: as decided, else the most probable one."""
        if self.decided is not None:
            return self.decided
        indices: NDArray[np.intp] = np.argmax(self.probabilities, axis=1)
        return indices

    @property
    def predicted_labels(self) -> list[str]:
        """Each face's label, "uncertain" where it is not sure enough."""
        names = [self.labels[index] for index in self.label_indices]
        if self.uncertain is not None:
            names = [
                UNCERTAIN_LABEL if unsure else name
                for name, unsure in zip(names, self.uncertain, strict=True)
            ]
        return names

    @property
    def confidences(self) -> FloatArray:
        """(N,) probability of each face's label."""
        chosen: FloatArray = self.probabilities[np.arange(len(self)), self.label_indices]
        return chosen

    def requiring(self, min_confidence: float) -> Self:
        """Returns a copy in which faces below a confidence are uncertain."""
        return replace(self, uncertain=self.confidences < min_confidence)

    def to_records(self) -> list[dict[str, Any]]:
        """Returns one JSON-ready object a face, with the field names of the project's records."""
        records: list[dict[str, Any]] = [
            {
                "box": [round(float(value), 2) for value in box],
                "face_score": round(float(score), 4),
                "label": label,
                "confidence": round(float(confidence), 4),
                "probabilities": {
                    name: round(float(value), 4)
                    for name, value in zip(self.labels, row, strict=True)
                },
            }
            for box, score, label, confidence, row in zip(
                self.xyxy,
                self.face_scores,
                self.predicted_labels,
                self.confidences,
                self.probabilities,
                strict=True,
            )
        ]
        if self.tracks is not None:
            for record, number in zip(records, self.tracks, strict=True):
                record["track"] = int(number)
        if self.evidence_outside is not None and self.off_face is not None:
            for record, share, off in zip(
                records, self.evidence_outside, self.off_face, strict=True
            ):
                record["evidence_outside"] = None if np.isnan(share) else round(float(share), 4)
                record["off_face"] = bool(off)
        return records
