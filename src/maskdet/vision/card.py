"""The card of a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maskdet.cards.card import Card, card_files, open_card
from maskdet.cards.fields import LARGEST_SIZE
from maskdet.errors import ModelError

CARD_FORMAT = 1
TFLITE, KERAS = ".tflite", ".keras"

SMALLEST_MARGIN, LARGEST_MARGIN = -0.4, 2.0
"""Of the box's side: below, little of the face is left; beyond, little but what surrounds it."""


@dataclass(frozen=True)
class ClassifierCard(Card):
    """What a classifier's card says.

    Attributes:
        labels: the C class names.
        size: side of the network's square input in pixels.
        crop_margin: share of a face's box added on every side.
        temperature: what logits are divided by before the softmax.
        architecture: name of the network, empty where the card has none.
        no_maps: why the network has no heat maps, empty where it has.
    """

    labels: tuple[str, ...]
    size: int
    crop_margin: float
    temperature: float
    architecture: str
    no_maps: str


def key_of_keras(files: Mapping[str, object]) -> str:
    """Returns which of a card's networks answers as its Keras file: float32's, else the default."""
    return "tflite_float32" if "tflite_float32" in files else "tflite"


def network_file(card: ClassifierCard, precision: str | None, named: Path | None) -> Path:
    """Finds the network to run.

    Args:
        card: of the model.
        precision: which of the card's networks; ``None`` for its default.
        named: what the user named; a ``.tflite`` file is run itself, and for a ``.keras`` file the
            network of the same precision, where there is one.

    Raises:
        ModelError: there is no such network, or it is damaged.
    """
    key = f"tflite_{precision}" if precision else "tflite"
    if named is not None and named.suffix.lower() == TFLITE:
        return card.named_file(named, key if precision else None)
    if named is not None and named.suffix.lower() == KERAS and not precision:
        key = key_of_keras(card.files)
    return card.file(key)


def read_classifier_card(path: Path) -> ClassifierCard:
    """Reads and checks a classifier's card.

    Raises:
        ModelError: it is missing, or an entry is missing or not what it should be.
    """
    fields = open_card(path)
    if "labels" not in fields:
        raise ModelError(f"{path}: is not the card of a classifier, it has no labels")
    fields.fixed("format", CARD_FORMAT)
    picture = fields.inner("input")
    # What the program does to every crop: another colour order would be read wrongly, in silence.
    picture.fixed("colour", "RGB", None)
    picture.fixed("range", [0, 255], None)
    return ClassifierCard(
        path=path,
        files=card_files(fields),
        labels=fields.labels("labels"),
        size=picture.whole("size", 8, LARGEST_SIZE),
        crop_margin=fields.number("crop_margin", SMALLEST_MARGIN, LARGEST_MARGIN),
        temperature=fields.number("temperature", 0.01, 100, 1.0),
        architecture=fields.text("architecture", ""),
        no_maps=fields.text("no_maps", ""),
    )
