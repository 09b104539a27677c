"""What the rest of maskdet asks of a face detector: a frame in, boxes and scores out."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import clip_boxes
from maskdet.detections import FloatArray
from maskdet.vision.faces.prior_boxes import non_maximum_suppression
from maskdet.vision.preprocessing import UInt8Array

_NMS_THRESHOLD = 0.45  # of boxes from several looks

Faces = tuple[FloatArray, FloatArray]
"""(N, 4) float32 xyxy in pixels of the frame, and (N,) float32 scores, best first."""


class FaceDetector(Protocol):
    """A face detector.

    Attributes:
        default_confidence: the score from which on this detector's boxes are worth showing.
        precision: of the network, ``None`` where that is not known.
        workers: how many frames it can work on at a time, called from as many threads.
    """

    default_confidence: float
    precision: str | None
    workers: int

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame.

        Args:
            frame_bgr: (H, W, 3) uint8.

        Returns:
            Boxes, (N, 4) float32 xyxy in pixels, clipped to the frame and none of them empty,
            and their scores, (N,) float32 in [0, 1]: all that reach the confidence the detector
            was made with, best first.
        """
        ...


def merged(looks: Sequence[Faces]) -> Faces:
    """Joins what several looks at one frame have found, each face once, best first.

    Args:
        looks: boxes in pixels of the frame, with their scores.
    """
    if not looks:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    xyxy = np.concatenate([boxes for boxes, _ in looks])
    scores = np.concatenate([scores for _, scores in looks])
    kept = non_maximum_suppression(xyxy, scores, _NMS_THRESHOLD)
    return xyxy[kept], scores[kept]


def inside_frame(xyxy: NDArray[Any], scores: NDArray[Any], width: int, height: int) -> Faces:
    """Clips boxes to the frame and drops those of which nothing is left.

    Args:
        xyxy: (N, 4) in pixels of the frame, best first.
        scores: (N,).
        width: of the frame in pixels.
        height: of the frame in pixels.
    """
    clipped = clip_boxes(xyxy.astype(np.float32), width, height)
    left = np.all(clipped[:, 2:] > clipped[:, :2], axis=1)
    return clipped[left], cast("FloatArray", scores[left].astype(np.float32))
