"""Which map of a face is shown: that of one class, or the difference that decided between two.

Of more classes than two the difference is that to the next best one.
"""

from dataclasses import dataclass

import numpy as np

from maskdet.detections import Detections, FloatArray
from maskdet.errors import MaskdetError
from maskdet.vision.evidence import decision_maps, runners_up

PREDICTED = "predicted"
DIFFERENCE = "difference"


@dataclass(frozen=True)
class ShownMaps:
    """One signed map a face, and the number it explains.

    Attributes:
        maps: (N, h, w) float32, evidence for (positive) and against (negative).
        totals: (N,) float32, the logit, or difference of logits, that a map's mean and the biases
            add up to.
    """

    maps: FloatArray
    totals: FloatArray


def resolve_view(view: str | None, labels: tuple[str, ...]) -> str:
    """Returns the view to show, checked against the model's classes.

    Args:
        view: `PREDICTED`, `DIFFERENCE` or a label; ``None`` for the difference.
        labels: the model's.

    Raises:
        MaskdetError: no such class.
    """
    if view is None:
        return DIFFERENCE
    if view not in (PREDICTED, DIFFERENCE, *labels):
        raise MaskdetError(
            f"--class {view}: this model's classes are {', '.join(labels)}; "
            f"{PREDICTED} and {DIFFERENCE} are the other choices"
        )
    return view


def shown_maps(detections: Detections, view: str) -> ShownMaps:
    """Picks the map of each face.

    Args:
        detections: N faces with heat maps.
        view: what `resolve_view` returned.
    """
    count = len(detections)
    if count == 0:
        return ShownMaps(np.zeros((0, 1, 1), np.float32), np.zeros(0, np.float32))
    if detections.cams is None:
        raise ValueError("detections carry no heat maps; load the detector with maps=True")
    rows, chosen = np.arange(count), detections.label_indices
    if view == DIFFERENCE:
        rivals = runners_up(detections.logits, chosen)
        return ShownMaps(
            decision_maps(detections.cams, detections.logits, chosen),
            detections.logits[rows, chosen] - detections.logits[rows, rivals],
        )
    if view != PREDICTED:
        chosen = np.full(count, detections.labels.index(view))
    return ShownMaps(detections.cams[rows, :, :, chosen], detections.logits[rows, chosen])
