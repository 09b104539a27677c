"""Keras model to TFLite: scaling, probabilities, logits and class activation maps in one graph.

The map of a class follows in closed form, because everything between the last feature map and the
logit is linear up to one ReLU, whose gate is known: see `Exported`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.util import modify_model_io_type

from maskdet.train.classifier.model import HEAD_LAYERS
from maskdet.train.face_graph import FaceGraph, run_only
from maskdet.train.quiet import no_native_output
from maskdet.vision.preprocessing import UInt8Array

# Operations that an int8 file leaves in float: those of the head and its maps, so that the maps add
# up to the logits in every file. The graph is written so that nothing else occurs in the head; of
# these a backbone has none but the means and reshapes of squeeze-and-excitation, on few numbers.
_FLOAT_OPS = [
    "BATCH_MATMUL",
    "FULLY_CONNECTED",
    "GREATER",
    "MEAN",
    "RESHAPE",
    "SELECT_V2",
    "SOFTMAX",
    "TRANSPOSE",
]


class Exported(FaceGraph):
    """The graph of the exported file.

    For class c, with F the last feature map, P its positions, W1, b1 and W2, b2 the two dense
    layers and g the gate (1 where the hidden unit is above 0)::

        v_c     = W1 (g * W2[:, c])
        cam_c   = F . v_c                                  at each position
        logit_c = mean(cam_c) + W2[:, c] . (g * b1) + b2[c]

    where a network flattens its map instead of averaging it, W1 has a block for each position and
    the map is scaled by P, so that the last line holds as well.

    Args:
        model: (B, S, S, 3) in [-1, 1] to (B, C), with the layers of `HEAD_LAYERS`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        pool = next(
            layer
            for layer in model.layers
            if layer.name.startswith(("average_pooling2d", "flatten"))
        )
        self._averages = pool.name.startswith("average_pooling2d")
        self._maps = run_only(tf.keras.Model(model.input, pool.input))
        self._hidden, self._last = (model.get_layer(name) for name in HEAD_LAYERS)

    def __call__(self, face: Any) -> dict[str, Any]:
        """Takes (1, S, S, 3) RGB in 0..255; gives probabilities, logits and maps."""
        maps = self._maps(face / 127.5 - 1.0)
        _, height, width, channels = maps.shape
        places = height * width
        positions = tf.reshape(maps, (places, channels))
        if self._averages:
            features = tf.reduce_mean(positions, axis=0, keepdims=True)
        else:
            features = tf.reshape(maps, (1, places * channels))
        before = features @ self._hidden.kernel + self._hidden.bias
        logits = tf.nn.relu(before) @ self._last.kernel + self._last.bias
        # Selected, not multiplied: see `_FLOAT_OPS`.
        gated = tf.where(before > 0, tf.transpose(self._last.kernel), 0.0)  # (C, units)
        # (C, channels), or (C, places x channels) scaled by the number of places.
        weights = gated @ tf.transpose(self._hidden.kernel * (1 if self._averages else places))
        if self._averages:
            cam = positions @ tf.transpose(weights)
        else:
            blocks = tf.reshape(weights, (-1, places, channels))
            cam = tf.einsum("pk,cpk->pc", positions, blocks)
        return {
            "probabilities": tf.nn.softmax(logits),
            "logits": logits,
            "cam": tf.reshape(cam, (1, height, width, -1)),
        }


def export(model: Any, precision: str, calibration: Sequence[UInt8Array] = ()) -> bytes:
    """Converts a model.

    Args:
        model: see `Exported`.
        precision: one of `maskdet.train.classifier.options.PRECISIONS`; float16 stores weights at
            half size and computes in float32.
        calibration: (S, S, 3) uint8 RGB training pictures that show int8 the range of each layer.

    Returns:
        The bytes of a TFLite file with input ``face``: (1, S, S, 3) RGB 0..255, float32, or uint8
        for int8, and outputs ``probabilities`` (1, C), ``logits`` (1, C), ``cam`` (1, H, W, C), all
        float32.
    """
    module = Exported(model)
    with no_native_output():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([module.signature()], module)
        if precision == "int8":
            return _quantise(converter, calibration)
        if precision == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def _quantise(converter: Any, calibration: Sequence[UInt8Array]) -> bytes:
    """Quantises the backbone to int8 and leaves the head in float."""

    def samples() -> Iterator[list[Any]]:
        for picture in calibration:
            yield [picture[np.newaxis].astype(np.float32)]
        # Black beside white, so that the input's range is exactly 0..255 and its scale exactly 1.
        extremes = np.zeros((1, *calibration[0].shape), np.float32)
        extremes[:, ::2] = 255
        yield [extremes]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=samples,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPS),
    )
    # The debugger leaves the input in float, which costs a cast a face.
    quantised = debugger.get_nondebug_quantized_model()
    return bytes(modify_model_io_type(quantised, tf.uint8, tf.float32))
