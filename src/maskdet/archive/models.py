"""Which networks did the work: their files by their content, the same on every machine."""

from collections.abc import Callable
from pathlib import Path

from maskdet.assets import sha256
from maskdet.cards.card import card_files, open_card
from maskdet.vision.card import read_classifier_card
from maskdet.vision.faces.loading import face_detector_folder, find_card
from maskdet.vision.faces.yunet import yunet_file
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.merging import Merging
from maskdet.vision.networks import NetworkOptions

# Of both networks, those that run; weights to train on from are nobody's business here.
_RUN = frozenset({".caffemodel", ".json", ".prototxt", ".tflite"})


def fingerprints(options: NetworkOptions, log: Callable[[str], None]) -> list[str]:
    """Returns the name and SHA-256 of each file that the networks are made of.

    Args:
        options: which networks.
        log: told when a model of others has to be converted.

    Raises:
        ModelError: one of them is missing or damaged.
    """
    files = _of_card(find_or_convert_card(options.model, log))
    if options.face_detector == "yunet":
        files.append(yunet_file(options.face))
    else:
        place = face_detector_folder(options.face)
        card = find_card(place)
        files += _of_card(card) if card is not None else sorted(place.iterdir())
    return [
        f"{path.name} {sha256(path)}"
        for path in files
        if path.is_file() and (path.suffix in _RUN or path.suffix == ".onnx")
    ]


def _of_card(card: Path) -> list[Path]:
    named = {card.parent / entry.name for entry in card_files(open_card(card)).values()}
    return [card, *sorted(named)]


def labels_of(options: NetworkOptions, log: Callable[[str], None]) -> tuple[str, ...]:
    """Returns the labels that faces are given, without loading the classifier.

    Raises:
        ModelError: its card is missing or damaged.
        OptionError: a label to merge is none of its own.
    """
    own = read_classifier_card(find_or_convert_card(options.model, log)).labels
    return Merging.of(options.merge, own).labels
