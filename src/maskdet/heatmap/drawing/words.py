"""A heat map in words: which region of the face speaks for the answer, and which against."""

import numpy as np

from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL, Detections, FloatArray
from maskdet.heatmap.methods.views import DIFFERENCE, PREDICTED, ShownMaps
from maskdet.vision.evidence import BEYOND, EYES, MOUTH, NOSE, REGIONS, region_shares, runners_up
from maskdet.wording import label_text

# Evidence against below this share of all is not worth a word.
_HARDLY = 0.05

# What an answer says of a region that speaks for it, whatever it is weighed against or against
# another: of a mask worn incorrectly the nose tells it from a right one, and the chin from none.
_FOR: dict[tuple[str, str | None, str], str] = {
    **{(MASK_LABEL, None, region): "covered" for region in (NOSE, MOUTH)},
    **{(NO_MASK_LABEL, None, region): "bare" for region in (NOSE, MOUTH)},
    (INCORRECT_LABEL, MASK_LABEL, NOSE): "bare",
    (INCORRECT_LABEL, NO_MASK_LABEL, MOUTH): "covered",
}
# And of one that speaks against it. Other answers say nothing of what speaks against them.
_AGAINST: dict[tuple[str, str | None, str], str] = {
    (INCORRECT_LABEL, MASK_LABEL, MOUTH): "covered",
    (INCORRECT_LABEL, NO_MASK_LABEL, NOSE): "bare",
}
_NOUNS = {EYES: "eyes", NOSE: "nose", MOUTH: "mouth and chin", BEYOND: "surroundings"}
LONGEST = (
    "Worn Incorrectly: the covered mouth and chin speak for it (100%), the covered nose against"
)
"""No sentence about the usual labels is longer."""


def sentences(
    detections: Detections, shown: ShownMaps, view: str, places: FloatArray
) -> tuple[str, ...]:
    """Says of each map where its evidence lies.

    Args:
        detections: N faces.
        shown: their maps.
        view: what `maskdet.heatmap.methods.views.resolve_view` returned.
        places: (N, 4) face boxes as shares of the crop; see `vision.evidence.faces_in_crops`.

    Returns:
        N sentences.
    """
    if len(detections) == 0:
        return ()
    labels, chosen = detections.labels, detections.label_indices
    names = [labels[index] for index in chosen]
    rivals: list[str | None] = [None] * len(names)
    if view == DIFFERENCE:
        rivals = [labels[index] for index in runners_up(detections.logits, chosen)]
    elif view != PREDICTED:
        names = [view] * len(names)
    speaking = region_shares(shown.maps, places), region_shares(-shown.maps, places)
    against = np.maximum(-shown.maps, 0).sum(axis=(1, 2))
    weight = against / np.maximum(np.abs(shown.maps).sum(axis=(1, 2)), np.float32(1e-12))
    return tuple(
        _sentence(name, rival, own, other, share)
        for name, rival, own, other, share in zip(
            names, rivals, *speaking, weight.tolist(), strict=True
        )
    )


def _sentence(
    label: str, rival: str | None, own: FloatArray, other: FloatArray, against: float
) -> str:
    """Returns the sentence for one map.

    Args:
        label: whose evidence it is.
        rival: what it is weighed against, if anything.
        own: (4,) shares of the evidence for it by region.
        other: likewise, against it.
        against: share of the evidence against it in all.
    """
    if np.isnan(own).any():
        return f"{label_text(label)}: no place of the picture speaks for it"
    best = REGIONS[int(own.argmax())]
    verb = "speaks" if best == NOSE else "speak"
    look = _FOR.get((label, rival, best)) or _FOR.get((label, None, best))
    said = f"{label_text(label)}: {_named(best, look)} {verb} for it ({own.max():.0%})"
    if against < _HARDLY:
        return f"{said}, hardly anything against"
    worst = REGIONS[int(other.argmax())]
    return f"{said}, {_named(worst, _AGAINST.get((label, rival, worst)))} against"


def _named(region: str, look: str | None) -> str:
    return f"the {look} {_NOUNS[region]}" if look else f"the {_NOUNS[region]}"
