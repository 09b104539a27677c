"""Run options as TOML: presets, and the file that repeats a run."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from maskdet.errors import ModelError
from maskdet.train.options import TrainOptions

FILE = "config.toml"

_PATH_FIELDS = {"output", "run_dir", "from_model"}
_PATH_LISTS = {"dataset", "exclude_like"}
_NAME_LISTS = {"export"}
_OPTION_NAMES = {"from_model": "from"}  # where the option's name is a word of Python's own


def write(path: Path, options: TrainOptions) -> None:
    """Writes options as TOML whose keys are the command's options; paths are made absolute."""
    lines = ["# What `maskdet train --config` needs to repeat this run."]
    for field in fields(options):
        value = getattr(options, field.name)
        if value is None or value == ():
            continue
        if field.name in _PATH_FIELDS:
            value = value.absolute()
        if field.name in _PATH_LISTS:
            value = [folder.absolute() for folder in value]
        name = _OPTION_NAMES.get(field.name, field.name).replace("_", "-")
        lines.append(f"{name} = {_toml(value)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path) -> TrainOptions:
    """Reads what `write` wrote.

    Raises:
        ModelError: it is missing or not such a file.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return TrainOptions(**{_field(name): _typed(_field(name), v) for name, v in table.items()})
    except OSError:
        raise ModelError(f"{path}: no such file; is its folder one of a training run?") from None
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ModelError(f"{path}: is not the config of a training run ({error})") from None


def _field(name: str) -> str:
    back = {option: field for field, option in _OPTION_NAMES.items()}
    return back.get(name, name).replace("-", "_")


def _typed(name: str, value: Any) -> Any:
    if name in _PATH_LISTS:
        return tuple(Path(folder) for folder in value)
    if name in _NAME_LISTS:
        return tuple(value)
    return Path(value) if name in _PATH_FIELDS else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
