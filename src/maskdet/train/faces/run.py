"""One face training run from options to files: the library call behind `maskdet train-faces`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras

from maskdet.class_folders import TRAIN, VALIDATION
from maskdet.errors import DatasetError
from maskdet.train import config
from maskdet.train.faces import finish, weights
from maskdet.train.faces.feed import steps
from maskdet.train.faces.network import TrainedSsd
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.faces.pictures import LEFT_OUT, FacePictures, prepare
from maskdet.train.faces.trainer import FaceTrainer
from maskdet.train.finish import check_output
from maskdet.train.run_folder import new_folder
from maskdet.train.ssd import FINE_MULTIPLE
from maskdet.vision.faces import face_detector_folder

Say = Callable[[str], None]
Show = Callable[[float, str], None]


def train(options: FaceTrainOptions, *, say: Say, show: Show) -> finish.FaceResult:
    """Trains a face detector and leaves its files and reports.

    Args:
        options: of the run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text, for a progress bar.

    Raises:
        MaskdetError: something the user can mend; see `maskdet.errors`.
    """
    _check(options)
    # The card lies in the folder, so the folder is what has to be writable.
    check_output(None if options.output is None else options.output / "card")
    start = weights.with_fine_heads(weights.load_from(face_detector_folder(options.from_face)))
    pictures = prepare(options)
    folder = new_folder(options.run_dir, "train-faces")
    config.write(folder / config.FILE, replace(options, run_dir=None))
    return _run(options, start, pictures, folder, say=say, show=show, resume=False)


def resume(folder: Path, *, say: Say, show: Show) -> finish.FaceResult:
    """Goes on with a run that was interrupted, to the result it would have had.

    Args:
        folder: of that run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.

    Raises:
        MaskdetError: no such run, or its pictures have changed since.
    """
    options = config.read(folder / config.FILE, FaceTrainOptions)
    _check(options)
    start = weights.with_fine_heads(weights.load_from(face_detector_folder(options.from_face)))
    return _run(options, start, prepare(options), folder, say=say, show=show, resume=True)


def _check(options: FaceTrainOptions) -> None:
    if len(options.images) != len(options.annotations):
        raise DatasetError(
            f"{len(options.images)} --images but {len(options.annotations)} --annotations: "
            "give one for each"
        )
    for size in (*options.sizes, *options.measured_sizes):
        if size % FINE_MULTIPLE:
            raise DatasetError(
                f"an input of {size} pixels: sides have to be multiples of {FINE_MULTIPLE}"
            )


def _run(
    options: FaceTrainOptions,
    start: keras.Model,
    pictures: FacePictures,
    folder: Path,
    *,
    say: Say,
    show: Show,
    resume: bool,
) -> finish.FaceResult:
    for number, row in enumerate(pictures.counts(), 1):
        parts = ", ".join(
            f"{row[part]} {part} with {row[f'{part} faces']} faces"
            for part in (TRAIN, VALIDATION, LEFT_OUT)
            if row[part]
        )
        say(f"set {number}: {parts}")
    if pictures.problems:
        say(f"{len(pictures.problems)} things wrong with pictures or boxes, see problems.txt")
    pictures.write(folder)
    keras.utils.set_random_seed(options.seed)
    trained = TrainedSsd(
        start,
        rate=_rate(options, pictures),
        weight_decay=options.weight_decay,
        averaging=options.averaging,
        mixed_precision=options.mixed_precision,
    )
    trainer = FaceTrainer(
        options,
        trained,
        pictures.train,
        pictures.validation,
        folder=folder,
        fingerprint=pictures.fingerprint,
        say=say,
        show=show,
    )
    if resume:
        trainer.resume()
    trainer.run()
    return finish.finish(
        options, pictures, trained, trainer.progress.history, folder, say=say, show=show
    )


def _rate(
    options: FaceTrainOptions, pictures: FacePictures
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rises over the first pass, then falls as a cosine to the last."""
    counts = [
        steps(pictures.train, options.sizes, options.batch_size, number)
        for number in range(options.passes)
    ]
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, sum(counts[1:])),
        warmup_target=options.learning_rate,
        warmup_steps=counts[0],
    )
