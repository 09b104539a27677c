"""Boxes that belong together: detections and labelled faces, average precision, best pairs."""

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray

OVERLAP = 0.5  # intersection over union from which on a box counts as the face
OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.5 to 0.95, over which COCO takes the mean."""


def match_detections(
    xyxy: FloatArray, faces: FloatArray, overlap: float = OVERLAP
) -> NDArray[np.intp]:
    """Assigns detections to labelled faces, each face to the first detection that covers it.

    Args:
        xyxy: (D, 4) detections, best first.
        faces: (F, 4) labelled boxes.
        overlap: intersection over union from which on a detection covers a face.

    Returns:
        (D,) the index of the face each detection found, -1 for a false alarm.
    """
    matches = np.full(len(xyxy), -1, np.intp)
    if len(faces) == 0:
        return matches
    overlaps = intersection_over_union(xyxy, faces)
    for index, row in enumerate(overlaps):
        best = int(row.argmax())
        if row[best] >= overlap:
            matches[index] = best
            overlaps[:, best] = -1
    return matches


def average_precision(scores: FloatArray, hits: NDArray[np.bool_], faces: int) -> float:
    """Computes the area under the precision-recall curve, all-point interpolated.

    As PASCAL VOC does since 2010: at every recall the best precision at that recall or a higher
    one counts.

    Args:
        scores: (D,) of the detections of all photographs.
        hits: (D,) bool, whether a detection is a face that no better detection has found.
        faces: how many faces are labelled; without any, the figure is not a number.
    """
    once = np.ones((1, len(scores)), np.intp)
    return float(average_precision_by_draw(scores, hits, np.array([faces]), once)[0])


def average_precision_by_draw(
    scores: FloatArray, hits: NDArray[np.bool_], faces: NDArray[np.intp], times: NDArray[np.intp]
) -> FloatArray:
    """Computes the same for R draws from the photographs.

    Args:
        scores: (D,) of the detections of all photographs.
        hits: (D,) bool, whether a detection is a face that no better detection has found.
        faces: (R,) how many faces are labelled in what was drawn.
        times: (R, D) how often each detection was drawn.

    Returns:
        (R,) areas; not a number where no face is labelled.
    """
    order = np.argsort(-scores, kind="stable")
    drawn = times[:, order]
    right = drawn * hits[order]
    precisions = right.cumsum(axis=1) / np.maximum(drawn.cumsum(axis=1), 1)
    envelope = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    areas: FloatArray = (envelope * right).sum(axis=1) / np.where(faces > 0, faces, np.nan)
    return areas


def best_pairs(affinity: FloatArray) -> list[tuple[int, int]]:
    """Pairs rows with columns, each at most once, so that the sum of their affinities is largest.

    Args:
        affinity: (R, C), 0 and above; a pair at 0 is none.
    """
    for table, turned in ((affinity, False), (affinity.T, True)):
        # Where all rows like different columns best, each has its best: no sum can be larger.
        rows = np.flatnonzero(table.max(axis=1) > 0)
        columns = table[rows].argmax(axis=1)
        if len(np.unique(columns)) == len(columns):
            pairs = zip(rows.tolist(), columns.tolist(), strict=True)
            return [(column, row) if turned else (row, column) for row, column in pairs]
    # Imported when first needed: it takes a quarter of a second and 40 MB, and most videos never
    # need it.
    from scipy.optimize import linear_sum_assignment

    pairs = zip(*linear_sum_assignment(affinity, maximize=True), strict=True)
    return [(int(row), int(column)) for row, column in pairs if affinity[row, column] > 0]
