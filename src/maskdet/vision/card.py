"""The card of a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maskdet.cards.card import Card, card_files, interchangeable_precisions, open_card
from maskdet.cards.fields import LARGEST_SIZE
from maskdet.errors import ModelError
from maskdet.vision.precision import AUTO, fastest

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
        precision: which of the card's networks, or `maskdet.vision.precision.AUTO`; ``None`` for
            its default.
        named: what the user named; a ``.tflite`` file is run itself, and for a ``.keras`` file the
            network of the same precision, where there is one.

    Raises:
        ModelError: there is no such network, or it is damaged.
    """
    key = f"tflite_{precision}" if precision else "tflite"
    if named is not None and named.suffix.lower() == TFLITE:
        return card.named_file(named, key if precision not in (None, AUTO) else None)
    if named is not None and named.suffix.lower() == KERAS and precision in (None, AUTO):
        return card.file(key_of_keras(card.files))
    return card.file(fastest_key(card) if precision == AUTO else key)


def precision_of(card: ClassifierCard, file: Path) -> str | None:
    """Returns the precision of one of a card's networks, ``None`` where the card does not say."""
    entries = [entry for entry in card.files.values() if entry.name == file.name]
    return next((entry.precision for entry in entries if entry.precision), None)


def fastest_key(card: ClassifierCard) -> str:
    """Returns the key of the card's network that is fastest here, of those that are equally right.

    Raises:
        ModelError: a file that is to be timed is missing or damaged.
    """
    default = card.files["tflite"].precision if "tflite" in card.files else None
    keys = {precision: f"tflite_{precision}" for precision in card.interchangeable}
    if default not in keys:
        return "tflite"
    files = {name: card.files[key] for name, key in keys.items() if key in card.files}
    found = fastest(default, files, lambda precision: card.file(keys[precision]), card.size)
    return "tflite" if found == default else keys[found]


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
        interchangeable=interchangeable_precisions(fields),
        labels=fields.labels("labels"),
        size=picture.whole("size", 8, LARGEST_SIZE),
        crop_margin=fields.number("crop_margin", SMALLEST_MARGIN, LARGEST_MARGIN),
        temperature=fields.number("temperature", 0.01, 100, 1.0),
        architecture=fields.text("architecture", ""),
        no_maps=fields.text("no_maps", ""),
    )
