"""Existing models to go on from: maskdet's own, and those of others that are built alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from maskdet.errors import ModelError
from maskdet.train.classifier.backbones import width_of
from maskdet.train.classifier.model import HEAD_LAYERS, LAST_MAP, deployable
from maskdet.train.classifier.options import ARCHITECTURES
from maskdet.train.others.canonical import flatten
from maskdet.train.others.converting import usual_labels
from maskdet.train.others.reading import read_keras_model
from maskdet.vision.described import describe

_USUAL_DROPOUT = 0.5
_USUAL_SIZE = 224  # pixels, what the usual scripts train at
_POOLING = (
    keras.layers.AveragePooling2D,
    keras.layers.Flatten,
    keras.layers.GlobalAveragePooling2D,
)

# Layers that one of the networks alone has; those of MobileNetV3 Large come before Small's.
_MARKS = (
    (LAST_MAP, "mobilenet_v2"),
    ("expanded_conv_14_project", "mobilenet_v3_large"),
    ("expanded_conv_10_project", "mobilenet_v3_small"),
    ("block6h_add", "efficientnet_v2_b0"),
    ("pool3", "tiny_cnn"),
    ("dropout_map", "small_cnn"),
)


@dataclass(frozen=True)
class Existing:
    """A model that was read.

    Attributes:
        model: the flat graph that maskdet saves.
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES`.
        labels: class names in index order, the usual ones where nothing says them.
        alpha: width of a MobileNetV2; of several that come to the same filters, the roundest.
    """

    model: Any
    architecture: str
    labels: tuple[str, ...]
    alpha: float


def read_model(path: Path) -> Existing:
    """Reads a model to train on from.

    Args:
        path: see `maskdet.train.others.reading.read_keras_model`; one of `ARCHITECTURES` with a
            head of two dense layers.

    Raises:
        ModelError: it is missing, damaged, or built otherwise.
    """
    source = flatten(read_keras_model(path))
    architecture = _architecture(source)
    if not architecture:
        raise ModelError(f"{path}: is none of {', '.join(ARCHITECTURES)}")
    dropout = _name_head(source, path)
    size = int(source.input_shape[1] or _USUAL_SIZE)
    alpha = width_of(source) if architecture == "mobilenet_v2" else 1.0
    try:
        model = deployable(
            source, architecture=architecture, size=size, dropout=dropout, alpha=alpha
        )
        _check_copied(source, model)
        labels, _ = usual_labels(describe(path).labels, int(model.output_shape[1]))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return Existing(model, architecture, labels, alpha)


def _architecture(source: Any) -> str:
    """Tells by its layers' names which network a model is; empty for none that is known."""
    names = {layer.name for layer in source.layers}
    return next((name for layer, name in _MARKS if layer in names), "")


def _name_head(source: Any, path: Path) -> float:
    """Gives the two dense layers of a head their usual names; returns the dropout's rate.

    Raises:
        ModelError: there is anything else in the head, which would be lost.
    """
    layers = source.layers
    last_map = max(
        number
        for number, layer in enumerate(layers)
        if len(layer.output.shape) == 4 and not isinstance(layer, _POOLING)
    )
    dense, rate = [], _USUAL_DROPOUT
    for layer in layers[last_map + 1 :]:
        if isinstance(layer, keras.layers.Dense):
            dense.append(layer)
        elif isinstance(layer, keras.layers.Dropout):
            rate = layer.rate
        elif not isinstance(layer, _POOLING):
            raise ModelError(f"{path}: its head has a {type(layer).__name__} layer ({layer.name})")
    found = [layer.activation.__name__ for layer in dense]
    if found != ["relu", "softmax"]:
        raise ModelError(
            f"{path}: its head is not two dense layers, relu and softmax, but "
            f"{', '.join(found) or 'none'}"
        )
    for name, layer in zip(HEAD_LAYERS, dense, strict=True):
        layer.name = name
    return float(rate)


def _check_copied(source: Any, model: Any) -> None:
    names = {layer.name for layer in model.layers}
    for layer in source.layers:
        if layer.weights and layer.name not in names:
            raise ModelError(f"its layer {layer.name!r} is none of the network that is trained")
