"""The face detector's network as a Keras graph: SSD on a cut-down ResNet-10, at any input size.

The layers carry the names of the public Caffe model ``res10_300x300_ssd_iter_140000``, so that its
weights load by name. Batch normalisation is folded away: into the convolution before it, or, where
it stands before a convolution or an addition's ReLU, into a per-channel affine step.

References: Liu et al., "SSD: Single Shot MultiBox Detector" (2016); He et al., "Identity Mappings
in Deep Residual Networks" (2016), for the order normalisation, ReLU, convolution.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.vision.prior_boxes import PriorBoxSpec

Precision = Literal["float32", "float16", "int8"]

INPUT_MEAN_BGR = (104.0, 177.0, 123.0)
"""What the network was trained to have subtracted from its 0..255 input; the graph does it."""

CLASSES = 2  # background, face
RES10_PRIOR_BOXES = PriorBoxSpec(
    steps=(8, 16, 32, 64, 100, 300),
    sizes=((30, 60), (60, 111), (111, 162), (162, 213), (213, 264), (264, 315)),
    aspect_ratios=((2,), (2, 3), (2, 3), (2, 3), (2,), (2,)),
    variances=(0.1, 0.1, 0.2, 0.2),
)

# The public network's two last maps have priors spread wider than their cells, most of them outside
# the picture; here they lie where the cells look. Two finer heads come first: half the faces of a
# street are narrower than half the public network's smallest prior.
FINE_PRIOR_BOXES = PriorBoxSpec(
    steps=(8, 8, 8, 16, 32, 64, 64, 64),
    sizes=((8, 18), (16, 30), *RES10_PRIOR_BOXES.sizes),
    aspect_ratios=((2,), (2,), *RES10_PRIOR_BOXES.aspect_ratios),
    variances=RES10_PRIOR_BOXES.variances,
)
FINE_MULTIPLE = 16
"""Sides of the input the fine network takes: it adds a map to one of half its size, doubled."""

BLOCK = 4
"""Side of the blocks of pixels an exported network reads; its input's sides are multiples of it."""

# The converter turns padding followed by a stride of 2 into "same" wherever the two agree, which
# they do on odd maps only; at another size the graph would then be another network. Here all maps
# that are strided over are even.
_EXPORT_SIZE = 320

_BATCH_NORM_EPSILON = 1e-5  # Caffe's default
_CONV4_3_SCALE_START = 20.0  # Liu et al., section 3.1

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
_SOURCES = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")
_FINE_SOURCES = ("fine_small", "fine_medium")
_STEM = 32  # channels of the first map
_FINE_CHANNELS = 64
_FINE_NAME = "ssd_fine"


@keras.saving.register_keras_serializable("maskdet")
class ChannelNormalization(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Scales each position's channel vector to length 1, then each channel by a learned factor."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the (C,) factors."""
        self.scale = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(_CONV4_3_SCALE_START),
            name="scale",
        )

    def call(self, features: Any) -> Any:
        """Returns the normalised (N, H, W, C) features."""
        # In 32 bits even where the network computes in 16: a sum of squares loses too much there.
        lengths = tf.nn.l2_normalize(tf.cast(features, tf.float32), axis=-1, epsilon=1e-10)
        return tf.cast(lengths, features.dtype) * self.scale


@keras.saving.register_keras_serializable("maskdet")
class Folding(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Makes each block of `BLOCK` x `BLOCK` positions one position with all their channels."""

    def call(self, features: Any) -> Any:
        """Returns (N, H / 4, W / 4, 16 C) of (N, H, W, C) features."""
        return tf.nn.space_to_depth(features, BLOCK)


@keras.saving.register_keras_serializable("maskdet")
class Unfolding(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Doubles a map's sides, a quarter of its channels filling each of the four new positions.

    Unlike an upsampling layer it has no picture size written into an exported graph.
    """

    def call(self, features: Any) -> Any:
        """Returns (N, 2H, 2W, C / 4) of (N, H, W, C) features."""
        return tf.nn.depth_to_space(features, 2)


@keras.saving.register_keras_serializable("maskdet")
class DilatedConvolution(keras.layers.Conv2D):  # type: ignore[misc]  # Keras ships no types
    """A dilated convolution without bias that stays one operation in an exported graph.

    Keras's own turns into space-to-batch and back, with the picture's size written into it. In
    training it has to: the gradient of the one operation exists on GPUs and, on processors, only
    where TensorFlow computes with oneDNN, which depends on what they can do.
    """

    def call(self, features: Any, training: bool = False) -> Any:
        """Returns the (N, H, W, filters) convolution of (N, H, W, C) features."""
        if training:
            return super().call(features)
        return tf.nn.conv2d(features, self.kernel, 1, "SAME", dilations=self.dilation_rate)


def prior_box_spec(model: keras.Model) -> PriorBoxSpec:
    """Returns the prior boxes of what `build_ssd` returned."""
    return FINE_PRIOR_BOXES if is_fine(model) else RES10_PRIOR_BOXES


def is_fine(model: keras.Model) -> bool:
    """Tells whether `build_ssd` gave a network heads for small faces."""
    return bool(model.name == _FINE_NAME)


def build_ssd(
    input_size: int | None = None, *, fine: bool = False, blocked: bool = False
) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        input_size: side of the square input in pixels; None leaves both sides open.
        fine: adds two heads for small faces. They read the finest map joined with the next one,
            which knows more of what is around a face, doubled (Lin et al., "Feature Pyramid
            Networks for Object Detection", 2017). Sides have to be multiples of `FINE_MULTIPLE`.
        blocked: computes the first convolution on blocks of 4x4 pixels, see `copy_weights`. Sides
            have to be multiples of `BLOCK`.

    Returns:
        A model that takes (N, H, W, 3) float32 BGR pixels, 0..255, and gives a dictionary of the
        raw head maps: ``loc_0`` to ``loc_5``, (N, h, w, priors x 4) box offsets, and ``conf_0`` to
        ``conf_5``, (N, h, w, priors x 2) logits of background and face, from the finest map to
        the coarsest; with fine heads up to ``loc_7`` and ``conf_7``. They are left in maps,
        unjoined, so that an exported graph can be resized and that a quantised one has a scale
        for every head.
    """
    pixels = keras.Input((input_size, input_size, 3), name="pixels_bgr")
    # The padding stands behind the affine step, as in Caffe: the border is zero after it.
    features = _blocked_stem(pixels) if blocked else _stem(pixels)
    # Caffe rounds a pooled map's size up. Zeros do no harm, what is pooled went through a ReLU.
    features = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pool_pad")(features)
    features = keras.layers.MaxPooling2D(3, 2, name="conv1_pool")(features)

    branch = _convolution(features, "layer_64_1_conv1_h", 32, 3)
    branch = _convolution(branch, "layer_64_1_conv2_h", 32, 3, relu=False, bias=False)
    features = keras.layers.Add(name="layer_64_1_sum")([branch, features])

    features = _affine(features, "layer_128_1_bn1_h")
    branch = _convolution(features, "layer_128_1_conv1_h", 128, 3, stride=2)
    branch = _convolution(branch, "layer_128_1_conv2", 128, 3, relu=False, bias=False)
    features = _convolution(
        features, "layer_128_1_conv_expand_h", 128, 1, stride=2, relu=False, bias=False
    )
    features = keras.layers.Add(name="layer_128_1_sum")([branch, features])

    features = _affine(features, "layer_256_1_bn1")
    finest = ChannelNormalization(name="conv4_3_norm")(features)
    branch = _convolution(features, "layer_256_1_conv1", 256, 3, stride=2)
    branch = _convolution(branch, "layer_256_1_conv2", 256, 3, relu=False, bias=False)
    features = _convolution(
        features, "layer_256_1_conv_expand", 256, 1, stride=2, relu=False, bias=False
    )
    features = keras.layers.Add(name="layer_256_1_sum")([branch, features])

    features = _affine(features, "layer_512_1_bn1")
    branch = _convolution(features, "layer_512_1_conv1_h", 128, 3)
    branch = _convolution(branch, "layer_512_1_conv2_h", 256, 3, dilation=2, relu=False, bias=False)
    features = _convolution(features, "layer_512_1_conv_expand_h", 256, 1, relu=False, bias=False)
    features = keras.layers.Add(name="layer_512_1_sum")([branch, features])
    maps = [finest, _affine(features, "last_bn_h")]

    for block, narrow, wide, stride in (
        (6, 128, 256, 2),
        (7, 64, 128, 2),
        (8, 64, 128, 1),
        (9, 64, 128, 1),
    ):
        features = _convolution(maps[-1], f"conv{block}_1_h", narrow, 1)
        maps.append(_convolution(features, f"conv{block}_2_h", wide, 3, stride=stride))

    sources: tuple[str, ...] = _SOURCES
    if fine:
        above = _convolution(maps[1], "fine_above", 4 * _FINE_CHANNELS, 1, relu=False)
        beside = _convolution(maps[0], "fine_beside", _FINE_CHANNELS, 1, relu=False)
        joined = keras.layers.Add(name="fine_sum")([Unfolding(name="fine_double")(above), beside])
        joined = keras.layers.ReLU(name="fine")(joined)
        maps = [joined, joined, *maps]
        sources = (*_FINE_SOURCES, *_SOURCES)
    spec = FINE_PRIOR_BOXES if fine else RES10_PRIOR_BOXES
    heads = {}
    for index, source in enumerate(sources):
        priors = len(spec.cell_sizes(index))
        for kind, values in (("loc", 4), ("conf", CLASSES)):
            name = f"{source}_mbox_{kind}"
            heads[f"{kind}_{index}"] = _convolution(
                maps[index], name, priors * values, 3, relu=False
            )
    return keras.Model(pixels, heads, name=_FINE_NAME if fine else "ssd_res10")


def _stem(pixels: Any) -> Any:
    return _convolution(_affine(pixels, "data_bn", relu=False), "conv1_h", _STEM, 7, stride=2)


def _blocked_stem(pixels: Any) -> Any:
    """The same map as `_stem`, two rows and two columns of it computed at each position.

    A 7x7 convolution of three channels gathers 49 snippets of three numbers for each position,
    which processors do badly: in 8 bits it took half of the whole network's time. Gathered in
    blocks it is a 3x3 convolution of 48 channels, with more multiplications, in a fifth of the
    time.
    """
    features = _affine(Folding(name="blocks")(pixels), "data_bn", relu=False)
    features = keras.layers.ZeroPadding2D(1, name="conv1_h_pad")(features)
    features = keras.layers.Conv2D(4 * _STEM, 3, activation="relu", name="conv1_h")(features)
    return Unfolding(name="conv1_unfold")(features)


def copy_weights(model: keras.Model, target: keras.Model) -> None:
    """Gives a network built with or without `blocked` the weights of one built without.

    Either computes the same function.

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


def to_tflite(
    model: keras.Model, precision: Precision, calibration: Iterable[NDArray[np.uint8]] = ()
) -> bytes:
    """Exports the network for LiteRT, which resizes it to any input size when it loads it.

    Args:
        model: what `build_ssd` returned, trained.
        precision: ``float32``, ``float16`` (weights stored in 16 bits, computed in 32) or
            ``int8``. The floats take float32 pixels, ``int8`` takes uint8 pixels.
        calibration: for ``int8``, (H, W, 3) BGR pictures that show what the network will see. They
            have to reach from 0 to 255, so that a pixel's value is its own code.

    Returns:
        The TFLite file; its signature names the outputs as `build_ssd` does.
    """
    # In floats the blocks' zeros cost more than the gathering they save.
    fixed = build_ssd(_EXPORT_SIZE, fine=is_fine(model), blocked=precision == "int8")
    copy_weights(model, fixed)
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":

        def samples() -> Iterator[list[FloatArray]]:
            for picture in calibration:
                squashed = cv2.resize(picture, (_EXPORT_SIZE, _EXPORT_SIZE))
                yield [squashed[np.newaxis].astype(np.float32)]

        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    exported: bytes = converter.convert()
    return exported


def _convolution(
    features: Any,
    name: str,
    filters: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    relu: bool = True,
    bias: bool = True,
) -> Any:
    if stride > 1 and kernel > 1:
        # Caffe pads both sides; "same" would pad an even map at its end only.
        features = keras.layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(features)
        padding = "valid"
    else:
        padding = "same"
    layer = keras.layers.Conv2D if dilation == 1 else DilatedConvolution
    return layer(
        filters,
        kernel,
        strides=stride,
        dilation_rate=dilation,
        padding=padding,
        activation="relu" if relu else None,
        use_bias=bias,
        name=name,
    )(features)


def _affine(features: Any, name: str, *, relu: bool = True) -> Any:
    """A gain and a shift for every channel, as a depthwise 1x1 convolution, then maybe a ReLU.

    As a convolution it is one operation with its ReLU, and quantised it keeps a scale a channel.
    """
    return keras.layers.DepthwiseConv2D(1, activation="relu" if relu else None, name=name)(features)


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
