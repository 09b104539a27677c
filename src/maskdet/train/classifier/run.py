"""One training run from options to files: the library call behind `maskdet train`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from maskdet.class_folders.splits import TRAIN, VALIDATION
from maskdet.files.folders import kinds_of
from maskdet.train.carrying_out import carry_out, open_journal
from maskdet.train.classifier import finish, preview
from maskdet.train.classifier.dataset import SKIPPED_FILE, Dataset, prepare
from maskdet.train.classifier.finish import Result
from maskdet.train.classifier.initial import initial_networks
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.start import measure_start
from maskdet.train.classifier.trainer import Trainer
from maskdet.train.framing import framing_hints
from maskdet.train.journal import Interrupted, Passed, Say, Show
from maskdet.train.quiet import no_native_output
from maskdet.train.strategy import chosen_strategy
from maskdet.wording import counted


def train(
    options: TrainOptions,
    *,
    say: Say,
    show: Show,
    resume: Path | None = None,
    passed: Passed = lambda _: None,
    whole: bool = False,
) -> Result:
    """Trains a model and leaves its files and reports.

    Args:
        options: of the run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text, for a progress bar.
        resume: folder of an interrupted run with these options, which goes on to the result it
            would have had.
        passed: takes the figures of all passes so far, after each.
        whole: whether a run that the user stops is left for another time, not exported as it is.

    Raises:
        MaskdetError: something the user can mend; see `maskdet.errors`.
        Interrupted: the user has stopped a run that is wanted whole.
    """
    options.check_output(resumed=resume is not None)
    dataset = prepare(options)
    _describe(dataset, say)
    for line in framing_hints(options.dataset, dataset.collection.pictures):
        say(line)
    with _computing(options):
        initial = initial_networks(options, dataset.labels, say)
        start = measure_start(initial, options, dataset, say)
        fingerprint = f"{options.architecture} {dataset.collection.fingerprint}"
        journal = open_journal(
            options, "train", fingerprint, say=say, show=show, resume=resume, passed=passed
        )
        feeds = dataset.feeds
        trainer = Trainer(options, initial.networks, feeds[TRAIN], feeds[VALIDATION], journal)
        carry_out(trainer, dataset, journal, resumed=resume is not None)
    if whole and journal.interrupted:
        raise Interrupted
    with journal.kept():
        return finish.finish(options, dataset, initial.networks.whole, start, journal)


def draw_preview(options: TrainOptions, path: Path) -> tuple[str, ...]:
    """Writes a sheet of augmented pictures to look at, without training.

    Returns:
        A line for each picture that was left out since it cannot be read.

    Raises:
        MaskdetError: no pictures, or the sheet cannot be written.
    """
    # What libjpeg says of a damaged picture, each time it is drawn, names none.
    with no_native_output():
        dataset = prepare(options)
        preview.write_sheet(dataset.feeds[TRAIN], options, path)
    return tuple(f"{bad.path}: {bad.reason}" for bad in dataset.collection.bad)


@contextlib.contextmanager
def _computing(options: TrainOptions) -> Iterator[None]:
    """Sets seeds, precision and devices."""
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    before = keras.config.dtype_policy()
    if options.mixed_precision:
        keras.config.set_dtype_policy("mixed_float16")
    try:
        with chosen_strategy(options.strategy):
            yield
    finally:
        keras.config.set_dtype_policy(before)


def _describe(dataset: Dataset, say: Say) -> None:
    for part, counts in dataset.counts().items():
        if sum(counts.values()):
            say(f"{part}: " + ", ".join(f"{count} {label}" for label, count in counts.items()))
    collection = dataset.collection
    given = {picture.split for picture in collection.pictures} - {None}
    if given and VALIDATION not in given:
        say("no folder for validation: drawn from the training pictures")
    if collection.bad:
        say(f"{counted(len(collection.bad), 'unusable file')} skipped, see {SKIPPED_FILE}")
    if collection.unseen:
        kinds = kinds_of([file.path for file in collection.unseen])
        say(f"not looked at: {kinds}, see {SKIPPED_FILE}")
    for file in dataset.unread:
        say(f"{file.path}: {file.reason}: nothing like it can be left out")
    if dataset.excluded:
        say(f"{dataset.excluded} pictures left out: nearly the same as ones to exclude")
    if dataset.duplicated:
        leaked = f"{dataset.leaked} of validation and test have one in training"
        say(f"{dataset.duplicated} pictures have a near-duplicate; {leaked}")
    if dataset.conflicts:
        say(f"{len(dataset.conflicts)} near-duplicate pairs in two classes, see conflicts.csv")
