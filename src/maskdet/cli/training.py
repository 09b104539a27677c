"""What the training commands have in common: kinds of options, presets, taking up a run."""

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskdet import assets, limits
from maskdet.cli.numbers import within
from maskdet.cli.terminal import log
from maskdet.errors import MaskdetError
from maskdet.extras import require
from maskdet.files.documents import read_toml
from maskdet.train.config import FILE as CONFIG_FILE

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
POSITIVE, COUNT, SEVERAL = map(within, (limits.POSITIVE, limits.COUNT, limits.SEVERAL))
RATE, DECAY = within(limits.RATE), within(limits.DECAY)
SHARE, PART = within(limits.SHARE), within(limits.PART)

_MOST_NAMED = 3  # a file of another command has dozens of unknown options


def _read_defaults(context: click.Context, path: Path) -> None:
    """Makes a file's keys the defaults of the other options."""
    try:
        table = read_toml(path, MaskdetError)
    except MaskdetError as error:
        raise click.BadParameter(f"{error}.") from None
    options = {
        name.lstrip("-"): option
        for option in context.command.params
        if isinstance(option, click.Option) and not option.is_eager
        for name in option.opts
    }
    unknown = sorted(key for key in table if key.replace("_", "-") not in options)
    if unknown:
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        named = ", ".join(unknown[:_MOST_NAMED]) + more
        raise click.BadParameter(f"{path}: not options of {context.info_name}: {named}.")
    defaults = {}
    for key, item in table.items():
        option = options[key.replace("_", "-")]
        words = _words(item, option)
        if words is None:
            raise click.BadParameter(f"{path}: {key} is not what --{key.replace('_', '-')} takes.")
        defaults[str(option.name)] = words
    context.default_map = {**(context.default_map or {}), **defaults}


def _words(item: Any, option: click.Option) -> str | list[str] | None:
    """Writes a value as on the command line, so that it is checked in the same way.

    Returns:
        A word, or several for an option that can be repeated; ``None`` for what nobody could have
        written there.
    """
    if option.multiple:
        words = [_word(part, option) for part in (item if isinstance(item, list) else [item])]
        known = [word for word in words if word is not None]
        return known if len(known) == len(words) else None
    return _word(item, option)


def _word(item: Any, option: click.Option) -> str | None:
    if isinstance(item, dict | list) or (isinstance(item, bool) and not option.is_flag):
        return None
    try:
        word = str(item)
    except ValueError:  # a whole number that is longer than Python writes out
        return None
    return None if "\0" in word else word


def _load_config(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    path = Path(value)
    if not path.is_file() and path.name == path.stem:
        path = assets.bundled("configs") / f"{value}.toml"
    if not path.is_file():
        raise click.BadParameter(f"{value}: no such file, nor a preset of that name.")
    _read_defaults(context, path)


def _load_run(context: click.Context, _: click.Parameter, folder: Path | None) -> Path | None:
    if folder is not None:
        if not (folder / CONFIG_FILE).is_file():
            raise click.BadParameter(f"{folder}: is no run, it holds no {CONFIG_FILE}.")
        _read_defaults(context, folder / CONFIG_FILE)
    return folder


config_option = click.option(
    "--config",
    callback=_load_config,
    is_eager=True,
    expose_value=False,
    metavar="FILE|NAME",
    help="Preset: a TOML file whose keys are these options, or the name of a bundled one. "
    "Options on the command line win.",
)

resume_option = click.option(
    "--resume",
    type=FOLDER,
    callback=_load_run,
    is_eager=True,
    help="Go on with the interrupted run of this folder, with its own options, to its result.",
)

run_dir_option = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="New folder for checkpoints and reports. [default: runs/COMMAND/<n>]",
)

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what --output names, if it exists."
)

exclude_like_option = click.option(
    "--exclude-like",
    type=FOLDER,
    multiple=True,
    help="Folder of pictures that training must not contain, not even nearly. Repeatable.",
)


def defaults_of(options: type) -> Callable[[click.Command], click.Command]:
    """Gives a command's options the defaults of a dataclass's fields, and shows them in its help.

    Args:
        options: the dataclass; its fields have the names of the command's parameters.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(options)}

    def give(command: click.Command) -> click.Command:
        for option in command.params:
            default = defaults.get(str(option.name))
            if isinstance(option, click.Option) and isinstance(default, int | float | str | tuple):
                option.default = default
                # A flag's and an empty list's need no telling.
                option.show_default = default is not False and default != ()
        return command

    return give


def check_alone(resume: Path) -> None:
    """Refuses options beside --resume, which would not be looked at.

    Raises:
        UsageError: there are some.
    """
    context = click.get_current_context()
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name != "resume"
        and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"--resume takes its options from {resume / CONFIG_FILE}: change them there, and leave "
            f"out {', '.join(given)}."
        )


def load_tensorflow(first_words: str | None = None) -> None:
    """Loads TensorFlow; from here on SIGTERM ends a run as Ctrl-C does, tidying up behind it.

    Args:
        first_words: logged before it, as it takes seconds.

    Raises:
        MissingExtraError: it is not installed.
    """
    require("train", f"maskdet {click.get_current_context().info_name}")
    if first_words is not None:
        log(first_words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from maskdet.train.quiet import import_tensorflow

    import_tensorflow()
