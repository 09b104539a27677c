"""Where the evidence of a class activation map lies: on the face and where there, or outside.

A map cell stands for a patch of the crop, so a cell that the face box cuts through counts in
proportion to the part of its area inside (the map's mass, taken as even within a cell).
"""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes, pixel_box
from maskdet.detections import Detections, FloatArray

# Width of the rim of a crop, as a share of its side: one cell of a 7x7 map.
RIM = 1 / 7

# Regions of a face box, and where each ends from its top, as a share of its height: the eyes
# lie at about 0.40, the tip of the nose at 0.60, the mouth at 0.78.
EYES, NOSE, MOUTH, BEYOND = "eyes", "nose", "mouth", "beyond"
REGIONS = (EYES, NOSE, MOUTH, BEYOND)
_ENDS = (0.48, 0.68, 1.0)


@dataclass(frozen=True)
class EvidenceShares:
    """Shares in [0, 1] of the positive evidence of N maps; NaN where nothing speaks for the answer.

    Attributes:
        lower: (N,) float32, in the lower half of the face box, where a mask is.
        outside: (N,) float32, outside the face box.
        rim: (N,) float32, in the outermost seventh of the crop on each side.
    """

    lower: FloatArray
    outside: FloatArray
    rim: FloatArray


def watched(
    detections: Detections, threshold: float, *, margin: float, width: int, height: int
) -> Detections:
    """Returns a copy that says how much of each answer's evidence lies outside the face box.

    Args:
        detections: N faces with heat maps.
        threshold: share of the positive evidence, beyond which a face is flagged.
        margin: the classifier's crop margin.
        width: of the frame in pixels.
        height: likewise.
    """
    outside = np.zeros(0, np.float32)
    if detections.cams is not None:
        maps = decision_maps(detections.cams, detections.logits, detections.label_indices)
        places = faces_in_crops(detections.xyxy, margin=margin, width=width, height=height)
        outside = evidence_shares(maps, places).outside
    # A face for whose label nothing speaks has no share (NaN), and compares as not beyond.
    return replace(detections, evidence_outside=outside, off_face=outside > np.float32(threshold))


def decision_maps(cams: FloatArray, logits: FloatArray, chosen: NDArray[np.intp]) -> FloatArray:
    """Returns each face's evidence for its answer against the next best one.

    A softmax depends on differences of logits alone, so of two classes neither map by itself says
    what decided; their difference does, and its mean plus the difference of the biases is the
    difference of the logits.

    Args:
        cams: (N, h, w, C) class activation maps.
        logits: (N, C), which tell the next best class.
        chosen: (N,) index of each face's class.

    Returns:
        (N, h, w) float32 maps: positive speaks for the answer, negative against it.
    """
    rows = np.arange(len(cams))
    rivals = runners_up(logits, chosen)
    return cast("FloatArray", cams[rows, :, :, chosen] - cams[rows, :, :, rivals])


def runners_up(logits: FloatArray, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns the (N,) index of the best class of each row of (N, C) logits besides the chosen."""
    others = logits.copy()
    others[np.arange(len(logits)), chosen] = -np.inf
    return cast("NDArray[np.intp]", np.argmax(others, axis=1))


def faces_in_crops(xyxy: FloatArray, *, margin: float, width: int, height: int) -> FloatArray:
    """Returns where the face boxes lie in the crops that the classifier sees.

    Args:
        xyxy: (N, 4) face boxes in pixels of the frame.
        margin: the crop margin; see `maskdet.boxes.expand_boxes`.
        width: of the frame in pixels, to which crops are cut.
        height: likewise.

    Returns:
        (N, 4) float32, left, top, right, bottom as shares (0..1) of the crop's width and height.
    """
    shares = np.empty((len(xyxy), 4), np.float32)
    for row, box, crop in zip(shares, xyxy, expand_boxes(xyxy, margin), strict=True):
        row[:] = place_in(box, crop, width=width, height=height)
    return shares


def place_in(box: FloatArray, crop: FloatArray, *, width: int, height: int) -> FloatArray:
    """Returns where one face box lies in one crop; see `faces_in_crops`."""
    left, top, right, bottom = pixel_box(crop, width, height)
    place = box.copy()
    place[[0, 2]] = (box[[0, 2]] - left) / (right - left)
    place[[1, 3]] = (box[[1, 3]] - top) / (bottom - top)
    return np.clip(place, 0, 1)


def evidence_shares(maps: FloatArray, faces: FloatArray) -> EvidenceShares:
    """Measures where the positive evidence of maps lies.

    Args:
        maps: (N, h, w) signed maps; see `decision_maps`.
        faces: (N, 4) face boxes as shares of the crop; see `faces_in_crops`.
    """
    left, top, right, bottom = faces.T
    middle = (top + bottom) / 2
    inside = _share(maps, left, top, right, bottom)
    edge, far = np.full(len(maps), RIM, np.float32), np.full(len(maps), 1 - RIM, np.float32)
    return EvidenceShares(
        lower=_share(maps, left, middle, right, bottom),
        outside=np.float32(1) - inside,
        rim=np.float32(1) - _share(maps, edge, edge, far, far),
    )


def region_shares(maps: FloatArray, faces: FloatArray) -> FloatArray:
    """Measures in which of `REGIONS` the positive evidence of maps lies.

    Args:
        maps: (N, h, w) signed maps; their negative tells of the evidence against.
        faces: (N, 4) face boxes as shares of the crop; see `faces_in_crops`.

    Returns:
        (N, 4) float32 shares, each row summing to 1; NaN where there is no positive evidence.
    """
    left, top, right, bottom = faces.T
    shares, begin = [], top
    for end in _ENDS:
        until = top + np.float32(end) * (bottom - top)
        shares.append(_share(maps, left, begin, right, until))
        begin = until
    shares.append(np.float32(1) - np.sum(shares, axis=0))
    return np.stack(shares, axis=1).astype(np.float32)


def _share(
    maps: FloatArray, left: FloatArray, top: FloatArray, right: FloatArray, bottom: FloatArray
) -> FloatArray:
    """Returns the (N,) share of each map's positive mass inside a rectangle."""
    positive = np.maximum(maps, 0)
    total = positive.sum(axis=(1, 2))
    rows = _coverage(top, bottom, maps.shape[1])
    columns = _coverage(left, right, maps.shape[2])
    inside = np.einsum("nhw,nh,nw->n", positive, rows, columns)
    unknown = np.full(len(maps), np.nan, np.float32)
    np.divide(inside, total, out=unknown, where=total > 0)
    return unknown


def _coverage(start: FloatArray, stop: FloatArray, cells: int) -> FloatArray:
    """Returns (N, cells): how much of each of `cells` equal cells of 0..1 lies in [start, stop]."""
    edges = np.linspace(0, 1, cells + 1, dtype=np.float32)
    overlap = np.minimum(stop[:, None], edges[1:]) - np.maximum(start[:, None], edges[:-1])
    return cast("FloatArray", np.clip(overlap * cells, 0, 1))
