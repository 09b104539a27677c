"""Runs of the classifier's trainer that take a second, on pictures made for them."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.model import build
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.trainer import Trainer
from maskdet.train.journal import Journal
from train_pictures import write_classes

SMALL = TrainOptions(
    dataset=(),
    architecture="tiny_cnn",
    image_size=32,
    head_units=8,
    dropout=0.2,
    epochs=3,
    batch_size=8,
    learning_rate=3e-3,
    export=("float32",),
)


@contextlib.contextmanager
def stepwise() -> Iterator[None]:
    """Runs steps one by one: to make a graph of them takes longer than a few of them do."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def quietly(*_: object) -> None:
    """Takes log lines and progress, and drops them."""


def small(tmp_path: Path, **changes: Any) -> TrainOptions:
    """Returns options of a run that takes a second, on pictures made for it."""
    folder = tmp_path / "pictures"
    if not folder.exists():
        write_classes(folder, 20)
    given: dict[str, Any] = {"dataset": (folder,), "run_dir": tmp_path / "run", **changes}
    return replace(SMALL, **given)


def trainer(
    options: TrainOptions, folder: Path, say: Any = quietly, dataset: Dataset | None = None
) -> Trainer:
    """Builds the trainer of a run without what comes after training.

    Args:
        options: of the run.
        folder: of the run.
        say: takes one line of log.
        dataset: its pictures, where they have been read already.
    """
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    dataset = dataset or prepare(options)
    journal = Journal(folder, dataset.collection.fingerprint, say=say, show=quietly)
    return Trainer(
        options, build(options, 2), dataset.feeds["train"], dataset.feeds["val"], journal
    )


def stop_after(passes: int) -> Any:
    """Returns a log that asks the process to stop, as Ctrl-C does, after some passes."""
    done: list[str] = []

    def say(line: str) -> None:
        if "validation loss" in line:
            done.append(line)
            if len(done) == passes:
                os.kill(os.getpid(), signal.SIGINT)

    return say
