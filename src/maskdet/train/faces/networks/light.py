"""The light face detector's network as a Keras graph: YuNet's body, widened, with the SSD's heads.

Where the large network (`res10`, beside this file) multiplies every pixel of a neighbourhood by
every channel, this one mixes channels (a 1x1 convolution) and looks around (a depthwise 3x3 one) in
turn, which takes a fraction of the time, most of all on processors without fast 8-bit
multiplication. The heads and their prior boxes are those of the large network's version for small
faces, so that everything after the network is the same for both.

References: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023), for the body; Lin et
al., "Feature Pyramid Networks for Object Detection" (2017); He et al., "Deep Residual Learning for
Image Recognition" (2016), for the added units.
"""

from typing import Any

import keras

from maskdet.train.faces.networks.layers import Doubling
from maskdet.train.faces.networks.res10 import CLASSES, FINE_PRIOR_BOXES

LIGHT_NAME = "ssd_light"

MULTIPLE = 32
"""Sides of the input are multiples of it: maps of half a side are doubled and added to others."""

YUNET_CHANNELS = {
    "stride2_stem": 16,
    "stride2": 16,
    "stride4_a": 16,
    "stride4_b": 32,
    "stride4_c": 32,
    "stride4_d": 64,
    "stride8_a": 64,
    "stride8_b": 64,
    "stride16_a": 64,
    "stride16_b": 64,
    "stride32_a": 64,
    "stride32_b": 64,
    "joined32": 64,
    "joined16": 64,
    "joined8": 64,
}
"""Channels that YuNet's units have, in the order in which its file has them."""

# The first units work on the largest maps and find edges; more channels are worth their time only
# behind them.
_WIDENED_FROM_STRIDE = 8
_FACTOR = 2

ADDED_UNITS = {4: 1, 8: 2, 16: 2, 32: 2}
"""Stride of a map to the units added to it, for more depth and a wider view."""


def widening(unit: str) -> int:
    """Returns how many times as many channels as YuNet's a unit has here."""
    stride = int("".join(filter(str.isdigit, unit)))
    return _FACTOR if stride >= _WIDENED_FROM_STRIDE else 1


def added_name(stride: int, number: int) -> str:
    """Returns the name of an added unit."""
    return f"added{stride}_{number}"


def build_light_ssd(input_size: int | None = None) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        input_size: side of the square input in pixels, a multiple of `MULTIPLE`; None leaves both
            sides open.

    Returns:
        A model with the inputs and outputs of `res10.build_ssd` with fine heads.
    """
    channels = {unit: count * widening(unit) for unit, count in YUNET_CHANNELS.items()}

    def next_unit(features: Any, name: str) -> Any:
        return _unit(features, name, channels[name])

    pixels = keras.Input((input_size, input_size, 3), name="pixels_bgr")
    features = keras.layers.ZeroPadding2D(1, name="stride2_stem_pad")(pixels)
    features = keras.layers.Conv2D(
        channels["stride2_stem"], 3, strides=2, activation="relu", name="stride2_stem"
    )(features)
    features = next_unit(features, "stride2")
    maps = {}
    for stride, letters in ((4, "abcd"), (8, "ab"), (16, "ab"), (32, "ab")):
        features = keras.layers.MaxPooling2D(2, name=f"pool{stride}")(features)
        for letter in letters:
            features = next_unit(features, f"stride{stride}_{letter}")
        for number in range(ADDED_UNITS[stride]):
            features = _residual_unit(features, added_name(stride, number))
        maps[stride] = features

    joined = {32: next_unit(maps[32], "joined32")}
    for stride in (16, 8):
        above = Doubling(name=f"double{stride}")(joined[2 * stride])
        both = keras.layers.Add(name=f"sum{stride}")([maps[stride], above])
        joined[stride] = next_unit(both, f"joined{stride}")
    # A map's odd side is rounded up. Zeros do no harm, what is pooled went through a ReLU.
    features = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name="pool64_pad")(joined[32])
    features = keras.layers.MaxPooling2D(2, name="pool64")(features)
    joined[64] = _unit(features, "joined64", channels["joined32"])

    heads = {}
    for index, step in enumerate(FINE_PRIOR_BOXES.steps):
        priors = len(FINE_PRIOR_BOXES.cell_sizes(index))
        for kind, values in (("loc", 4), ("conf", CLASSES)):
            heads[f"{kind}_{index}"] = _unit(
                joined[round(step)], head_name(kind, index), priors * values, relu=False
            )
    return keras.Model(pixels, heads, name=LIGHT_NAME)


def head_name(kind: str, index: int) -> str:
    """Returns the name of a head's unit, `kind` out of ``loc`` and ``conf``."""
    return f"head{index}_{kind}"


def _unit(features: Any, name: str, channels: int, *, relu: bool = True) -> Any:
    features = keras.layers.Conv2D(channels, 1, name=f"{name}_mix")(features)
    return keras.layers.DepthwiseConv2D(
        3, padding="same", activation="relu" if relu else None, name=f"{name}_look"
    )(features)


def _residual_unit(features: Any, name: str) -> Any:
    branch = _unit(features, name, features.shape[-1], relu=False)
    total = keras.layers.Add(name=f"{name}_sum")([features, branch])
    return keras.layers.ReLU(name=f"{name}_relu")(total)
