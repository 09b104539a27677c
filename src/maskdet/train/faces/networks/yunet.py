"""YuNet's weights, as OpenCV publishes them, in the network of `light`, beside this file.

The network starts as the same function as YuNet's body. Units that are wider than YuNet's repeat
its channels, each of the repeated inputs weighted with a share of the original weight (Chen et al.,
"Net2Net: Accelerating Learning via Knowledge Transfer", 2016); the shares are drawn, so that the
copies learn different things. Added units start as doing nothing. The box heads start as YuNet's,
expressed as offsets from the prior boxes; the score heads, as its logits of "a face" and "an
object", are near enough to learn from.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from maskdet.detections import FloatArray
from maskdet.errors import ModelError
from maskdet.train.faces.networks.light import (
    ADDED_UNITS,
    YUNET_CHANNELS,
    added_name,
    head_name,
    widening,
)
from maskdet.train.faces.networks.res10 import FINE_PRIOR_BOXES

YUNET_STRIDES = (8, 16, 32)
"""Strides of the maps YuNet has heads on."""

# What each unit's channels are mixed from, where it is not the unit before it.
_INPUT_OF = {"joined16": "stride16_b", "joined8": "stride8_b"}

_CONVOLUTIONS = 53
_EVENNESS = 8.0  # of the shares of repeated channels: their standard deviation is about 0.12 of 0.5

Convolution = tuple[FloatArray, FloatArray]
"""Kernel, (H, W, inputs, outputs), a depthwise one (H, W, channels, 1); and bias, (outputs,)."""

Head = tuple[Convolution, Convolution]
"""The 1x1 and the depthwise convolution of one."""


def read_yunet(path: Path) -> list[Convolution]:
    """Reads the convolutions of YuNet's file in their order.

    Args:
        path: ``face_detection_yunet_2023mar.onnx`` of OpenCV's model zoo.

    Raises:
        ModelError: it is not there, or not that network.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        # OpenCV's newer engine does not give the weights away.
        network = cv2.dnn.readNetFromONNX(str(path), cv2.dnn.ENGINE_CLASSIC)
        found = [
            (network.getParam(name, 0), network.getParam(name, 1).reshape(-1))
            for name in network.getLayerNames()
            if network.getLayer(name).type == "Convolution"
        ]
    except cv2.error as error:
        raise ModelError(f"{path}: is not a YuNet model ({error.err})") from None
    if len(found) != _CONVOLUTIONS:
        raise ModelError(f"{path}: has {len(found)} convolutions, YuNet {_CONVOLUTIONS}")
    # ONNX has (outputs, inputs, H, W), of a depthwise one (channels, 1, H, W).
    return [
        (kernel.transpose((2, 3, 0, 1) if kernel.shape[1] == 1 else (2, 3, 1, 0)), bias)
        for kernel, bias in found
    ]


def load_yunet_weights(
    model: keras.Model, convolutions: Sequence[Convolution], *, seed: int = 0
) -> None:
    """Sets the weights of `build_light_ssd`'s model from those of YuNet.

    Args:
        model: changed in place.
        convolutions: what `read_yunet` returned.
        seed: of how weights are shared among repeated channels.

    Raises:
        ValueError: an array is of another shape than the layer's.
    """
    random = np.random.default_rng(seed)
    left = iter(convolutions)
    before = ""
    for unit in YUNET_CHANNELS:
        times = widening(unit)
        kernel, bias = next(left)
        if not before:
            _set(model, unit, np.tile(kernel, times), np.tile(bias, times))
        else:
            shared = _shared(np.tile(kernel, times), widening(_INPUT_OF.get(unit, before)), random)
            _set(model, f"{unit}_mix", shared, np.tile(bias, times))
            kernel, bias = next(left)
            _set(model, f"{unit}_look", np.tile(kernel, (times, 1)), np.tile(bias, times))
        before = unit
    for stride, count in ADDED_UNITS.items():
        for number in range(count):
            look = model.get_layer(f"{added_name(stride, number)}_look")
            look.set_weights([np.zeros_like(weights) for weights in look.get_weights()])
    _pass_through(model, "joined64")

    # The file has the face heads of all maps first, then the box heads, then the object heads.
    heads = {
        (kind, stride): (next(left), next(left))
        for kind in ("face", "box", "object")
        for stride in YUNET_STRIDES
    }
    times = widening("joined8")
    for index, step in enumerate(FINE_PRIOR_BOXES.steps):
        stride = min(int(step), YUNET_STRIDES[-1])
        sides = FINE_PRIOR_BOXES.cell_sizes(index)
        face, box, thing = (heads[kind, stride] for kind in ("face", "box", "object"))
        scores = [_negative(thing), face] * len(sides)
        offsets = [_from_prior(box, stride, prior) for prior in sides]
        for kind, parts in (("loc", offsets), ("conf", scores)):
            mixes, looks = zip(*parts, strict=True)
            mix, mix_bias = (np.concatenate(arrays, axis=-1) for arrays in zip(*mixes, strict=True))
            look = np.concatenate([kernel for kernel, _ in looks], axis=2)
            look_bias = np.concatenate([bias for _, bias in looks])
            name = head_name(kind, index)
            _set(model, f"{name}_mix", _shared(mix, times, random), mix_bias)
            _set(model, f"{name}_look", look, look_bias)


def _set(model: keras.Model, layer: str, kernel: FloatArray, bias: FloatArray) -> None:
    model.get_layer(layer).set_weights([kernel, bias])


def _shared(kernel: FloatArray, times: int, random: np.random.Generator) -> FloatArray:
    """Repeats a 1x1 kernel's inputs, each repetition with its share of every weight."""
    inputs, outputs = kernel.shape[2:]
    shares = random.dirichlet(np.full(times, _EVENNESS), size=(inputs, outputs))
    return np.concatenate([kernel * shares[..., number] for number in range(times)], axis=2)


def _pass_through(model: keras.Model, unit: str) -> None:
    """Makes a unit give out what it takes in."""
    mix, look = (model.get_layer(f"{unit}_{part}") for part in ("mix", "look"))
    kernel, bias = mix.get_weights()
    mix.set_weights([np.eye(*kernel.shape[2:], dtype=np.float32)[None, None], 0 * bias])
    kernel, bias = look.get_weights()
    kernel[:] = 0
    kernel[1, 1] = 1
    look.set_weights([kernel, 0 * bias])


def _negative(head: Head) -> Head:
    mix, (kernel, bias) = head
    return mix, (-kernel, -bias)


def _from_prior(head: Head, stride: int, prior: FloatArray) -> Head:
    """Expresses YuNet's boxes as offsets from a prior box.

    YuNet gives the centre's distance from its cell's corner in strides, and the logarithm of the
    sides in strides; a prior box lies in the middle of its cell.
    """
    mix, (kernel, bias) = head
    variances = np.array(FINE_PRIOR_BOXES.variances)
    gain = np.concatenate([stride / prior, [1, 1]]) / variances
    shift = np.concatenate([-stride / 2 / prior, np.log(stride / prior)]) / variances
    return mix, (
        (kernel * gain[:, None]).astype(np.float32),
        (bias * gain + shift).astype(np.float32),
    )
