"""Models of others: legacy Keras HDF5 files, and `.keras` files without what maskdet adds to them.

Nothing in such a file is run. Of an HDF5 file only arrays are read, by layer name; a `.keras` file
is loaded in Keras's safe mode, which refuses code.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np

from maskdet.assets import read_card, sha256
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL
from maskdet.errors import ModelError
from maskdet.train.card import versions, write_model
from maskdet.train.classifier.export import export
from maskdet.train.classifier.model import HEAD_LAYERS, LAST_MAP, deployable

LEGACY_SUFFIXES = (".h5", ".hdf5", ".model")
USUAL_LABELS = (MASK_LABEL, NO_MASK_LABEL)  # the usual scripts sort their class folders
_BACKBONE_CHANNELS = 1280
_USUAL_DROPOUT = 0.5
_USUAL_SIZE = 224  # pixels, what the usual scripts train at


@dataclass(frozen=True)
class Foreign:
    """A model that was read.

    Attributes:
        model: the flat graph that maskdet saves.
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES`.
        labels: class names in index order.
        told: whether the labels come with the model, or are the usual ones.
    """

    model: Any
    architecture: str
    labels: tuple[str, ...]
    told: bool


def read_model(path: Path) -> Foreign:
    """Reads a model of maskdet or of others.

    Args:
        path: a ``.keras`` file, with or without a card beside it, or a legacy HDF5 file
            (``.h5``, ``.hdf5``, ``.model``) of MobileNetV2 with the usual head.

    Raises:
        ModelError: it is missing, damaged, or of another architecture.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    if path.suffix not in {*LEGACY_SUFFIXES, ".keras"}:
        raise ModelError(
            f"{path}: is neither a .keras file nor an HDF5 one ({', '.join(LEGACY_SUFFIXES)})"
        )
    source = _read_hdf5(path) if path.suffix in LEGACY_SUFFIXES else _read_keras(path)
    names = {layer.name for layer in source.layers}
    if not set(HEAD_LAYERS) <= names or not ({LAST_MAP, "conv3"} & names):
        raise ModelError(
            f"{path}: is neither MobileNetV2 nor small_cnn with the head of maskdet "
            f"({' and '.join(HEAD_LAYERS)})"
        )
    architecture = "mobilenet_v2" if LAST_MAP in names else "small_cnn"
    size = int(source.input_shape[1] or _USUAL_SIZE)
    dropout = next((x.rate for x in source.layers if x.name == "dropout"), _USUAL_DROPOUT)
    model = deployable(source, architecture=architecture, size=size, dropout=dropout)
    labels, told = _labels(path, int(model.output_shape[1]))
    return Foreign(model, architecture, labels, told)


def convert_model(
    source: Path,
    target: Path,
    *,
    say: Callable[[str], None],
    labels: Sequence[str] | None = None,
    crop_margin: float = 0.0,
) -> Path:
    """Makes maskdet's three files from a model of others.

    Without pictures nothing can be calibrated or compared: the TFLite file is float32.

    Args:
        source: see `read_model`.
        target: path of the model to write, without suffix.
        say: takes one line of log.
        labels: class names in index order; ``None`` for the model's own, or the usual ones.
        crop_margin: around face boxes; 0 is what the usual scripts cut.

    Returns:
        The path of the card.

    Raises:
        ModelError: it cannot be read, or the labels do not fit it.
        OutputError: the files cannot be written.
    """
    found = read_model(source)
    chosen = tuple(labels) if labels is not None else found.labels
    classes, size = int(found.model.output_shape[1]), int(found.model.input_shape[1])
    if len(chosen) != classes:
        raise ModelError(f"{source}: tells {classes} labels apart, {len(chosen)} were named")
    if labels is None and not found.told:
        say(f"{source.name} does not name its labels: taken to be {', '.join(chosen)}")
    say(f"converting {source.name} to {target.name}.tflite")
    card = {
        "architecture": found.architecture,
        "labels": list(chosen),
        "input": {"size": size, "colour": "RGB", "range": [0, 255]},
        "crop_margin": crop_margin,
        "temperature": 1.0,
        "training": {"converted_from": source.name, "sha256": sha256(source)},
        "metrics": {},
        "versions": versions(),
    }
    files = {"float32": export(found.model, "float32")}
    return write_model(target, found.model, files, default="float32", card=card)


def _labels(path: Path, classes: int) -> tuple[tuple[str, ...], bool]:
    card = path.with_suffix(".json")
    if card.is_file():
        labels = read_card(card).get("labels")
        if not isinstance(labels, list) or len(labels) != classes:
            raise ModelError(f"{card}: its labels are not those of {path.name}")
        return tuple(str(label) for label in labels), True
    if classes == len(USUAL_LABELS):
        return USUAL_LABELS, False
    return tuple(f"class_{number}" for number in range(classes)), False


def _read_keras(path: Path) -> Any:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path}: cannot be loaded as a Keras model ({reason})") from None


def _read_hdf5(path: Path) -> Any:
    try:
        with h5py.File(path) as file:
            config = json.loads(file.attrs["model_config"])["config"]["layers"]
            weights = file["model_weights"]
            arrays = {name: _layer_arrays(weights[name]) for name in weights}
            dense = [x["config"]["name"] for x in config if x["class_name"] == "Dense"][-2:]
            shape = config[0]["config"].get("batch_input_shape") or [None]
    except OSError:
        raise ModelError(f"{path}: is not an HDF5 file, or is damaged") from None
    except (KeyError, ValueError, TypeError, IndexError):
        raise ModelError(f"{path}: holds no whole Keras model (weights alone?)") from None
    size = int(shape[1] or _USUAL_SIZE) if len(shape) == 4 else _USUAL_SIZE
    kernels = [arrays.get(name, [np.zeros((0, 0))])[0] for name in dense]
    if len(kernels) != 2 or kernels[0].shape[0] != _BACKBONE_CHANNELS:
        raise ModelError(f"{path}: is not MobileNetV2 with the usual head of two dense layers")
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(size, size, 3)
    )
    tail = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    for name, kernel in zip(HEAD_LAYERS, kernels, strict=True):
        tail = keras.layers.Dense(kernel.shape[1], name=name)(tail)
    model = keras.Model(backbone.input, tail)
    renamed = dict(zip(HEAD_LAYERS, dense, strict=True))
    for layer in model.layers:
        if not layer.weights:
            continue
        try:
            layer.set_weights(arrays[renamed.get(layer.name, layer.name)])
        except (KeyError, ValueError):
            raise ModelError(f"{path}: has no layer {layer.name!r} of MobileNetV2 1.0") from None
    return model


def _layer_arrays(group: Any) -> list[Any]:
    """Returns a layer's arrays in the order Keras takes them."""
    stored = group.attrs["weight_names"]
    names = [name.decode() if isinstance(name, bytes) else name for name in stored]
    return [np.asarray(group[name]) for name in names]
