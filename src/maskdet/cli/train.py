"""`maskdet train`: class folders in, a model out."""

from pathlib import Path
from typing import Any

import click

from maskdet.cli.common import log, show_share
from maskdet.cli.training import (
    BATCH,
    COUNT,
    FILE,
    FOLDER,
    PART,
    PIXELS,
    RATE,
    SEED,
    SHARE,
    UNITS,
    VIEWS,
    check_alone,
    config_option,
    defaults_of,
    exclude_like_option,
    load_tensorflow,
    overwrite_option,
    resume_option,
    run_dir_option,
)
from maskdet.train.classifier.options import (
    ARCHITECTURES,
    AUGMENTATION_NAMES,
    OPTIMIZERS,
    PRECISIONS,
    STRATEGIES,
    TrainOptions,
)


def _named_or_file(_: click.Context, __: click.Parameter, value: str) -> str:
    """Makes a file's path absolute, so that a resumed run finds it; leaves the names alone."""
    return value if value in {"imagenet", "none"} else str(Path(value).absolute())


@defaults_of(TrainOptions)
@click.command()
@config_option
@click.option(
    "--dataset",
    type=FOLDER,
    multiple=True,
    help="Folder of class folders, or of train/ val/ test/ with class folders in them. Repeatable.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Name of the model to write, such as models/mask_detector. [default: in the run's folder]",
)
@overwrite_option
@run_dir_option
@resume_option
@click.option("--preview", type=click.Path(path_type=Path), help="Write augmented views and stop.")
@exclude_like_option
@click.option(
    "--validation",
    type=PART,
    help="Share of the pictures that picks the best pass, of folders that are not divided yet.",
)
@click.option("--test", type=SHARE, help="Share that is looked at once, at the end.")
@click.option("--naive-split", is_flag=True, help="Split at random: near-duplicates leak.")
@click.option(
    "--class-weights",
    type=click.Choice(["balanced", "none"]),
    help="Whether rare classes count more, so that all weigh the same.",
)
@click.option("--max-bad", type=SHARE, help="Share of unreadable files that is put up with.")
@click.option("--architecture", type=click.Choice(ARCHITECTURES), help="Network to train.")
@click.option(
    "--weights",
    metavar="imagenet|none|FILE",
    callback=_named_or_file,
    help="First weights of the backbone.",
)
@click.option(
    "--from", "from_model", type=FILE, help="Model to adapt: .keras, or HDF5 (.h5, .model)."
)
@click.option("--head-units", type=UNITS, help="Width of the head's hidden layer.")
@click.option("--dropout", type=SHARE, help="Share of its outputs dropped in training.")
@click.option(
    "--image-size",
    type=PIXELS,
    help="Side of the input in pixels. [default: the architecture's own]",
)
@click.option("--epochs", type=COUNT, help="Passes with the backbone frozen.")
@click.option("--views", type=VIEWS, help="Views a picture these take in turn; 0: always new.")
@click.option("--fine-tune", type=COUNT, help="Further passes with the backbone unfrozen.")
@click.option("--fine-tune-from", metavar="LAYER|all", help="Layer from which it is unfrozen.")
@click.option("--fine-tune-rate", type=RATE, help="Peak learning rate of these passes.")
@click.option("--coarse-epochs", type=COUNT, help="How many of these run at --coarse-size.")
@click.option("--coarse-size", type=PIXELS, help="Their side in pixels.")
@click.option("--batch-size", type=BATCH, help="Pictures a step.")
@click.option("--learning-rate", type=RATE, help="Peak learning rate of the first passes.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="How weights follow gradients.")
@click.option("--warm-up", type=SHARE, help="Share of a phase in which the rate rises.")
@click.option("--label-smoothing", type=SHARE, help="Share of a label spread over all classes.")
@click.option("--patience", type=COUNT, help="Passes without a gain before stopping; 0: never.")
@click.option(
    "--augmentation",
    type=click.Choice(AUGMENTATION_NAMES),
    help="How views differ from their pictures; --preview shows it.",
)
@click.option("--crop-margin", type=SHARE, help="Margin around a face box at run time.")
@click.option("--seed", type=SEED, help="Of split, first weights, order and views.")
@click.option("--deterministic", is_flag=True, help="Repeatable to the bit, at some cost.")
@click.option("--mixed-precision", is_flag=True, help="Compute in float16, for a GPU.")
@click.option(
    "--export",
    type=click.Choice(PRECISIONS),
    multiple=True,
    help="TFLite files to write; the best becomes the default one. Repeatable.",
)
@click.option("--strategy", type=click.Choice(STRATEGIES), help="Several GPUs, or machines.")
def train(resume: Path | None, preview: Path | None, **given: Any) -> None:
    """Train a mask classifier on your own pictures.

    Ctrl-C ends a run early: the best pass so far is exported, and --resume goes on.
    """
    if resume is not None:
        check_alone(resume)
    if not given["dataset"]:
        raise click.UsageError("Missing option '--dataset'.")
    if given["epochs"] == 0 == given["fine_tune"]:
        raise click.UsageError("--epochs 0 and --fine-tune 0 leave nothing to do.")
    load_tensorflow()
    from maskdet.train.classifier.run import draw_preview, train

    options = TrainOptions(**given)
    if preview is not None:
        draw_preview(options, preview)
        click.echo(preview)
        return
    click.echo(train(options, say=log, show=show_share, resume=resume).text)
