"""Finds what computes the maps asked for: the exported graph, or Keras where it must be."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import ModelError, NoMapsError
from maskdet.extras import require
from maskdet.heatmap.methods.explainers import (
    CAM,
    Explainer,
    ExplainingClassifier,
    LargeLiteExplainer,
    LiteExplainer,
    MapOptions,
    MergedExplainer,
    SmoothExplainer,
)
from maskdet.standard_error import silent_standard_error
from maskdet.vision.card import ClassifierCard, read_classifier_card
from maskdet.vision.classifier import Classifier, MaskClassifier
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.merging import Merging, Pairs


@dataclass(frozen=True)
class LoadedModel:
    """A classifier with maps, and what else heat maps need to know of it.

    Attributes:
        explainer: answers for crops.
        crop_margin: share of a face's box added on every side.
        temperature: divides the logits before the softmax.
    """

    explainer: Explainer
    crop_margin: float
    temperature: float

    @property
    def exact(self) -> bool:
        """Whether each map's mean and the biases add up to the logit."""
        return self.explainer.exact

    def classifier(self) -> Classifier:
        """Returns the second stage of detection."""
        return ExplainingClassifier(
            self.explainer, crop_margin=self.crop_margin, temperature=self.temperature
        )


def load_model(
    model: Path | None,
    options: MapOptions,
    *,
    crop_margin: float | None = None,
    precision: str | None = None,
    merge: Pairs = (),
    log: Callable[[str], None],
) -> LoadedModel:
    """Loads what computes the maps that were asked for; Keras only where it is needed.

    Args:
        model: what the user named; ``None`` for the bundled model. One of others is converted.
        options: which maps.
        crop_margin: instead of the card's.
        precision: which of the card's TFLite files.
        merge: labels whose probability is added to another's; see `maskdet.vision.merging`.
        log: told what the user should know, such as that Keras has to do it.

    Raises:
        ModelError: no such model, or it cannot give such maps.
        OptionError: what is to be merged are none of the model's labels.
    """
    card_path = find_or_convert_card(model, log)
    card = read_classifier_card(card_path)
    merging = Merging.of(merge, card.labels)
    reason = f"{card_path}: names no .keras file, which --method {options.method} needs"
    if options.method == CAM and options.layer is None:
        if card.no_maps:
            raise NoMapsError(
                f"{card_path.stem}: no exact heat map, for {card.no_maps}; "
                "--method gradcam gives one"
            )
        try:
            return _load_lite(card, model, options, merging, crop_margin, precision, log)
        except NoMapsError as error:
            reason = f"{error}, or put its .keras file beside it"
            slower = str(error).rsplit("; ", 1)[0]
            if "keras" in card.files:
                log(f"{slower}: computing with Keras, which is slower")
    if "keras" not in card.files:
        raise ModelError(reason)
    return _load_keras(card.file("keras"), card, options, merging, crop_margin)


def _load_lite(
    card: ClassifierCard,
    named: Path | None,
    options: MapOptions,
    merging: Merging,
    crop_margin: float | None,
    precision: str | None,
    log: Callable[[str], None],
) -> LoadedModel:
    """Loads the exported graph.

    Raises:
        NoMapsError: it has no maps, or none of the resolution asked for.
    """
    classifier = MaskClassifier(
        card.path, precision=precision, crop_margin=crop_margin, maps=True, named=named
    )
    explainer: Explainer = LiteExplainer(classifier)
    if options.resolution not in (None, classifier.size):
        assert options.resolution is not None
        path = classifier.path
        try:
            explainer = LargeLiteExplainer(path, classifier.labels, options.resolution)
        except ModelError:
            raise NoMapsError(
                f"{path}: its graph takes {classifier.size} pixels and no other size; "
                f"leave --resolution {options.resolution} out"
            ) from None
    if card.architecture in ("small_cnn", "tiny_cnn"):
        log(
            f"{card.architecture} does not pool its map globally: each place has weights of its "
            "own, so the map is exact but may jump from cell to cell; --method gradcam averages "
            "the weights"
        )
    finished = _finished(explainer, options, merging, classifier.temperature)
    return LoadedModel(finished, classifier.crop_margin, classifier.temperature)


def _finished(
    explainer: Explainer, options: MapOptions, merging: Merging, temperature: float
) -> Explainer:
    """Adds to an explainer what is the same for all of them."""
    if not merging.is_idle:
        # Before the views of a crop are averaged: each has shares of its own.
        explainer = MergedExplainer(explainer, merging, temperature)
    return SmoothExplainer(explainer) if options.smooth else explainer


def _load_keras(
    path: Path,
    card: ClassifierCard,
    options: MapOptions,
    merging: Merging,
    crop_margin: float | None,
) -> LoadedModel:
    """Loads the Keras model that a card names."""
    require("train", f"--method {options.method} on {path.name}")
    # TensorFlow takes seconds to load and is needed here alone.
    with silent_standard_error():
        from maskdet.heatmap.methods.gradients import KerasExplainer

    explainer: Explainer = KerasExplainer(
        path,
        card.labels,
        method=options.method,
        layer=options.layer,
        resolution=options.resolution,
    )
    margin = card.crop_margin if crop_margin is None else crop_margin
    finished = _finished(explainer, options, merging, card.temperature)
    return LoadedModel(finished, margin, card.temperature)
