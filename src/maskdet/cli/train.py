"""`maskdet train`: class folders in, a model out."""

from pathlib import Path
from typing import Any

import click

from maskdet.cli.common import log
from maskdet.cli.training import COUNT, FILE, FOLDER, POSITIVE, RATE, SHARE, config_option, show
from maskdet.train.options import (
    ARCHITECTURES,
    AUGMENTATION_NAMES,
    OPTIMIZERS,
    PRECISIONS,
    STRATEGIES,
)


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
@click.option(
    "--run-dir", type=click.Path(path_type=Path), help="The run's folder. [default: runs/train/<n>]"
)
@click.option(
    "--resume", type=FOLDER, help="Go on with the interrupted run of this folder, to its result."
)
@click.option("--preview", type=click.Path(path_type=Path), help="Write augmented views and stop.")
@click.option(
    "--exclude-like",
    type=FOLDER,
    multiple=True,
    help="Folder of pictures that training must not contain, not even nearly. Repeatable.",
)
@click.option("--validation", type=SHARE, help="Share that picks the best pass.")
@click.option("--test", type=SHARE, help="Share that is looked at once, at the end.")
@click.option("--naive-split", is_flag=True, help="Split at random: near-duplicates leak.")
@click.option("--class-weights", type=click.Choice(["balanced", "none"]))
@click.option("--max-bad", type=SHARE, help="Share of unreadable files that is put up with.")
@click.option("--architecture", type=click.Choice(ARCHITECTURES))
@click.option("--weights", metavar="imagenet|none|FILE", help="First weights of the backbone.")
@click.option("--from", "from_model", type=FILE, help="Existing model to adapt.")
@click.option("--head-units", type=POSITIVE)
@click.option("--dropout", type=SHARE)
@click.option("--image-size", type=click.IntRange(min=32), help="Side of the input in pixels.")
@click.option("--epochs", type=COUNT, help="Passes with the backbone frozen.")
@click.option("--views", type=COUNT, help="Views a picture these take in turn; 0: always new.")
@click.option("--fine-tune", type=COUNT, help="Further passes with the backbone unfrozen.")
@click.option("--fine-tune-from", metavar="LAYER|all", help="Layer from which it is unfrozen.")
@click.option("--fine-tune-rate", type=RATE, help="Peak learning rate of these passes.")
@click.option("--coarse-epochs", type=COUNT, help="How many of these run at --coarse-size.")
@click.option("--coarse-size", type=click.IntRange(min=32))
@click.option("--batch-size", type=POSITIVE)
@click.option("--learning-rate", type=RATE)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS))
@click.option("--warm-up", type=SHARE, help="Share of a phase in which the rate rises.")
@click.option("--label-smoothing", type=SHARE)
@click.option("--patience", type=COUNT, help="Passes without a gain before stopping; 0: never.")
@click.option("--augmentation", type=click.Choice(AUGMENTATION_NAMES))
@click.option("--crop-margin", type=SHARE, help="Margin around a face box at run time.")
@click.option("--seed", type=COUNT)
@click.option("--deterministic", is_flag=True, help="Repeatable to the bit, at some cost.")
@click.option("--mixed-precision", is_flag=True, help="Compute in float16, for a GPU.")
@click.option(
    "--export",
    type=click.Choice(PRECISIONS),
    multiple=True,
    help="TFLite files to write. Repeatable. [default: all]",
)
@click.option("--strategy", type=click.Choice(STRATEGIES), help="Several GPUs, or machines.")
def train(resume: Path | None, preview: Path | None, **given: Any) -> None:
    """Train a mask classifier on your own pictures."""
    if resume is None and not given["dataset"]:
        raise click.UsageError("Missing option '--dataset'.")
    if given["epochs"] == 0 == given["fine_tune"]:
        raise click.UsageError("--epochs 0 and --fine-tune 0 leave nothing to do.")
    from maskdet.train.quiet import import_tensorflow

    import_tensorflow()
    from maskdet.train.options import TrainOptions
    from maskdet.train.run import draw_preview, train
    from maskdet.train.run import resume as resume_run

    if resume is not None:
        result = resume_run(resume, say=log, show=show)
    else:
        options = TrainOptions(
            **{name: item for name, item in given.items() if item not in (None, ())}
        )
        if preview is not None:
            draw_preview(options, preview)
            click.echo(preview)
            return
        result = train(options, say=log, show=show)
    click.echo(result.text)
