"""Prior boxes: the fixed boxes an SSD corrects, and what detection and training do with boxes.

The method is that of Liu et al., "SSD: Single Shot MultiBox Detector" (2016), sections 2.1 and 2.2.
Boxes are in pixels of the network's input: *xyxy* is left, top, right, bottom; *cxcywh* is centre,
width, height. All functions are pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray

BACKGROUND = -1
"""The match of a prior box that no face is assigned to."""


@dataclass(frozen=True)
class PriorBoxSpec:
    """How the prior boxes of every head map are laid out, finest map first.

    Attributes:
        steps: distance between neighbouring cells' centres, in input pixels, one a map.
        sizes: (min, max) of each map in input pixels: a square of side min, one of side
            sqrt(min max), and for every aspect ratio a box of area min squared.
        aspect_ratios: width to height, one tuple a map; each is used upright too.
        variances: what the offsets of centre x, centre y, width and height are divided by.
        offset: where in its cell a prior's centre lies, as a share of the step.
    """

    steps: tuple[float, ...]
    sizes: tuple[tuple[float, float], ...]
    aspect_ratios: tuple[tuple[float, ...], ...]
    variances: tuple[float, float, float, float]
    offset: float = 0.5

    def __post_init__(self) -> None:
        if not len(self.steps) == len(self.sizes) == len(self.aspect_ratios):
            raise ValueError(
                f"expected one entry a map, got {len(self.steps)} steps, {len(self.sizes)} sizes, "
                f"{len(self.aspect_ratios)} aspect ratios"
            )

    def cell_sizes(self, index: int) -> FloatArray:
        """Returns the (priors a cell, 2) widths and heights of one map's priors, in their order."""
        low, high = self.sizes[index]
        widths_heights = [(low, low), (math.sqrt(low * high),) * 2]
        for ratio in self.aspect_ratios[index]:
            wide, narrow = low * math.sqrt(ratio), low / math.sqrt(ratio)
            widths_heights += [(wide, narrow), (narrow, wide)]
        return np.array(widths_heights, np.float32)


def prior_boxes(spec: PriorBoxSpec, map_shapes: Sequence[tuple[int, int]]) -> FloatArray:
    """Lays out the prior boxes of all maps.

    Args:
        spec: the layout.
        map_shapes: (height, width) of each head map in cells, as the network's outputs have it.

    Returns:
        (P, 4) float32 cxcywh, in the order in which the flattened head maps follow one another:
        map, row, column, prior of the cell.

    Raises:
        ValueError: there are not as many maps as the layout describes.
    """
    if len(map_shapes) != len(spec.steps):
        raise ValueError(f"expected {len(spec.steps)} map shapes, got {len(map_shapes)}")
    maps = []
    for index, (rows, columns) in enumerate(map_shapes):
        sizes = spec.cell_sizes(index)
        boxes = np.empty((rows, columns, len(sizes), 4), np.float32)
        boxes[..., 0] = (np.arange(columns)[None, :, None] + spec.offset) * spec.steps[index]
        boxes[..., 1] = (np.arange(rows)[:, None, None] + spec.offset) * spec.steps[index]
        boxes[..., 2:] = sizes
        maps.append(boxes.reshape(-1, 4))
    return np.concatenate(maps)


def to_xyxy(cxcywh: FloatArray) -> FloatArray:
    """Turns (N, 4) centres and sizes into corners."""
    half = cxcywh[:, 2:] / 2
    xyxy = np.empty_like(cxcywh)
    np.subtract(cxcywh[:, :2], half, out=xyxy[:, :2])
    np.add(cxcywh[:, :2], half, out=xyxy[:, 2:])
    return xyxy


def to_cxcywh(xyxy: FloatArray) -> FloatArray:
    """Turns (N, 4) corners into centres and sizes."""
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def encode(
    xyxy: FloatArray, priors: FloatArray, variances: tuple[float, float, float, float]
) -> FloatArray:
    """Expresses boxes as the offsets from their priors that the network learns (section 2.2).

    Args:
        xyxy: (N, 4) boxes, none of them empty.
        priors: (N, 4) cxcywh, the prior of each box.
        variances: see `PriorBoxSpec`.

    Returns:
        (N, 4) float32: the centre's distance in prior widths and heights, then the logarithm of
        the width's and height's ratio, each divided by its variance.
    """
    boxes = to_cxcywh(xyxy)
    centres = (boxes[:, :2] - priors[:, :2]) / priors[:, 2:]
    sizes = np.log(boxes[:, 2:] / priors[:, 2:])
    offsets = np.concatenate([centres, sizes], axis=1) / np.array(variances, np.float32)
    return cast("FloatArray", offsets.astype(np.float32, copy=False))


def decode(
    offsets: FloatArray, priors: FloatArray, variances: tuple[float, float, float, float]
) -> FloatArray:
    """Applies a network's offsets to their priors; undoes `encode`.

    Args:
        offsets: (N, 4) network output.
        priors: (N, 4) cxcywh, the prior of each row.
        variances: see `PriorBoxSpec`.

    Returns:
        (N, 4) float32 xyxy.
    """
    scaled = offsets * np.array(variances, np.float32)
    centres = priors[:, :2] + scaled[:, :2] * priors[:, 2:]
    # A damaged network's boxes may be wider than any number; what clips them can do with that.
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = priors[:, 2:] * np.exp(scaled[:, 2:])
    return to_xyxy(np.concatenate([centres, sizes], axis=1))


def match(priors: FloatArray, faces: FloatArray, threshold: float = 0.5) -> NDArray[np.intp]:
    """Assigns faces to prior boxes for training (section 2.2, "Matching strategy").

    Every face gets the prior that overlaps it most, each prior at most one face, best pair first.
    Of the other priors, each gets the face it overlaps most, if by more than the threshold.

    Args:
        priors: (P, 4) cxcywh.
        faces: (N, 4) xyxy.
        threshold: intersection over union.

    Returns:
        (P,) the index of each prior's face, or `BACKGROUND`.
    """
    matches = np.full(len(priors), BACKGROUND, np.intp)
    if len(faces) == 0 or len(priors) == 0:
        return matches
    # (N, P): along the priors, of which there are 20,000, numpy is several times as fast.
    overlaps = intersection_over_union(faces, to_xyxy(priors))
    face_of_prior = overlaps.argmax(axis=0)
    over = overlaps.max(axis=0) > threshold
    matches[over] = face_of_prior[over]
    # Each face's best prior is looked for again only when another face has taken it.
    best = overlaps.argmax(axis=1)
    score = overlaps.max(axis=1)
    for _ in range(min(overlaps.shape)):
        face = int(score.argmax())
        if score[face] <= 0:
            break  # what is left touches no prior box
        prior = best[face]
        matches[prior] = face
        overlaps[:, prior] = 0
        score[face] = 0
        robbed = np.flatnonzero((best == prior) & (score > 0))
        best[robbed] = overlaps[robbed].argmax(axis=1)
        score[robbed] = overlaps[robbed, best[robbed]]
    return matches


def non_maximum_suppression(
    xyxy: FloatArray, scores: FloatArray, threshold: float
) -> NDArray[np.intp]:
    """Keeps the best of the boxes that overlap one another.

    Args:
        xyxy: (N, 4) boxes.
        scores: (N,) the higher the better.
        threshold: a box that overlaps a better one by more than this (intersection over union)
            is dropped.

    Returns:
        Indices of the boxes kept, best first.
    """
    boxes: Any = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    ranking: Any = scores  # OpenCV's type hints ask for lists, its code takes arrays
    kept = cv2.dnn.NMSBoxes(boxes, ranking, 0.0, threshold)
    return np.asarray(kept, np.intp).reshape(-1)
