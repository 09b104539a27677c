"""`maskdet train`: class folders in, a model out."""

import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from maskdet import assets
from maskdet.cli.common import log
from maskdet.train.options import (
    ARCHITECTURES,
    AUGMENTATION_NAMES,
    OPTIMIZERS,
    PRECISIONS,
    STRATEGIES,
)

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POSITIVE = click.IntRange(min=1)
_COUNT = click.IntRange(min=0)
_RATE = click.FloatRange(min=0, min_open=True)
_SHARE = click.FloatRange(0, 1, max_open=True)

_BAR_WIDTH = 24


def _load_config(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """Makes a preset's keys the defaults of the other options."""
    if value is None:
        return
    path = Path(value)
    if not path.is_file() and path.name == path.stem:
        path = assets.bundled("configs") / f"{value}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise click.BadParameter(f"{value}: no such file, nor a preset of that name.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path}: is not TOML ({error}).") from None
    names = {option.lstrip("-"): p.name for p in context.command.params for option in p.opts}
    unknown = sorted(key for key in table if key.replace("_", "-") not in names)
    if unknown:
        raise click.BadParameter(f"{path}: no such option: {', '.join(unknown)}.")
    defaults = {names[key.replace("_", "-")]: item for key, item in table.items()}
    context.default_map = {**(context.default_map or {}), **defaults}


@click.command()
@click.option(
    "--config",
    callback=_load_config,
    is_eager=True,
    expose_value=False,
    metavar="FILE|NAME",
    help="Preset: a TOML file whose keys are these options, or the name of a bundled one.",
)
@click.option(
    "--dataset",
    type=_FOLDER,
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
    "--resume", type=_FOLDER, help="Go on with the interrupted run of this folder, to its result."
)
@click.option("--preview", type=click.Path(path_type=Path), help="Write augmented views and stop.")
@click.option(
    "--exclude-like",
    type=_FOLDER,
    multiple=True,
    help="Folder of pictures that training must not contain, not even nearly. Repeatable.",
)
@click.option("--validation", type=_SHARE, help="Share that picks the best pass.")
@click.option("--test", type=_SHARE, help="Share that is looked at once, at the end.")
@click.option("--naive-split", is_flag=True, help="Split at random: near-duplicates leak.")
@click.option("--class-weights", type=click.Choice(["balanced", "none"]))
@click.option("--max-bad", type=_SHARE, help="Share of unreadable files that is put up with.")
@click.option("--architecture", type=click.Choice(ARCHITECTURES))
@click.option("--weights", metavar="imagenet|none|FILE", help="First weights of the backbone.")
@click.option("--from", "from_model", type=_FILE, help="Existing model to adapt.")
@click.option("--head-units", type=_POSITIVE)
@click.option("--dropout", type=_SHARE)
@click.option("--image-size", type=click.IntRange(min=32), help="Side of the input in pixels.")
@click.option("--epochs", type=_COUNT, help="Passes with the backbone frozen.")
@click.option("--views", type=_COUNT, help="Views a picture these take in turn; 0: always new.")
@click.option("--fine-tune", type=_COUNT, help="Further passes with the backbone unfrozen.")
@click.option("--fine-tune-from", metavar="LAYER|all", help="Layer from which it is unfrozen.")
@click.option("--fine-tune-rate", type=_RATE, help="Peak learning rate of these passes.")
@click.option("--coarse-epochs", type=_COUNT, help="How many of these run at --coarse-size.")
@click.option("--coarse-size", type=click.IntRange(min=32))
@click.option("--batch-size", type=_POSITIVE)
@click.option("--learning-rate", type=_RATE)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS))
@click.option("--warm-up", type=_SHARE, help="Share of a phase in which the rate rises.")
@click.option("--label-smoothing", type=_SHARE)
@click.option("--patience", type=_COUNT, help="Passes without a gain before stopping; 0: never.")
@click.option("--augmentation", type=click.Choice(AUGMENTATION_NAMES))
@click.option("--crop-margin", type=_SHARE, help="Margin around a face box at run time.")
@click.option("--seed", type=_COUNT)
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
        result = resume_run(resume, say=log, show=_show)
    else:
        options = TrainOptions(
            **{name: item for name, item in given.items() if item not in (None, ())}
        )
        if preview is not None:
            draw_preview(options, preview)
            click.echo(preview)
            return
        result = train(options, say=log, show=_show)
    click.echo(result.text)


def _show(share: float, text: str) -> None:
    """Draws a progress bar, on a terminal only."""
    if not sys.stderr.isatty():
        return
    done = round(min(1.0, share) * _BAR_WIDTH)
    bar = "#" * done + "-" * (_BAR_WIDTH - done)
    click.echo(f"\r[{bar}] {text}\x1b[K", nl=share >= 1, err=True)
