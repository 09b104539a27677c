"""Trains every kind of phase on one device and on two virtual ones; prints how far weights differ.

A program of its own: devices are divided before TensorFlow first uses them.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskdet.train.quiet import import_tensorflow

import_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from maskdet.train.classifier.dataset import prepare  # noqa: E402
from maskdet.train.classifier.model import build  # noqa: E402
from maskdet.train.classifier.options import TrainOptions  # noqa: E402
from maskdet.train.classifier.passes import watching  # noqa: E402
from maskdet.train.classifier.trainer import Trainer  # noqa: E402
from maskdet.train.journal import Journal  # noqa: E402
from maskdet.train.strategy import chosen_strategy  # noqa: E402

# Of nine pictures, batches of 8 leave one, batches of 6 three.
BASE = TrainOptions(
    dataset=(), image_size=32, head_units=8, dropout=0.0, batch_size=8, epochs=1, fine_tune=1,
    learning_rate=1e-3, fine_tune_rate=1e-3, views=1, optimizer="sgd", augmentation="none",
    fine_tune_from="block_16_expand",
)  # fmt: skip


def run(options: TrainOptions, folder: Path) -> tuple[int, list[Any], list[float]]:
    """Returns replicas, weights and losses of a run."""
    folder.mkdir()
    keras.utils.set_random_seed(1)
    data = prepare(options)
    with chosen_strategy(options.strategy):
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        networks = build(options, len(data.labels))
        journal = Journal(folder, "", say=lambda _: None, show=lambda *_: None)
        Trainer(options, networks, data.feeds["train"], data.feeds["val"], journal).run()
    figures = ("loss", "val_loss", "accuracy", "val_accuracy", "val_spread")
    losses = [row[name] for row in journal.progress.history for name in figures]
    return replicas, networks.whole.get_weights(), losses


def main(folder: Path, backbone: Path) -> None:
    """Compares each kind of run on one and on two devices."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.run_functions_eagerly(True)
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # Virtual processors alone; what adds up gradients on several GPUs does not know them.
    both = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    tf.distribute.MirroredStrategy = lambda: both
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from small_backbone import small_backbone

    keras.applications.MobileNetV2 = small_backbone
    watching.PLOT_SECONDS = math.inf
    base = replace(BASE, dataset=(folder / "pictures",), weights=str(backbone))
    kinds = {
        "cached views, fine-tuning": base,
        "fresh views": replace(base, views=0, fine_tune=0, batch_size=6),
        "from scratch": replace(base, architecture="tiny_cnn"),
        # Of the pictures of a device alone are the statistics that this one learns by.
        "batch norms from scratch": replace(base, weights="none"),
    }
    for name, options in kinds.items():
        _, one, loss = run(options, folder / f"{name} 1")
        mirrored = replace(options, strategy="mirrored")
        replicas, two, other = run(mirrored, folder / f"{name} 2")
        apart = max(float(np.abs(a - b).max()) for a, b in zip(one, two, strict=True))
        lost = max(abs(a - b) for a, b in zip(loss, other, strict=True))
        print(f"{name}: {replicas} replicas, weights {apart:.1e}, losses {lost:.1e}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
