"""A run in two phases, as a program that is killed in the middle of it, and as what is expected.

    python tests/killed_run.py FOLDER WEIGHTS

Trains in ``FOLDER/run`` on ``FOLDER/pictures`` and prints how far it is.
"""

import sys
from pathlib import Path
from typing import Any

from maskdet.train.classifier.options import TrainOptions
from small_backbone import small_backbone
from small_runs import small, trainer


def options(folder: Path, weights: Path) -> TrainOptions:
    """Returns the options of a frozen phase on cached views and a coarse-to-fine one.

    Args:
        folder: holds the pictures, made where there are none.
        weights: of the network in MobileNetV2's place.
    """
    return small(
        folder,
        architecture="mobilenet_v2",
        weights=str(weights),
        image_size=64,
        epochs=2,
        views=2,
        fine_tune=2,
        fine_tune_from="block_16_expand",
        coarse_epochs=1,
        coarse_size=32,
        warm_up=0.2,
        optimizer="adamw",
    )


def put_small_backbone(put: Any) -> None:
    """Puts a network of three layers in MobileNetV2's place.

    Args:
        put: takes the name of what is replaced, and what by.
    """
    put("keras.applications.MobileNetV2", small_backbone)


def main(folder: Path, weights: Path) -> None:
    """Trains one step at a time, as the tests do, and slowly enough to be killed in a pass."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    import keras

    keras.applications.MobileNetV2 = small_backbone
    found = trainer(options(folder, weights), folder / "run")
    found.journal.show = lambda _, text: print(text, flush=True)
    found.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
