"""Which boxes a teacher, YuNet, puts on pictures: faces to learn, and others to leave alone.

The teacher is never believed about what is no face: where it sees one that nobody boxed, or is
unsure, the box is ignored in training.
"""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.vision.faces.prior_boxes import non_maximum_suppression
from maskdet.vision.preprocessing import UInt8Array

SURE = 0.7  # the teacher's score from which on its box on a class picture is taken for a face
UNSURE = 0.35  # below, it may be anything
# It sees very large faces worse than middling ones, so it looks at class pictures in two sizes.
CLASS_SIDES = (320, 160)  # pixels, longer side
SMALLEST = 12  # pixels of the picture; below, the teacher's boxes are too rough to be learnt
NMS_THRESHOLD = 0.3
OVERLOOKED_SCORE = 0.6  # as its authors' own threshold for video
FREE_OVERLAP = 0.3  # of a box with a label, below which the label is of something else

NO_BOXES: FloatArray = np.zeros((0, 4), np.float32)


class Taught(NamedTuple):
    """A picture's boxes, (N, 4) xyxy each.

    Attributes:
        faces: to learn.
        ignored: to be taught neither as faces nor as background.
    """

    faces: FloatArray
    ignored: FloatArray


class Teacher:
    """YuNet at one threshold.

    Args:
        weights: its .onnx file.
        score: from which on a box is one.
    """

    def __init__(self, weights: Path, score: float) -> None:
        self._network = cv2.FaceDetectorYN.create(
            str(weights), "", (320, 320), score, NMS_THRESHOLD
        )

    def look(
        self, picture: UInt8Array, sides: tuple[int, ...] = ()
    ) -> tuple[FloatArray, FloatArray]:
        """Finds faces.

        Args:
            picture: (H, W, 3) uint8 BGR.
            sides: lengths of the longer side at which to look, pixels; none takes the picture's.

        Returns:
            (N, 4) xyxy in pixels of the picture and (N,) scores, best first.
        """
        boxes, scores = [NO_BOXES], [NO_BOXES[:, 0]]
        longer = max(picture.shape[:2])
        for side in sides or (longer,):
            scale = side / longer
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            self._network.setInputSize(small.shape[1::-1])
            found = self._network.detect(small)[1]
            if found is not None:
                corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
                boxes.append((corners / scale).astype(np.float32))
                scores.append(found[:, -1].astype(np.float32))
        xyxy, sure = np.concatenate(boxes), np.concatenate(scores)
        kept = non_maximum_suppression(xyxy, sure, NMS_THRESHOLD)
        return xyxy[kept], sure[kept]


def teach(teacher: Teacher, picture: UInt8Array) -> Taught | None:
    """Returns what a class picture teaches; ``None`` where nobody knows where its face is.

    Every class picture shows a face. Where the teacher is unsure of all it sees, but sees one thing
    only, that is it: profiles, faces under caps and behind dark masks.

    Args:
        teacher: made with a threshold of `UNSURE`.
        picture: (H, W, 3) uint8 BGR.
    """
    xyxy, scores = teacher.look(picture, CLASS_SIDES)
    large = (xyxy[:, 2:] - xyxy[:, :2]).min(axis=1, initial=np.inf) >= SMALLEST
    taken = large & ((scores >= SURE) | (len(scores) == 1))
    return Taught(xyxy[taken], xyxy[~taken]) if taken.any() else None


def free_of(boxes: FloatArray, labelled: FloatArray) -> FloatArray:
    """Returns those of (N, 4) boxes that are of nothing that is labelled, (M, 4)."""
    if not len(boxes) or not len(labelled):
        return boxes
    result: FloatArray = boxes[intersection_over_union(boxes, labelled).max(axis=1) < FREE_OVERLAP]
    return result
