"""The weights of the public Caffe model, folded into the network of `res10`, beside this file."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.train.faces.networks.layers import ChannelNormalization

INPUT_MEAN_BGR = (104.0, 177.0, 123.0)
"""What the network was trained to have subtracted from its 0..255 input; the graph does it."""

_BATCH_NORM_EPSILON = 1e-5  # Caffe's default

# Layer of this graph -> Caffe's BatchNorm and Scale layers that are folded into it.
_FOLDED_INTO_CONVOLUTION = {
    "conv1_h": ("conv1_bn_h", "conv1_scale_h"),
    "layer_64_1_conv1_h": ("layer_64_1_bn2_h", "layer_64_1_scale2_h"),
    "layer_128_1_conv1_h": ("layer_128_1_bn2", "layer_128_1_scale2"),
    "layer_256_1_conv1": ("layer_256_1_bn2", "layer_256_1_scale2"),
    "layer_512_1_conv1_h": ("layer_512_1_bn2_h", "layer_512_1_scale2_h"),
}
_FOLDED_INTO_AFFINE = {
    "data_bn": ("data_bn", "data_scale"),
    "layer_128_1_bn1_h": ("layer_128_1_bn1_h", "layer_128_1_scale1_h"),
    "layer_256_1_bn1": ("layer_256_1_bn1", "layer_256_1_scale1"),
    "layer_512_1_bn1": ("layer_512_1_bn1", "layer_512_1_scale1"),
    "last_bn_h": ("last_bn_h", "last_scale_h"),
}


def load_caffe_weights(
    model: keras.Model, blobs: Mapping[str, Sequence[NDArray[np.float32]]]
) -> None:
    """Sets the weights of `build_ssd`'s model from those of the Caffe model.

    Args:
        model: what `build_ssd` returned; changed in place.
        blobs: Caffe layer name to its arrays, in Caffe's order and layout.

    Raises:
        KeyError: a layer is missing from `blobs`.
        ValueError: an array is of another shape than the layer's.
    """
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name in _FOLDED_INTO_AFFINE:
            gain, shift = _batch_norm(blobs, *_FOLDED_INTO_AFFINE[layer.name])
            if layer.name == "data_bn":
                shift = shift - gain * np.array(INPUT_MEAN_BGR, np.float32)
            layer.set_weights([gain.reshape(1, 1, -1, 1), shift])
        elif isinstance(layer, ChannelNormalization):
            layer.set_weights([blobs[layer.name][0].reshape(-1)])
        else:
            layer.set_weights(_convolution_weights(blobs, layer.name))


def _batch_norm(
    blobs: Mapping[str, Sequence[NDArray[np.float32]]], norm: str, scale: str
) -> tuple[FloatArray, FloatArray]:
    """Returns the gain and shift, (C,) each, of a Caffe BatchNorm layer and its Scale layer."""
    mean, variance, factor = blobs[norm]
    gamma, beta = blobs[scale]
    # Caffe keeps running sums: the third blob is what they have to be divided by.
    mean, variance = mean / factor, variance / factor
    gain = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return gain.astype(np.float32), (beta - gain * mean).astype(np.float32)


def _convolution_weights(
    blobs: Mapping[str, Sequence[NDArray[np.float32]]], name: str
) -> list[FloatArray]:
    """Returns Keras's kernel and, where the layer has one, bias of a Caffe convolution."""
    kernel, *bias = blobs[name]
    kernel = kernel.transpose(2, 3, 1, 0)  # (output, input, H, W) to (H, W, input, output)
    if name not in _FOLDED_INTO_CONVOLUTION:
        return [kernel, *bias]
    gain, shift = _batch_norm(blobs, *_FOLDED_INTO_CONVOLUTION[name])
    return [kernel * gain, shift + gain * bias[0] if bias else shift]
