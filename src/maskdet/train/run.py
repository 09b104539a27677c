"""One training run from options to files: the library call behind `maskdet train`."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from maskdet.class_folders import TRAIN, VALIDATION
from maskdet.train import config, finish, preview
from maskdet.train.dataset import Dataset, prepare
from maskdet.train.finish import Result
from maskdet.train.initial import initial_networks
from maskdet.train.options import TrainOptions
from maskdet.train.run_folder import new_folder
from maskdet.train.strategy import chosen_strategy
from maskdet.train.trainer import Say, Trainer

Show = Callable[[float, str], None]


def train(options: TrainOptions, *, say: Say, show: Show) -> Result:
    """Trains a model and leaves its files and reports.

    Args:
        options: of the run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text, for a progress bar.

    Raises:
        MaskdetError: something the user can mend; see `maskdet.errors`.
    """
    finish.check_output(options.output)
    dataset = prepare(options)
    folder = new_folder(options.run_dir, "train")
    config.write(folder / config.FILE, replace(options, run_dir=None))
    return _run(options, dataset, folder, say=say, show=show, resume=False)


def resume(folder: Path, *, say: Say, show: Show) -> Result:
    """Goes on with a run that was interrupted, to the result it would have had.

    Args:
        folder: of that run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.

    Raises:
        MaskdetError: no such run, or its pictures have changed since.
    """
    options = config.read(folder / config.FILE, TrainOptions)
    return _run(options, prepare(options), folder, say=say, show=show, resume=True)


def draw_preview(options: TrainOptions, path: Path) -> None:
    """Writes a sheet of augmented pictures to look at, without training.

    Raises:
        MaskdetError: no pictures, or the sheet cannot be written.
    """
    preview.write_sheet(prepare(options).feeds[TRAIN], options, path)


def _run(
    options: TrainOptions, dataset: Dataset, folder: Path, *, say: Say, show: Show, resume: bool
) -> Result:
    _describe(dataset, say)
    dataset.write(folder)
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    with _precision(mixed=options.mixed_precision), chosen_strategy(options.strategy):
        networks = initial_networks(options, dataset.labels, say)
        trainer = Trainer(
            options,
            networks,
            dataset.feeds[TRAIN],
            dataset.feeds[VALIDATION],
            folder=folder,
            fingerprint=f"{options.architecture} {dataset.collection.fingerprint}",
            say=say,
            show=show,
        )
        if resume:
            trainer.resume()
        trainer.run()
    return finish.finish(
        options, dataset, networks.whole, trainer.progress.history, folder, say=say, show=show
    )


def _describe(dataset: Dataset, say: Say) -> None:
    for part, counts in dataset.counts().items():
        if sum(counts.values()):
            say(f"{part}: " + ", ".join(f"{count} {label}" for label, count in counts.items()))
    if dataset.collection.bad:
        say(f"{len(dataset.collection.bad)} unreadable files skipped, see skipped.csv")
    if dataset.excluded:
        say(f"{dataset.excluded} pictures left out: nearly the same as ones to exclude")
    if dataset.duplicated:
        leaked = f"{dataset.leaked} of validation and test have one in training"
        say(f"{dataset.duplicated} pictures have a near-duplicate; {leaked}")
    if dataset.conflicts:
        say(f"{len(dataset.conflicts)} near-duplicate pairs in two classes, see conflicts.csv")


@contextlib.contextmanager
def _precision(*, mixed: bool) -> Iterator[None]:
    before: Any = keras.config.dtype_policy()
    if mixed:
        keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
