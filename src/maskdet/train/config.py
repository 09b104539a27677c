"""Run options as TOML: the file in a run's folder that `--config` and `--resume` read."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskdet.errors import MaskdetError
from maskdet.files.documents import read_toml
from maskdet.media.files import replacing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "config.toml"

# Where the option is called otherwise: a word of Python's own, or the singular of what repeats.
_OPTION_NAMES = {
    "from_model": "from",
    "from_face": "from",
    "split_file": "split",
    "sizes": "size",
    "measured_sizes": "measured-size",
    "ignored_labels": "ignore",
}

# Of one run only: another has a folder of its own, and is asked anew before it replaces a model.
_NOT_REPEATED = {"run_dir", "overwrite"}


def write(path: Path, options: "DataclassInstance") -> None:
    """Writes options as TOML whose keys are the command's options; paths are made absolute.

    Raises:
        OutputError: it cannot be written.
    """
    lines = ["# What `--config` needs to repeat this run."]
    for field in fields(options):
        value = getattr(options, field.name)
        if value is None or value == () or field.name in _NOT_REPEATED:
            continue
        name = _OPTION_NAMES.get(field.name, field.name).replace("_", "-")
        lines.append(f"{name} = {_toml(value)}")
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path, options: type) -> dict[str, Any]:
    """Reads such a file for what is no command line.

    Args:
        path: of the file.
        options: the dataclass whose fields it is to give.

    Returns:
        Name of a field to its value, unchecked.

    Raises:
        MaskdetError: it is not there, is no TOML, or has another key.
    """
    known = {
        _OPTION_NAMES.get(field.name, field.name).replace("_", "-"): field.name
        for field in fields(options)
    }
    table = read_toml(path, MaskdetError)
    unknown = sorted(table.keys() - known.keys())
    if unknown:
        raise MaskdetError(f"{path}: not options of this kind of run: {', '.join(unknown[:3])}")
    return {known[key]: value for key, value in table.items()}


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
