"""Compares the frozen phase with the usual script: same pictures, split, head, rate and passes.

    python benchmarks/training_speed.py --dataset ../shared/data/classification/observations

The usual script holds all pictures as float, alters them with Keras's `ImageDataGenerator` in one
thread and sends every view through the backbone in every pass. `maskdet train` alters in parallel
and computes the backbone's features of a few views of each picture once. Both run here, in one
process; reading the pictures is counted, exporting and reporting are not.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

from maskdet.metrics import accuracy
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.feed import Feed
from maskdet.train.classifier.model import build, freeze_trunk
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.trainer import Trainer
from maskdet.train.journal import Journal
from maskdet.vision.preprocessing import scale_to_unit


def load_all(feed: Feed, size: int) -> Any:
    """Reads every picture into one float array, as the usual script does."""
    return np.stack([scale_to_unit(feed.plain(index, size=size)) for index in range(len(feed))])


def usual_script(options: TrainOptions, dataset: Dataset) -> float:
    """Trains the usual way and returns the validation accuracy."""
    train, validation = dataset.feeds["train"], dataset.feeds["val"]
    x, x_validation = (load_all(feed, options.input_size) for feed in (train, validation))
    y, y_validation = (
        keras.utils.to_categorical(feed.labels, feed.classes) for feed in (train, validation)
    )
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=20,
        zoom_range=0.15,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.15,
        horizontal_flip=True,
        fill_mode="nearest",
    )
    keras.utils.set_random_seed(options.seed)
    networks = build(options, train.classes)
    freeze_trunk(networks)
    networks.whole.compile(
        optimizer=keras.optimizers.Adam(options.learning_rate),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    networks.whole.fit(
        generator.flow(x, y, batch_size=options.batch_size, seed=options.seed),
        validation_data=(x_validation, y_validation),
        epochs=options.epochs,
        verbose=0,
    )
    found = networks.whole.predict(x_validation, batch_size=options.batch_size, verbose=0)
    return accuracy(validation.labels, found.argmax(axis=1))


def this_trainer(options: TrainOptions, dataset: Dataset) -> float:
    """Trains as `maskdet train` does and returns the validation accuracy of the last pass."""
    keras.utils.set_random_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), "", say=lambda _: None, show=lambda *_: None)
        networks = build(options, len(dataset.labels))
        Trainer(options, networks, dataset.feeds["train"], dataset.feeds["val"], journal).run()
        return float(journal.progress.history[-1]["val_accuracy"])


@click.command(help=__doc__)
@click.option(
    "--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--passes", type=click.IntRange(min=1), default=20, show_default=True)
@click.option(
    "--most",
    type=click.IntRange(min=8),
    help="Use so many training pictures only, and a quarter for validation.",
)
def main(dataset: Path, passes: int, most: int | None) -> None:
    """Runs both and prints the times."""
    options = TrainOptions(
        dataset=(dataset,), epochs=passes, fine_tune=0, test=0.0, class_weights="none", patience=0
    )
    data = prepare(options)
    if most is not None:
        limits = {"train": most, "val": max(1, most // 4)}
        random = np.random.default_rng(0)
        chosen = {
            part: data.feeds[part].subset(random.permutation(len(data.feeds[part]))[:limit])
            for part, limit in limits.items()
        }
        data = replace(data, feeds={**data.feeds, **chosen})
    click.echo(
        f"{len(data.feeds['train'])} training and {len(data.feeds['val'])} validation pictures, "
        f"{passes} passes"
    )
    seconds = {}
    for name, program in (("usual script", usual_script), ("maskdet train", this_trainer)):
        start, busy = time.perf_counter(), time.process_time()
        reached = program(options, data)
        seconds[name] = time.perf_counter() - start
        click.echo(
            f"{name:14} {seconds[name]:7.1f} s ({time.process_time() - busy:.0f} s of CPU), "
            f"validation accuracy {reached:.4f}"
        )
    click.echo(f"{seconds['usual script'] / seconds['maskdet train']:.1f} times as fast")


if __name__ == "__main__":
    main()
