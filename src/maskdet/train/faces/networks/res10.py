"""The face detector's network as a Keras graph: SSD on a cut-down ResNet-10, at any input size.

The layers carry the names of the public Caffe model ``res10_300x300_ssd_iter_140000``, so that its
weights load by name. Batch normalisation is folded away: into the convolution before it, or, where
it stands before a convolution or an addition's ReLU, into a per-channel affine step.

References: Liu et al., "SSD: Single Shot MultiBox Detector" (2016); He et al., "Identity Mappings
in Deep Residual Networks" (2016), for the order normalisation, ReLU, convolution.
"""

from typing import Any

import keras

from maskdet.train.faces.networks.layers import (
    ChannelNormalization,
    Folding,
    Unfolding,
    affine,
    convolution,
)
from maskdet.vision.faces.prior_boxes import PriorBoxSpec

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

_SOURCES = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")
_FINE_SOURCES = ("fine_small", "fine_medium")
_STEM = 32  # channels of the first map
_FINE_CHANNELS = 64
RES10_NAME, FINE_NAME = "ssd_res10", "ssd_fine"
"""Of the Keras model without heads for small faces and with them."""


def build_ssd(
    input_size: int | None = None, *, fine: bool = False, blocked: bool = False
) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        input_size: side of the square input in pixels; None leaves both sides open.
        fine: adds two heads for small faces. They read the finest map joined with the next one,
            which knows more of what is around a face, doubled (Lin et al., "Feature Pyramid
            Networks for Object Detection", 2017). Sides have to be multiples of `FINE_MULTIPLE`.
        blocked: computes the first convolution on blocks of 4x4 pixels, see
            `maskdet.train.faces.networks.export.copy_weights`. Sides have to be multiples of
            `maskdet.train.faces.networks.layers.BLOCK`.

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

    branch = convolution(features, "layer_64_1_conv1_h", 32, 3)
    branch = convolution(branch, "layer_64_1_conv2_h", 32, 3, relu=False, bias=False)
    features = keras.layers.Add(name="layer_64_1_sum")([branch, features])

    features = affine(features, "layer_128_1_bn1_h")
    branch = convolution(features, "layer_128_1_conv1_h", 128, 3, stride=2)
    branch = convolution(branch, "layer_128_1_conv2", 128, 3, relu=False, bias=False)
    features = convolution(
        features, "layer_128_1_conv_expand_h", 128, 1, stride=2, relu=False, bias=False
    )
    features = keras.layers.Add(name="layer_128_1_sum")([branch, features])

    features = affine(features, "layer_256_1_bn1")
    finest = ChannelNormalization(name="conv4_3_norm")(features)
    branch = convolution(features, "layer_256_1_conv1", 256, 3, stride=2)
    branch = convolution(branch, "layer_256_1_conv2", 256, 3, relu=False, bias=False)
    features = convolution(
        features, "layer_256_1_conv_expand", 256, 1, stride=2, relu=False, bias=False
    )
    features = keras.layers.Add(name="layer_256_1_sum")([branch, features])

    features = affine(features, "layer_512_1_bn1")
    branch = convolution(features, "layer_512_1_conv1_h", 128, 3)
    branch = convolution(branch, "layer_512_1_conv2_h", 256, 3, dilation=2, relu=False, bias=False)
    features = convolution(features, "layer_512_1_conv_expand_h", 256, 1, relu=False, bias=False)
    features = keras.layers.Add(name="layer_512_1_sum")([branch, features])
    maps = [finest, affine(features, "last_bn_h")]

    for block, narrow, wide, stride in (
        (6, 128, 256, 2),
        (7, 64, 128, 2),
        (8, 64, 128, 1),
        (9, 64, 128, 1),
    ):
        features = convolution(maps[-1], f"conv{block}_1_h", narrow, 1)
        maps.append(convolution(features, f"conv{block}_2_h", wide, 3, stride=stride))

    sources: tuple[str, ...] = _SOURCES
    if fine:
        above = convolution(maps[1], "fine_above", 4 * _FINE_CHANNELS, 1, relu=False)
        beside = convolution(maps[0], "fine_beside", _FINE_CHANNELS, 1, relu=False)
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
            heads[f"{kind}_{index}"] = convolution(
                maps[index], name, priors * values, 3, relu=False
            )
    return keras.Model(pixels, heads, name=FINE_NAME if fine else RES10_NAME)


def _stem(pixels: Any) -> Any:
    return convolution(affine(pixels, "data_bn", relu=False), "conv1_h", _STEM, 7, stride=2)


def _blocked_stem(pixels: Any) -> Any:
    """The same map as `_stem`, two rows and two columns of it computed at each position.

    A 7x7 convolution of three channels gathers 49 snippets of three numbers for each position,
    which processors do badly: in 8 bits it took half of the whole network's time. Gathered in
    blocks it is a 3x3 convolution of 48 channels, with more multiplications, in a fifth of the
    time.
    """
    features = affine(Folding(name="blocks")(pixels), "data_bn", relu=False)
    features = keras.layers.ZeroPadding2D(1, name="conv1_h_pad")(features)
    features = keras.layers.Conv2D(4 * _STEM, 3, activation="relu", name="conv1_h")(features)
    return Unfolding(name="conv1_unfold")(features)
