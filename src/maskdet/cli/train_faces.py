"""`maskdet train-faces`: boxed pictures in, a face detector out."""

from pathlib import Path
from typing import Any

import click

from maskdet.annotations import FORMATS
from maskdet.cli.numbers import Whole
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import log, share_bar
from maskdet.cli.training import (
    COUNT,
    DECAY,
    FOLDER,
    PART,
    POSITIVE,
    RATE,
    SEVERAL,
    SHARE,
    check_alone,
    config_option,
    defaults_of,
    exclude_like_option,
    load_tensorflow,
    overwrite_option,
    resume_option,
    run_dir_option,
)
from maskdet.train.faces.options import FaceTrainOptions

_SIDE = Whole(96, 1024)


def _named_or_folder(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Makes a folder's path absolute, so that a resumed run finds it; leaves the name alone."""
    from maskdet.vision.faces.loading import ORIGINAL, face_detector_folder

    if value is None or value == ORIGINAL:
        return value
    return str(face_detector_folder(Path(value)).absolute())


_LAYOUT = {
    "Pictures": ("images", "annotations", "format", "ignored_labels", "exclude_like", "validation"),
    "Training": (
        *("config", "from_face", "sizes", "measured_sizes", "passes", "batch_size"),
        *("learning_rate", "patience", "seed", "resume"),
    ),
    "Results": ("output", "overwrite", "run_dir"),
    RARE: ("per_set", "weight_decay", "averaging", "mixed_precision"),
}


@defaults_of(FaceTrainOptions)
@sections(_LAYOUT)
@config_option
@click.option(
    "--images",
    type=FOLDER,
    multiple=True,
    help="Folder of pictures. Repeatable, each with its --annotations; the first is the kind the "
    "detector is for, and its pictures are measured on.",
)
@click.option(
    "--annotations",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Their boxes: folder of annotation files, or COCO's file. Every class counts as a face.",
)
@click.option("--format", type=click.Choice(FORMATS), help="Of the annotations.")
@click.option(
    "--ignore",
    "ignored_labels",
    metavar="CLASS",
    multiple=True,
    help="Class whose boxes are taught neither as faces nor as background. Repeatable.",
)
@click.option(
    "--from",
    "from_face",
    metavar="DIR|original",
    callback=_named_or_folder,
    help="Face detector to go on from. [default: the bundled one]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write the detector to. [default: in the run's folder]",
)
@overwrite_option
@run_dir_option
@resume_option
@exclude_like_option
@click.option("--validation", type=PART, help="Share of the first set that picks the best pass.")
@click.option("--per-set", type=POSITIVE, help="Most pictures of a set in a pass. [default: all]")
@click.option(
    "--size",
    "sizes",
    type=_SIDE,
    multiple=True,
    help="Side of the input in pixels, a multiple of 32 (16 for the public network). Repeatable: "
    "batches alternate.",
)
@click.option(
    "--measured-size",
    "measured_sizes",
    type=_SIDE,
    multiple=True,
    help="Side to measure at, likewise; the first is the detector's own. Repeatable.",
)
@click.option("--passes", type=POSITIVE, help="How often the pictures are gone through.")
@click.option("--batch-size", type=SEVERAL, help="Pictures a step at the smallest size.")
@click.option("--learning-rate", type=RATE, help="Peak learning rate.")
@click.option("--weight-decay", type=DECAY, help="Of AdamW.")
@click.option(
    "--averaging", type=SHARE, help="How slowly the averaged weights, which are kept, follow."
)
@click.option("--patience", type=COUNT, help="Passes without a gain before stopping; 0: never.")
@click.option("--seed", type=COUNT, help="Of split, order and views.")
@click.option("--mixed-precision", is_flag=True, help="Compute in bfloat16, for recent processors.")
def train_faces(resume: Path | None, **given: Any) -> None:
    """Train the face detector on with your own boxed pictures.

    Ctrl-C ends a run early: the best pass so far is exported, and --resume goes on.
    """
    if resume is not None:
        check_alone(resume)
    for name in ("images", "annotations"):
        if not given[name]:
            raise click.UsageError(f"Missing option '--{name}'.")
    options = FaceTrainOptions(**given)
    # Now, not when TensorFlow has started, which takes seconds.
    options.check_output(resumed=resume is not None)
    load_tensorflow()
    from maskdet.train.faces.run import train

    with share_bar() as show:
        result = train(options, say=log, show=show, resume=resume)
    click.echo(result.text)
