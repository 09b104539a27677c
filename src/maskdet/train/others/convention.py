"""What a model of others takes and gives: pixels, their range and colours, and its last layer."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from maskdet.detections import FloatArray
from maskdet.errors import ModelError
from maskdet.train.others.weights import leaves
from maskdet.vision.preprocessing import UInt8Array

# Luma of ITU-R BT.601, what OpenCV and Pillow make grey pictures by.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_USUAL_SIZE = 224  # pixels, of a model that takes any
_USUAL_RANGE = (-1.0, 1.0)
_PIXELS = (0.0, 255.0)
_ARITHMETIC = {"Add", "Divide", "Multiply", "Subtract", "TrueDivide"}
_PREPROCESSING = (keras.layers.Rescaling, keras.layers.Normalization)
# Beyond it a factor makes no small numbers of pixels: its input is small already.
_LARGEST_FACTOR = 0.1


@dataclass(frozen=True)
class Convention:
    """What a model takes and gives.

    Attributes:
        size: side of its square input in pixels.
        channels: 3, or 1 for grey.
        low: what black becomes.
        high: what white becomes.
        colour: ``RGB`` or ``BGR``, where there are 3 channels.
        outputs: numbers it gives a face.
        ending: what they have been through: ``softmax``, ``sigmoid``, or ``linear`` for logits.
        notes: what was assumed, each a part of a sentence.
    """

    size: int
    channels: int
    low: float
    high: float
    colour: str
    outputs: int
    ending: str
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> int:
        """How many labels it tells apart: one number tells two."""
        return max(2, self.outputs)

    def prepare(self, faces: UInt8Array) -> FloatArray:
        """Makes the model's own input of (N, size, size, 3) uint8 RGB."""
        pixels = faces.astype(np.float32)
        if self.channels == 1:
            pixels = (pixels @ LUMA)[..., np.newaxis]
        elif self.colour == "BGR":
            pixels = pixels[..., ::-1]
        return np.asarray(pixels / 255 * (self.high - self.low) + self.low, np.float32)

    def probabilities(self, given: FloatArray) -> FloatArray:
        """Makes (N, labels) probabilities of the model's own (N, outputs) numbers."""
        given = np.asarray(given, np.float64)
        if self.ending == "linear":
            pairs = np.concatenate([-given / 2, given / 2], axis=1) if self.outputs == 1 else given
            powers = np.exp(pairs - pairs.max(axis=1, keepdims=True))
        else:
            powers = np.concatenate([1 - given, given], axis=1) if self.outputs == 1 else given
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def convention_of(
    model: Any, *, levels: tuple[float, float] | None, colour: str | None
) -> Convention:
    """Finds out what a model takes and gives.

    Args:
        model: as read.
        levels: what black and white become, where that is known.
        colour: ``RGB`` or ``BGR``, where that is known.

    Raises:
        ModelError: it takes no square pictures, or ends in what is no probability.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"has {len(model.inputs)} inputs and {len(model.outputs)} outputs; one of each is "
            "supported"
        )
    size, channels, notes = _pictures(model)
    shape = model.output_shape
    if len(shape) != 2 or shape[1] is None:
        raise ModelError(f"gives an output of shape {shape}; a number a label is supported")
    outputs = int(shape[1])
    ending, name = _ending(model)
    if ending not in ("softmax", "sigmoid", "linear"):
        raise ModelError(f"its last layer {name!r} ends in {ending}; softmax or sigmoid is needed")
    if ending == "softmax" and outputs == 1:
        raise ModelError(f"its last layer {name!r} is a softmax of one unit, which is always 1")
    if ending == "linear":
        what = "its outputs are" if outputs > 1 else "its output is"
        notes.append(f"{what} taken for logits")
    elif ending == "sigmoid" and outputs > 1:
        notes.append(f"its {outputs} sigmoids are divided by their sum")
    if levels is None:
        levels = _PIXELS if _scales_itself(model) else _USUAL_RANGE
        seen = "grey" if channels == 1 else (colour or "RGB")
        notes.append(f"its input is taken to be {seen} from {levels[0]:g} to {levels[1]:g}")
    return Convention(size, channels, *levels, colour or "RGB", outputs, ending, tuple(notes))


def _pictures(model: Any) -> tuple[int, int, list[str]]:
    shape = model.input_shape
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise ModelError(
            f"takes an input of shape {shape}; pictures of 1 or 3 channels, the last axis, are "
            "supported"
        )
    if shape[1] != shape[2]:
        raise ModelError(f"takes pictures of {shape[2]}x{shape[1]} pixels; square is supported")
    notes = [] if shape[1] else [f"it takes any size and is given {_USUAL_SIZE} pixels"]
    return int(shape[1] or _USUAL_SIZE), int(shape[3]), notes


def _scales_itself(model: Any) -> bool:
    """Tells whether pixels are made small before the first layer that has learned something."""
    for layer in leaves(model):
        if isinstance(layer, keras.layers.Rescaling):
            return bool(np.abs(layer.scale).max() <= _LARGEST_FACTOR)
        if isinstance(layer, _PREPROCESSING) or type(layer).__name__ in _ARITHMETIC:
            return True
        if getattr(layer, "weights", None):
            return False
    return False


def _ending(model: Any) -> tuple[str, str]:
    """Returns what a model's numbers have been through last, and the layer's name."""
    last = list(leaves(model))[-1]
    if isinstance(last, keras.layers.Softmax):
        return "softmax", last.name
    if not isinstance(last, keras.layers.Activation | keras.layers.Dense):
        return f"a {type(last).__name__} layer", last.name
    name = str(getattr(last.activation, "__name__", last.activation))
    if name == "linear" and isinstance(last, keras.layers.Activation):
        return "an Activation that does nothing", last.name
    return name, last.name
