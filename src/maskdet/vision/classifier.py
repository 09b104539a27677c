"""The second stage: face crops in, the probability of each label and its heat map out."""

import os
from pathlib import Path
from typing import Protocol

import numpy as np

from maskdet.assets import bundled
from maskdet.cards.card import card_naming
from maskdet.detections import FloatArray
from maskdet.errors import ModelError, NoMapsError
from maskdet.vision.card import TFLITE, network_file, read_classifier_card
from maskdet.vision.merging import Merging, Pairs
from maskdet.vision.preprocessing import UInt8Array, face_inputs
from maskdet.vision.runtime import Network

BUNDLED_CARD = "models/mask_detector.json"


def find_card(model: Path | None) -> Path:
    """Finds the card of the model that the user named.

    Args:
        model: a model's ``.json``, ``.keras`` or any ``.tflite`` file, their common name, or a
            folder that holds exactly one card; ``None`` for the bundled model.

    Raises:
        ModelError: there is no such model, or its card is missing.
    """
    if model is None:
        return bundled(BUNDLED_CARD)
    if model.is_dir():
        cards = sorted(model.glob("*.json"))
        if len(cards) != 1:
            raise ModelError(f"{model}: holds {len(cards)} model cards (.json); name one of them")
        return cards[0]
    suffix = model.suffix.lower()
    if suffix in (".json", TFLITE, ".keras") and not model.is_file():
        raise ModelError(f"{model}: no such model file")
    if suffix == ".json":
        return model
    if suffix == TFLITE:
        card = card_naming(model)
        if card is None:
            raise ModelError(
                f"{model}: no model card (.json) beside it names it; a model is its .tflite and "
                "its .json"
            )
        return card
    card = (
        model.with_suffix(".json") if suffix == ".keras" else model.with_name(f"{model.name}.json")
    )
    if not card.is_file():
        raise ModelError(f"{card}: no such model card; a model is its .tflite and its .json")
    return card


def softmax(logits: FloatArray) -> FloatArray:
    """Returns the softmax over the last axis, computed without overflow."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True, initial=-np.inf))
    normalised: FloatArray = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalised


class Classifier(Protocol):
    """The second stage, however it comes to its answer.

    Attributes:
        labels: the C class names.
        crop_margin: share of a face's box added on every side.
        maps: whether `classify` returns heat maps.
    """

    labels: tuple[str, ...]
    crop_margin: float
    maps: bool

    def classify(
        self, frame_bgr: UInt8Array, xyxy: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Does what `MaskClassifier.classify` does."""
        ...


class MaskClassifier:
    """Tells masked from bare faces.

    Attributes:
        labels: the C class names, those that were merged into others left out.
        size: side of the network's input in pixels.
        crop_margin: share of a face's box added on every side.
        temperature: what logits are divided by before the softmax.
        path: of the network.
        maps: whether `classify` returns heat maps.

    Args:
        card_path: the model's card; see `find_card`.
        precision: one of the card's precisions; ``None`` for its default.
        threads: CPU threads for one face.
        lanes: faces worked on at a time.
        crop_margin: share of a face's box added on every side; ``None`` for the card's.
        maps: whether `classify` returns heat maps, which detection alone does not need.
        named: what the user named; one of the card's networks is the one that is run.
        merge: labels whose probability is added to another's; see `maskdet.vision.merging`.

    Raises:
        ModelError: the card or the network is missing, damaged, or they do not fit together.
        OptionError: what is to be merged are none of the model's labels.
    """

    def __init__(
        self,
        card_path: Path,
        *,
        precision: str | None = None,
        threads: int = 1,
        lanes: int = min(2, os.cpu_count() or 1),
        crop_margin: float | None = None,
        maps: bool = False,
        named: Path | None = None,
        merge: Pairs = (),
    ) -> None:
        card = read_classifier_card(card_path)
        self._merging = Merging.of(merge, card.labels)
        self.labels = self._merging.labels
        self.size = card.size
        self.crop_margin = card.crop_margin if crop_margin is None else crop_margin
        self.temperature = card.temperature
        self.path = network_file(card, precision, named)
        self._network = Network(self.path, threads=threads, lanes=lanes)
        self.maps = maps
        if maps and "cam" not in self._network.output_names and card.no_maps:
            raise NoMapsError(f"{card_path.stem}: has no heat maps, for {card.no_maps}")
        self._check(self.path, card.labels)

    def _check(self, path: Path, labels: tuple[str, ...]) -> None:
        missing = {"probabilities", "logits", "cam"} - self._network.output_names
        if not self.maps:
            missing -= {"cam"}
        if missing:
            kind = NoMapsError if missing == {"cam"} else ModelError
            raise kind(f"{path}: has no output {', '.join(sorted(missing))}; export it again")
        if self._network.input_shape != (1, self.size, self.size, 3):
            raise ModelError(
                f"{path}: takes input of shape {self._network.input_shape}, "
                f"its card says {self.size}"
            )
        outputs = self._network.run(np.zeros(self._network.input_shape, np.uint8))
        logits = outputs["logits"].shape
        if logits[1] != len(labels):
            raise ModelError(
                f"{path}: tells {logits[1]} labels apart, its card names {len(labels)}"
            )
        cam = outputs["cam"].shape if "cam" in outputs else (1, 1, 1, logits[1])
        if len(logits) != 2 or len(cam) != 4 or cam[3] != logits[1]:
            raise ModelError(f"{path}: has no map for each label; export it again")

    def classify(
        self, frame_bgr: UInt8Array, xyxy: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Classifies all faces of a frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            xyxy: (N, 4) face boxes in pixels, N >= 1; the card's crop margin is added here.

        Returns:
            (N, C) probabilities, calibrated by the card's temperature; (N, C) logits, before it;
            (N, h, w, C) class activation maps, or ``None`` if not asked for.
        """
        faces = face_inputs(frame_bgr, xyxy, margin=self.crop_margin, size=self.size)
        probabilities, logits, cams = self.read(faces)
        return probabilities, logits, cams if self.maps else None

    def read(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Classifies faces that have been cut out already.

        Args:
            faces: (N, size, size, 3) uint8, RGB, N >= 1; see `face_inputs`.

        Returns:
            Probabilities, logits and class activation maps, as `classify` does; maps of no places,
            (N, 0, 0, C), where the network has none.
        """
        outputs = self._network.run(faces)
        logits: FloatArray = outputs["logits"]
        none = np.zeros((len(faces), 0, 0, logits.shape[1]), np.float32)
        cams = outputs.get("cam", none)
        logits, cams = self._merging.merge(logits, cams, self.temperature)
        return softmax(logits / np.float32(self.temperature)), logits, cams
