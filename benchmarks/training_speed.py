"""Compares the frozen phase with the usual script: same pictures, split, head, rate and passes.

    python benchmarks/training_speed.py --dataset DATA/classification/observations

The usual script holds all pictures as float, alters them with Keras's `ImageDataGenerator` in one
thread and sends every view through the backbone in every pass. `maskdet train` alters in parallel
and computes the backbone's features of a few views of each picture once. Both run here, one after
the other, in one process. The usual script ends with the pass in which it reaches the validation
accuracy that `maskdet train` ended with. Reading the pictures is counted for both, looking for
near-duplicates for `maskdet train` alone; importing, exporting and reporting are not.

Prints a Markdown table; the seconds of processor are those of all threads together.
"""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

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


@dataclass(frozen=True)
class Passed:
    """A pass that is done.

    Attributes:
        accuracy: on the validation pictures, 0 to 1.
        wall: seconds on the clock since the program began.
        busy: seconds of processor since then.
    """

    accuracy: float
    wall: float
    busy: float


class Stopwatch:
    """Notes when each pass was done.

    Attributes:
        passes: those that are done.

    Args:
        wall: seconds on the clock that were spent before.
        busy: seconds of processor that were spent before.
    """

    def __init__(self, wall: float = 0.0, busy: float = 0.0) -> None:
        self.passes: list[Passed] = []
        self._began = time.perf_counter() - wall, time.process_time() - busy

    def lap(self, accuracy: float) -> None:
        """A pass is done."""
        wall, busy = self._began
        self.passes.append(Passed(accuracy, time.perf_counter() - wall, time.process_time() - busy))

    def first(self, accuracy: float) -> int | None:
        """Returns the number of the first pass with an accuracy, from 1."""
        return next(
            (number for number, one in enumerate(self.passes, 1) if one.accuracy >= accuracy), None
        )


class UntilAccuracy(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Ends a run with the pass that reaches an accuracy."""

    def __init__(self, watch: Stopwatch, accuracy: float) -> None:
        super().__init__()
        self._watch, self._accuracy = watch, accuracy

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Notes the pass."""
        found = (logs or {})["val_accuracy"]
        self._watch.lap(found)
        click.echo(f"usual script: pass {epoch + 1} done, {found:.4f}", err=True)
        self.model.stop_training = found >= self._accuracy


def usual_script(options: TrainOptions, dataset: Dataset, wanted: float) -> Stopwatch:
    """Trains the usual way until an accuracy is reached."""
    watch = Stopwatch()
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
        callbacks=[UntilAccuracy(watch, wanted)],
    )
    return watch


def this_trainer(options: TrainOptions, dataset: Dataset, watch: Stopwatch) -> None:
    """Trains as `maskdet train` does."""
    keras.utils.set_random_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(
            Path(folder),
            "",
            say=lambda _: None,
            show=lambda *_: None,
            passed=lambda history: watch.lap(float(history[-1]["val_accuracy"])),
        )
        networks = build(options, len(dataset.labels))
        Trainer(options, networks, dataset.feeds["train"], dataset.feeds["val"], journal).run()


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
    before = time.perf_counter(), time.process_time()
    data = prepare(options)
    looking = time.perf_counter() - before[0], time.process_time() - before[1]
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
        f"{passes} passes; looking at the data took {looking[0]:.1f} s ({looking[1]:.1f} s of "
        f"processor) of maskdet train\n"
    )
    # Without what looking at pictures takes that are not trained on.
    ours = Stopwatch(*looking) if most is None else Stopwatch()
    this_trainer(options, data, ours)
    wanted = ours.passes[-1].accuracy
    usual = usual_script(options, data, wanted)
    reached = usual.first(wanted) or len(usual.passes)
    both = {"usual script": usual.passes[reached - 1], "maskdet train": ours.passes[-1]}
    click.echo("| | passes | validation accuracy | seconds | of processor |")
    click.echo("| --- | --- | --- | --- | --- |")
    for name, count in (("usual script", reached), ("maskdet train", len(ours.passes))):
        one = both[name]
        click.echo(f"| {name} | {count} | {one.accuracy:.4f} | {one.wall:.0f} | {one.busy:.0f} |")
    theirs, first = usual.passes[reached - 1].busy, ours.passes[(ours.first(wanted) or 1) - 1]
    all_of_it = usual.passes[-1].busy / len(usual.passes) * passes
    if usual.first(wanted) is None:
        click.echo(f"\nThe usual script did not reach {wanted:.4f} in {passes} passes.")
    click.echo(
        f"\nProcessor time to {wanted:.4f}: {theirs:.0f} s of the usual script, {first.busy:.0f} s "
        f"(pass {ours.first(wanted)}) of maskdet train: {theirs / first.busy:.1f} times. All "
        f"{passes} passes, the usual script's at its mean: {all_of_it / ours.passes[-1].busy:.1f} "
        "times."
    )


if __name__ == "__main__":
    main()
