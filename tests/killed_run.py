"""A run in two phases, as a program that is killed in the middle of it, and as what is expected.

    python tests/killed_run.py FOLDER WEIGHTS

Trains in ``FOLDER/run`` on ``FOLDER/pictures`` and prints how far it is.
"""

import sys
from pathlib import Path

from maskdet.train.quiet import import_tensorflow

import_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from maskdet.train.classifier.options import TrainOptions  # noqa: E402
from small_backbone import small_backbone  # noqa: E402
from small_runs import small, trainer  # noqa: E402
from train_pictures import write_classes  # noqa: E402


def options(folder: Path, weights: Path) -> TrainOptions:
    """Returns the options of a frozen phase on cached views and a coarse-to-fine one.

    Args:
        folder: holds the pictures, made where there are none.
        weights: of the network in MobileNetV2's place.
    """
    if not (folder / "pictures").exists():
        write_classes(folder / "pictures", 12)
    return small(
        folder,
        architecture="mobilenet_v2",
        weights=str(weights),
        image_size=32,
        epochs=3,
        views=2,
        fine_tune=3,
        fine_tune_from="block_16_expand",
        coarse_epochs=1,
        coarse_size=16,
        warm_up=0.2,
        optimizer="adamw",
        learning_rate=1e-2,
        fine_tune_rate=1e-3,
    )


def main(folder: Path, weights: Path) -> None:
    """Trains one step at a time, as the tests do."""
    tf.config.run_functions_eagerly(True)
    keras.applications.MobileNetV2 = small_backbone
    found = trainer(options(folder, weights), folder / "run")
    found.journal.show = lambda _, text: print(text, flush=True)
    found.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
