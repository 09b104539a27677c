"""One face training run from options to files: the library call behind `maskdet train-faces`."""

from pathlib import Path

import keras

from maskdet.class_folders.splits import TRAIN, VALIDATION
from maskdet.errors import DatasetError
from maskdet.train.carrying_out import carry_out, open_journal
from maskdet.train.faces import finish, weights
from maskdet.train.faces.feed import steps
from maskdet.train.faces.network import TrainedSsd
from maskdet.train.faces.networks.registry import network_of
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.faces.pictures import LEFT_OUT, FacePictures, prepare
from maskdet.train.faces.trainer import FaceTrainer
from maskdet.train.journal import Say, Show
from maskdet.vision.faces.loading import face_detector_folder


def train(
    options: FaceTrainOptions, *, say: Say, show: Show, resume: Path | None = None
) -> finish.FaceResult:
    """Trains a face detector and leaves its files and reports.

    Args:
        options: of the run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text, for a progress bar.
        resume: folder of an interrupted run with these options, which goes on to the result it
            would have had.

    Raises:
        MaskdetError: something the user can mend; see `maskdet.errors`.
    """
    _check(options)
    options.check_output(resumed=resume is not None)
    keras.utils.set_random_seed(options.seed)  # fresh heads are drawn next
    start = weights.with_fine_heads(weights.load_from(face_detector_folder(options.from_face)))
    _check_sizes(options, network_of(start).multiple_of)
    pictures = prepare(options)
    _describe(pictures, say)
    trained = TrainedSsd(
        start,
        rate=_rate(options, pictures),
        weight_decay=options.weight_decay,
        averaging=options.averaging,
        mixed_precision=options.mixed_precision,
    )
    journal = open_journal(
        options, "train-faces", pictures.fingerprint, say=say, show=show, resume=resume
    )
    trainer = FaceTrainer(options, trained, pictures.train, pictures.validation, journal)
    carry_out(trainer, pictures, journal, resumed=resume is not None)
    with journal.kept():
        return finish.finish(options, pictures, trained, journal)


def _check(options: FaceTrainOptions) -> None:
    if len(options.images) != len(options.annotations):
        raise DatasetError(
            f"{len(options.images)} --images but {len(options.annotations)} --annotations: "
            "give one for each"
        )


def _check_sizes(options: FaceTrainOptions, multiple_of: int) -> None:
    for size in (*options.sizes, *options.measured_sizes):
        if size % multiple_of:
            raise DatasetError(
                f"an input of {size} pixels: sides have to be multiples of {multiple_of}"
            )


def _describe(pictures: FacePictures, say: Say) -> None:
    for number, row in enumerate(pictures.counts(), 1):
        parts = ", ".join(
            f"{row[part]} {part} with {row[f'{part} faces']} faces"
            for part in (TRAIN, VALIDATION, LEFT_OUT)
            if row[part]
        )
        say(f"set {number}: {parts}")
    if pictures.problems:
        say(f"{len(pictures.problems)} things wrong with pictures or boxes, see problems.txt")


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
