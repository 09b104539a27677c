"""A few layers of MobileNetV2's names, to stand in its place where it would take too long."""

from typing import Any

import keras


def small_backbone(input_shape: tuple[int | None, ...], **_: object) -> Any:
    """Returns a network of three convolutions; takes what `keras.applications.MobileNetV2` does."""
    tensor = inputs = keras.Input(input_shape)
    momentum = 0.999  # as there
    for name, filters, stride in (("Conv1", 8, 8), ("block_16_expand", 16, 2), ("out", 16, 2)):
        tensor = keras.layers.Conv2D(filters, 3, stride, padding="same", name=name)(tensor)
        tensor = keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_BN")(tensor)
        tensor = keras.layers.ReLU(6.0, name=f"{name}_relu")(tensor)
    return keras.Model(inputs, tensor)
