"""The card of a face detector."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.cards.card import Card, card_files, interchangeable_precisions, open_card
from maskdet.cards.fields import LARGEST_SIZE, Fields, a_list, a_number, a_whole
from maskdet.errors import ModelError
from maskdet.vision.faces.prior_boxes import PriorBoxSpec

CARD_FORMAT = 1
CARD_KIND = "ssd_face_detector"

_SMALLEST_SIZE = 32
_MOST_MAPS = 32
_MOST_RATIOS = 16
_MOST_SIZES = 32
# Of an input pixel and of a whole input, with room on either side.
_SHORTEST, _LONGEST = 0.01, 4.0 * LARGEST_SIZE


@dataclass(frozen=True)
class FaceCard(Card):
    """What a face detector's card says.

    Attributes:
        default_precision: key of the file to run.
        size: side of the network's square input in pixels.
        sizes: sides to choose from, ascending; empty where there is no choice.
        multiple_of: what sides have to be multiples of.
        halved: whether large frames are averaged down first.
        prior_boxes: layout of the prior boxes.
        nms_threshold: overlap from which on the weaker of two boxes is dropped.
        box_voting: whether the weaker boxes have a say in where the face is; see
            `maskdet.vision.faces.heads.SsdHeads`.
        default_confidence: score from which on a box is worth showing.
    """

    default_precision: str
    size: int
    sizes: tuple[int, ...]
    multiple_of: int
    halved: bool
    prior_boxes: PriorBoxSpec
    nms_threshold: float
    box_voting: bool
    default_confidence: float


def read_face_card(path: Path) -> FaceCard:
    """Reads and checks a face detector's card.

    Raises:
        ModelError: it is missing, or an entry is missing or not what it should be.
    """
    fields = open_card(path)
    if "kind" not in fields:
        raise ModelError(f"{path}: is not the card of a face detector, it has no kind")
    fields.fixed("kind", CARD_KIND)
    fields.fixed("format", CARD_FORMAT)
    picture = fields.inner("input")
    # What the program does to every frame: another colour order would be read wrongly, in silence.
    picture.fixed("colour_order", "BGR", None)
    picture.fixed("range", [0, 255], None)
    sizes = picture.take(
        "sizes",
        f"a list of up to {_MOST_SIZES} whole numbers from {_SMALLEST_SIZE} to {LARGEST_SIZE}",
        a_list(a_whole(_SMALLEST_SIZE, LARGEST_SIZE), 0, _MOST_SIZES),
        (),
    )
    files = card_files(fields)
    return FaceCard(
        path=path,
        files=files,
        interchangeable=interchangeable_precisions(fields),
        default_precision=fields.take(
            "default_precision",
            "one of the keys of files",
            lambda given: given if isinstance(given, str) and given in files else None,
        ),
        size=picture.whole("size", _SMALLEST_SIZE, LARGEST_SIZE),
        sizes=tuple(sorted(set(sizes))),
        multiple_of=picture.whole("multiple_of", 1, 256, 1),
        halved=picture.flag("halved", default=False),
        prior_boxes=_prior_boxes(fields.inner("prior_boxes")),
        nms_threshold=fields.number("nms_threshold", 0, 1),
        box_voting=fields.flag("box_voting", default=False),
        default_confidence=fields.number("default_confidence", 0, 1),
    )


def _prior_boxes(fields: Fields) -> PriorBoxSpec:
    steps = fields.take(
        "steps",
        f"a list of up to {_MOST_MAPS} numbers from {_SHORTEST:g} to {_LONGEST:g}",
        a_list(a_number(_SHORTEST, _LONGEST), 1, _MOST_MAPS),
    )
    maps = len(steps)
    variances = fields.take(
        "variances", "a list of 4 numbers from 0.001 to 10", a_list(a_number(0.001, 10), 4, 4)
    )
    centre_x, centre_y, width, height = variances
    return PriorBoxSpec(
        steps=steps,
        sizes=fields.take(
            "sizes",
            f"a list of {maps} pairs of numbers from {_SHORTEST:g} to {_LONGEST:g}, one a step",
            a_list(_pair, maps, maps),
        ),
        aspect_ratios=fields.take(
            "aspect_ratios",
            f"a list of {maps} lists of numbers from 0.01 to 100, one a step",
            a_list(a_list(a_number(0.01, 100), 0, _MOST_RATIOS), maps, maps),
        ),
        variances=(centre_x, centre_y, width, height),
        offset=fields.number("offset", 0, 1),
    )


def _pair(given: Any) -> tuple[float, float] | None:
    pair = a_list(a_number(_SHORTEST, _LONGEST), 2, 2)(given)
    return None if pair is None else (pair[0], pair[1])
