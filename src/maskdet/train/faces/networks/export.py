"""The face detector's network as a TFLite file, and the form it has there."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.train.face_graph import FaceGraph, run_only
from maskdet.train.faces.networks.equalising import equalise
from maskdet.train.faces.networks.layers import BLOCK, Folding
from maskdet.train.faces.networks.registry import network_of

Precision = Literal["float32", "float16", "int8"]

# The converter turns padding followed by a stride of 2 into "same" wherever the two agree, which
# they do on odd maps only; at another size the graph would then be another network. Here all maps
# that are strided over are even.
_EXPORT_SIZE = 320


class _Exported(FaceGraph):
    """A face detector's network as a graph of one picture, BGR, of its size."""

    input_name = "pixels_bgr"

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        self._network = run_only(model)

    def __call__(self, pixels: Any) -> Any:
        """Gives what the model does, by the names it has for it."""
        return self._network(pixels)


def to_tflite(
    model: keras.Model, precision: Precision, calibration: Iterable[NDArray[np.uint8]] = ()
) -> bytes:
    """Exports the network for LiteRT, which resizes it to any input size when it loads it.

    Args:
        model: one of `maskdet.train.faces.networks.registry`, trained.
        precision: ``float32``, ``float16`` (weights stored in 16 bits, computed in 32) or
            ``int8``. The floats take float32 pixels, ``int8`` takes uint8 pixels.
        calibration: for ``int8``, (H, W, 3) BGR pictures that show what the network will see. They
            have to reach from 0 to 255, so that a pixel's value is its own code.

    Returns:
        The TFLite file; its signature names the outputs as the model does.
    """
    # In floats the blocks' zeros cost more than the gathering they save.
    network = network_of(model)
    fixed = (network.build_quantised if precision == "int8" else network.build)(_EXPORT_SIZE)
    copy_weights(model, fixed)
    shown = []
    if precision == "int8":
        shown = [cv2.resize(picture, (_EXPORT_SIZE, _EXPORT_SIZE)) for picture in calibration]
        if network.equalised:
            equalise(fixed, shown)
    # Of the model itself, the converter would save each layer first: three times as long.
    graph = _Exported(fixed)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.signature()], graph)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":

        def samples() -> Iterator[list[FloatArray]]:
            for picture in shown:
                yield [picture[np.newaxis].astype(np.float32)]

        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    exported: bytes = converter.convert()
    return exported


def copy_weights(model: keras.Model, target: keras.Model) -> None:
    """Gives a network the weights of another, so that it computes the same function.

    Args:
        model: one of `maskdet.train.faces.networks.registry`.
        target: the same, built for 8 bits or not; changed in place.

    With output (2Y + p) of a stride-2 convolution reaching from pixel 4Y + 2p - 3 to 4Y + 2p + 3,
    the pixels lie in the blocks Y - 1, Y and Y + 1 of four: each weight goes to the place of its
    pixel in them, and the others are 0.
    """
    blocked = any(isinstance(layer, Folding) for layer in target.layers)
    for layer in target.layers:
        if not layer.weights:
            continue
        weights = model.get_layer(layer.name).get_weights()
        if blocked and layer.name == "data_bn":
            weights = [np.tile(weights[0], (1, 1, BLOCK**2, 1)), np.tile(weights[1], BLOCK**2)]
        elif blocked and layer.name == "conv1_h":
            weights = [_blocked_kernel(weights[0]), np.tile(weights[1], 4)]
        layer.set_weights(weights)


def _blocked_kernel(kernel: FloatArray) -> FloatArray:
    """Returns the (3, 3, 48, 4 F) kernel on blocks that does what a (7, 7, 3, F) one does."""
    size, _, channels, filters = kernel.shape
    moved = np.zeros((3, 3, BLOCK, BLOCK, channels, 2, 2, filters), np.float32)
    for p, q, y, x in np.ndindex(2, 2, size, size):
        (block_y, inner_y), (block_x, inner_x) = (
            divmod(2 * half + place - size // 2 + BLOCK, BLOCK) for half, place in ((p, y), (q, x))
        )
        moved[block_y, block_x, inner_y, inner_x, :, p, q] = kernel[y, x]
    return moved.reshape(3, 3, BLOCK**2 * channels, 4 * filters)
