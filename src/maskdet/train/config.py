"""Run options as TOML: presets, and the file that repeats a run."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from maskdet.errors import ModelError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "config.toml"

# Where the option is called otherwise: a word of Python's own, or the singular of what repeats.
_OPTION_NAMES = {
    "from_model": "from",
    "from_face": "from",
    "sizes": "size",
    "measured_sizes": "measured-size",
    "ignored_labels": "ignore",
}

Options = TypeVar("Options", bound="DataclassInstance")


def write(path: Path, options: "DataclassInstance") -> None:
    """Writes options as TOML whose keys are the command's options; paths are made absolute."""
    lines = ["# What `--config` needs to repeat this run."]
    for field in fields(options):
        value = getattr(options, field.name)
        if value is None or value == ():
            continue
        name = _OPTION_NAMES.get(field.name, field.name).replace("_", "-")
        lines.append(f"{name} = {_toml(value)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path, kind: type[Options]) -> Options:
    """Reads what `write` wrote.

    Args:
        path: the file.
        kind: what it holds: the command's dataclass of options.

    Raises:
        ModelError: it is missing or not such a file.
    """
    hints = get_type_hints(kind)
    back = {option: field for field, option in _OPTION_NAMES.items() if field in hints}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        given = {back.get(name, name.replace("-", "_")): value for name, value in table.items()}
        return kind(**{name: _typed(hints.get(name), value) for name, value in given.items()})
    except OSError:
        raise ModelError(f"{path}: no such file; is its folder one of a training run?") from None
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ModelError(f"{path}: is not the config of a training run ({error})") from None


def _typed(hint: Any, value: Any) -> Any:
    """Turns what TOML has into what a field of this type has: paths, tuples."""
    is_path = Path in (hint, *get_args(hint))
    if isinstance(value, list):
        return tuple(Path(item) if is_path else item for item in value)
    return Path(value) if is_path else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    text = str(value.absolute() if isinstance(value, Path) else value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
