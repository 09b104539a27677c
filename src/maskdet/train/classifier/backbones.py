"""The backbones a classifier can have: those of Keras whose last map is pooled and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

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

# Keras's own is 0.99 and beyond: after the few dozen steps of a small set the statistics would
# still be those of no picture at all, and every picture would get the same answer.
FRESH_MOMENTUM = 0.9


def backbone(architecture: str, input_shape: Sequence[int | None], alpha: float) -> Any:
    """Returns a backbone with random weights.

    Args:
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES` with a backbone.
        input_shape: height, width, 3.
        alpha: width of MobileNetV2, as a share of the usual.
    """
    name, usual = _BUILDERS[architecture]
    more: dict[str, Any] = {"alpha": alpha} if architecture == "mobilenet_v2" else usual
    build = getattr(keras.applications, name)
    return build(include_top=False, weights=None, input_shape=tuple(input_shape), **more)


def load_weights(network: Any, options: TrainOptions) -> bool:
    """Gives a backbone its first weights; returns whether it has learned anything yet.

    Args:
        network: the backbone.
        options: of the run.

    Raises:
        ModelError: a file that is not there, or is of another network.
    """
    if not options.pretrained_weights:
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = FRESH_MOMENTUM
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
