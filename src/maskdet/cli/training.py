"""What the training commands have in common: kinds of options, presets, the progress bar."""

import sys
import tomllib
from pathlib import Path

import click

from maskdet import assets

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
POSITIVE = click.IntRange(min=1)
COUNT = click.IntRange(min=0)
RATE = click.FloatRange(min=0, min_open=True)
SHARE = click.FloatRange(0, 1, max_open=True)

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


config_option = click.option(
    "--config",
    callback=_load_config,
    is_eager=True,
    expose_value=False,
    metavar="FILE|NAME",
    help="Preset: a TOML file whose keys are these options, or the name of a bundled one.",
)


def show(share: float, text: str) -> None:
    """Draws a progress bar, on a terminal only."""
    if not sys.stderr.isatty():
        return
    done = round(min(1.0, share) * _BAR_WIDTH)
    bar = "#" * done + "-" * (_BAR_WIDTH - done)
    click.echo(f"\r[{bar}] {text}\x1b[K", nl=share >= 1, err=True)
