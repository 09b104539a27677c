"""What follows a model's last map, where it is linear up to ReLUs: exact maps come from that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from maskdet.detections import FloatArray

_Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Head:
    """A head that maps can be made of.

    Attributes:
        features: the last map, a symbolic tensor (B, h, w, K).
        shares: (h w,) what each place weighs in the pooled features; ``None`` where the map is
            flattened and each place has weights of its own.
        steps: what is done to the features up to the logits, in order.
    """

    features: Any
    shares: FloatArray | None
    steps: "tuple[Affine | None, ...]"


@dataclass(frozen=True)
class Affine:
    """A step x W + b; a step that is ``None`` is a ReLU.

    Attributes:
        kernel: (I, O), or (I,) for a factor a feature.
        bias: (O,).
    """

    kernel: FloatArray
    bias: FloatArray


def read_head(model: Any) -> Head | str:
    """Finds the head of a flat model.

    Args:
        model: what `maskdet.train.others.canonical.canonical` returns.

    Returns:
        The head, or why exact maps cannot be made of it.
    """
    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    maps = [
        n for n, x in enumerate(layers) if len(x.output.shape) == 4 and max(x.output.shape[1:3]) > 1
    ]
    if not maps:
        return "it has no map between a picture and its labels"
    last = layers[maps[-1]]
    tensor, shares, steps = last.output, None, []
    for layer in layers[maps[-1] + 1 : -1]:
        if layer.input is not tensor:
            return f"its layer {layer.name!r} does not follow its last map"
        tensor = layer.output
        pooled = _shares(layer)
        if pooled is not None:
            shares = pooled
            continue
        found = _steps(layer)
        if isinstance(found, str):
            return found
        steps += found
    return Head(last.output, shares, tuple(steps))


def run_head(head: Head, maps: Any) -> tuple[Any, Any]:
    """Computes the logits and class activation maps of one face.

    The gate of each ReLU is known, and with it the line from the map to each logit. A place weighs
    in the pooled features by its share, so the map is scaled by the number of places, and its mean
    and the biases that pass the gates add up to the logit.

    Args:
        head: of the model.
        maps: (1, h, w, K) its last map.

    Returns:
        (1, C) logits and (1, h, w, C) maps.
    """
    _, height, width, channels = maps.shape
    places = height * width
    positions = tf.reshape(maps, (places, channels))
    if head.shares is None:
        value = tf.reshape(maps, (1, places * channels))
    else:
        value = tf.reshape(head.shares, (1, places)) @ positions
    gates = []
    for step in head.steps:
        if step is None:
            gates.append(value > 0)
            value = tf.nn.relu(value)
        elif step.kernel.ndim == 1:
            value = value * step.kernel + step.bias
        else:
            value = value @ step.kernel + step.bias
    weights = tf.eye(value.shape[1])  # (C, features), from the logits back to the map
    for step in reversed(head.steps):
        if step is None:
            weights = tf.where(gates.pop(), weights, 0.0)
        elif step.kernel.ndim == 1:
            weights = weights * step.kernel
        else:
            weights = weights @ step.kernel.T
    if head.shares is None:
        blocks = tf.reshape(weights, (-1, places, channels))
        cams = tf.einsum("pk,cpk->pc", positions, blocks) * float(places)
    else:
        cams = positions @ tf.transpose(weights) * (head.shares[:, np.newaxis] * places)
    return value, tf.reshape(cams, (1, height, width, -1))


def _shares(layer: Any) -> FloatArray | None:
    """Returns what each place of a map weighs in a layer that pools it to one place."""
    pools = keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D
    if not isinstance(layer, pools) or len(layer.input.shape) != 4:
        return None
    _, height, width, _ = layer.input.shape
    if height * width == 1:
        return None
    place = tf.zeros((1, height, width, 1))
    with tf.GradientTape() as tape:
        tape.watch(place)
        pooled = layer(place)
    return np.asarray(tape.gradient(pooled, place), np.float32).reshape(-1)


def _steps(layer: Any) -> list[Affine | None] | str:
    """Returns what a layer does in steps, or why that cannot be said in them."""
    what = f"its head has a {type(layer).__name__} layer ({layer.name})"
    single = all(side == 1 for side in layer.input.shape[1:-1])
    pools = keras.layers.AveragePooling2D | keras.layers.GlobalAveragePooling2D
    if isinstance(layer, keras.layers.Dropout | keras.layers.Flatten | keras.layers.Identity):
        return []
    if single and isinstance(layer, pools):
        return []
    if isinstance(layer, keras.layers.ReLU):
        plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
        return [None] if plain else what
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    gate: list[Affine | None] = [None] if activation == "relu" else []
    if isinstance(layer, keras.layers.Activation | keras.layers.Dense) and activation not in (
        "relu",
        "linear",
    ):
        return f"its layer {layer.name} has the activation {activation}"
    if isinstance(layer, keras.layers.Activation):
        return gate
    if isinstance(layer, keras.layers.Dense):
        kernel = np.asarray(layer.kernel)
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.units, np.float32)
        return [Affine(kernel, bias), *gate]
    if (
        isinstance(layer, keras.layers.BatchNormalization)
        and single
        and layer.axis in (-1, len(layer.input.shape) - 1)
    ):
        variance, mean = np.asarray(layer.moving_variance), np.asarray(layer.moving_mean)
        scale = 1 / np.sqrt(variance + layer.epsilon)
        scale = scale * np.asarray(layer.gamma) if layer.scale else scale
        shift = np.asarray(layer.beta) if layer.center else 0
        return [Affine(scale.astype(np.float32), (shift - mean * scale).astype(np.float32))]
    return what
