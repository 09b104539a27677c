"""A class activation map laid over a face, for a picture that somebody tries."""

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.media.frames import UInt8Array

# BGR of what speaks for and against a label, and how much of it covers the face at most.
_FOR, _AGAINST = (30, 30, 230), (230, 120, 30)
_MOST_COVER = 0.65


def blend_heat(face: UInt8Array, maps: FloatArray, label: int) -> None:
    """Colours a face by where the evidence for its label lies, in place.

    The evidence is the label's map less the mean of the others', so that with two labels it is
    what their logits differ by; the strongest place has the full colour.

    Args:
        face: (H, W, 3) uint8 BGR, the part of the picture that the classifier was shown.
        maps: (h, w, C) float32, class activation maps.
        label: index of the label that is explained.
    """
    others = np.delete(maps, label, axis=2)
    evidence = maps[:, :, label]
    if others.shape[2]:
        evidence = evidence - others.mean(axis=2)
    height, width = face.shape[:2]
    large = cv2.resize(evidence, (width, height), interpolation=cv2.INTER_CUBIC)
    strongest = float(np.abs(large).max())
    if strongest == 0:
        return
    share = (large / strongest)[:, :, np.newaxis]
    colour = np.where(share > 0, np.array(_FOR, np.float32), np.array(_AGAINST, np.float32))
    cover = np.abs(share) * _MOST_COVER
    face[:] = np.round(face * (1 - cover) + colour * cover).astype(np.uint8)
