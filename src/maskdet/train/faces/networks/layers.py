"""The layers of the face detector's network that Keras does not have as they are needed here."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

BLOCK = 4
"""Side of the blocks of pixels an exported network reads; its input's sides are multiples of it."""

_CONV4_3_SCALE_START = 20.0  # Liu et al., section 3.1


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
    """A dilated convolution, without bias or ReLU, that stays one operation in an exported graph.

    Keras's own turns into space-to-batch and back, with the picture's size written into it. In
    training it has to: the gradient of the one operation exists on GPUs and, on processors, only
    where TensorFlow computes with oneDNN, which depends on what they can do.
    """

    def call(self, features: Any, training: bool = False) -> Any:
        """Returns the (N, H, W, filters) convolution of (N, H, W, C) features."""
        if training:
            return super().call(features)
        return tf.nn.conv2d(features, self.kernel, 1, "SAME", dilations=self.dilation_rate)


@keras.saving.register_keras_serializable("maskdet")
class Doubling(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Doubles a map's sides, each value standing four times (nearest neighbour).

    As `Unfolding`, without a picture size in an exported graph.
    """

    def call(self, features: Any) -> Any:
        """Returns (N, 2H, 2W, C) of (N, H, W, C) features."""
        return tf.nn.depth_to_space(tf.concat([features] * 4, axis=-1), 2)


def convolution(
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
    """Adds a convolution, padded as Caffe pads.

    Args:
        features: (N, H, W, C) Keras tensor.
        name: of the layer.
        filters: channels of the result.
        kernel: side of its square kernel.
        stride: in both directions; the sides of the result are the input's divided by it.
        dilation: distance of the kernel's values.
        relu: whether a ReLU follows.
        bias: whether there is one.
    """
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


def affine(features: Any, name: str, *, relu: bool = True) -> Any:
    """A gain and a shift for every channel, as a depthwise 1x1 convolution, then maybe a ReLU.

    As a convolution it is one operation with its ReLU, and quantised it keeps a scale a channel.
    """
    return keras.layers.DepthwiseConv2D(1, activation="relu" if relu else None, name=name)(features)
