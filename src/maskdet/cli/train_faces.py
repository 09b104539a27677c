"""`maskdet train-faces`: boxed pictures in, a face detector out."""

from pathlib import Path
from typing import Any

import click

from maskdet.annotations import FORMATS
from maskdet.cli.common import log
from maskdet.cli.training import COUNT, FOLDER, POSITIVE, RATE, SHARE, config_option, show

_SIDE = click.IntRange(96, 1024)


def _named_or_folder(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Makes a folder's path absolute, so that a resumed run finds it; leaves the name alone."""
    from maskdet.vision.faces import ORIGINAL, face_detector_folder

    if value is None or value == ORIGINAL:
        return value
    return str(face_detector_folder(Path(value)).absolute())


@click.command()
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
    help="Their boxes; every class counts as a face.",
)
@click.option("--format", type=click.Choice(FORMATS), help="Of the annotations. [default: auto]")
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
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="The run's folder. [default: runs/train-faces/<n>]",
)
@click.option(
    "--resume", type=FOLDER, help="Go on with the interrupted run of this folder, to its result."
)
@click.option(
    "--exclude-like",
    type=FOLDER,
    multiple=True,
    help="Folder of pictures that training must not contain, not even nearly. Repeatable.",
)
@click.option("--validation", type=SHARE, help="Share of the first set that picks the best pass.")
@click.option("--per-set", type=POSITIVE, help="Most pictures of a set in a pass. [default: all]")
@click.option("--size", "sizes", type=_SIDE, multiple=True, help="Side of the input. Repeatable.")
@click.option(
    "--measured-size",
    "measured_sizes",
    type=_SIDE,
    multiple=True,
    help="Side to measure at; the first is the detector's own. Repeatable.",
)
@click.option("--passes", type=POSITIVE)
@click.option("--batch-size", type=POSITIVE, help="Pictures a step at the smallest size.")
@click.option("--learning-rate", type=RATE)
@click.option("--weight-decay", type=click.FloatRange(min=0))
@click.option("--averaging", type=SHARE, help="How slowly the averaged weights follow.")
@click.option("--patience", type=COUNT, help="Passes without a gain before stopping; 0: never.")
@click.option("--seed", type=COUNT)
@click.option("--mixed-precision", is_flag=True, help="Compute in bfloat16, for recent processors.")
def train_faces(resume: Path | None, **given: Any) -> None:
    """Train the face detector on with your own boxed pictures."""
    if resume is None:
        for name in ("images", "annotations"):
            if not given[name]:
                raise click.UsageError(f"Missing option '--{name}'.")
    from maskdet.train.quiet import import_tensorflow

    import_tensorflow()
    from maskdet.train.faces.options import FaceTrainOptions
    from maskdet.train.faces.run import resume as resume_run
    from maskdet.train.faces.run import train

    if resume is not None:
        result = resume_run(resume, say=log, show=show)
    else:
        chosen = {name: item for name, item in given.items() if item not in (None, ())}
        result = train(FaceTrainOptions(**chosen), say=log, show=show)
    click.echo(result.text)
