"""The backbones a classifier can have: those of Keras whose last map is pooled and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from maskdet import assets
from maskdet.errors import ModelError
from maskdet.train.classifier.options import BACKBONE_WEIGHTS, TrainOptions

# A map that is averaged and nothing else keeps heat maps exact. All take pixels from -1 to 1: those
# with a scaling of their own leave it out.
_BUILDERS = {
    "mobilenet_v2": ("MobileNetV2", {}),
    "mobilenet_v3_small": ("MobileNetV3Small", {"include_preprocessing": False}),
    "mobilenet_v3_large": ("MobileNetV3Large", {"include_preprocessing": False}),
    "efficientnet_v2_b0": ("EfficientNetV2B0", {"include_preprocessing": False}),
}

# What Keras's weights of EfficientNetV2B0 were trained on: colours less their mean over ImageNet,
# by their deviation there, both as shares of white.
_NORMALISED = {
    "efficientnet_v2_b0": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}

# Layers of MobileNetV2 and their filters at the usual width.
_FILTERS = {
    "Conv1": 32,
    "expanded_conv_project": 16,
    **{
        f"block_{number}_project": count
        for first, last, count in ((1, 2, 24), (3, 5, 32), (6, 9, 64), (10, 12, 96), (13, 15, 160))
        for number in range(first, last + 1)
    },
    "block_16_project": 320,
    "Conv_1": 1280,
}


def backbone(architecture: str, input_shape: Sequence[int | None], alpha: float) -> Any:
    """Returns a backbone with random weights.

    Args:
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES` with a backbone.
        input_shape: height, width, 3.
        alpha: width of MobileNetV2, as a share of the usual.
    """
    name, usual = _BUILDERS[architecture]
    more: dict[str, Any] = {"alpha": alpha} if architecture == "mobilenet_v2" else dict(usual)
    if architecture in _NORMALISED:
        mean, deviation = map(np.array, _NORMALISED[architecture])
        # From -1 to 1 a pixel p is (p + 1) / 2 of white.
        scale, offset = 0.5 / deviation, (0.5 - mean) / deviation
        normalise = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="normalise")
        more["input_tensor"] = normalise(keras.Input(tuple(input_shape)))
    build = getattr(keras.applications, name)
    return build(include_top=False, weights=None, input_shape=tuple(input_shape), **more)


def width_of(network: Any) -> float:
    """Returns the width of a MobileNetV2: the roundest that comes to its filters.

    Args:
        network: with its layers, whatever else it has; the usual width where no other fits.
    """
    there = {layer.name: layer for layer in network.layers if layer.name in _FILTERS}
    found = {name: int(layer.get_weights()[0].shape[-1]) for name, layer in there.items()}
    widths = (
        number / steps
        for steps in (1, 20, 100, 1000)
        for number in range(max(1, steps // 4), 2 * steps + 1)
    )
    return next(
        (alpha for alpha in widths if found == {name: filters(name, alpha) for name in found}), 1.0
    )


def filters(name: str, alpha: float) -> int:
    """Returns how many filters a layer of MobileNetV2 has at a width, as Keras rounds them.

    To a multiple of 8, but to no less than nine tenths.

    Args:
        name: one of `_FILTERS`.
        alpha: the width.
    """
    usual = _FILTERS[name]
    wanted = usual * alpha
    if name == "Conv_1":
        wanted = usual * max(1.0, alpha)
    elif name != "Conv1":
        wanted = int(wanted)
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def load_weights(network: Any, options: TrainOptions) -> bool:
    """Gives a backbone its first weights; returns whether it has learned anything yet.

    Args:
        network: the backbone.
        options: of the run.

    Raises:
        ModelError: a file that is not there, or is of another network.
    """
    if not options.pretrained_weights:
        return False
    bundled = options.pretrained_weights == "imagenet"
    path = assets.bundled(BACKBONE_WEIGHTS) if bundled else Path(options.pretrained_weights)
    if not path.is_file():
        raise ModelError(f"--weights {path}: no such file")
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = (str(error).strip() or "unreadable").splitlines()[0]
        name = _BUILDERS[options.architecture][0]
        raise ModelError(f"--weights {path}: not weights of {name} ({reason})") from None
    return True
