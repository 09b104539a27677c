"""Reads JSON and TOML that somebody else wrote: in any encoding, to no depth that can hurt.

What is wrong with such a file is said in one line, by the error of whoever reads it.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.files.text_files import decode_text

DEEPEST = 64
"""Levels of lists and objects in one another. Python's parsers, and what prints or writes their
result, each give up at depths of their own, in the hundreds and thousands."""


def parse_json(text: str) -> Any:
    """Parses JSON.

    Raises:
        ValueError: it is not JSON, or nested deeper than `DEEPEST`.
    """
    return _parse(json.loads, text)


def read_json(path: Path, error: type[MaskdetError]) -> Any:
    """Reads a JSON file in any of the encodings of `maskdet.files.text_files`.

    Args:
        path: of the file.
        error: kind of error to raise.

    Raises:
        MaskdetError: of the kind given; the file is missing, cannot be read, or is not JSON.
    """
    return _read(path, "JSON", json.loads, error)


def read_toml(path: Path, error: type[MaskdetError]) -> dict[str, Any]:
    """Reads a TOML file in any of the encodings of `maskdet.files.text_files`.

    Args and errors are those of `read_json`.
    """
    # Cards are JSON; whoever only detects reads no TOML.
    import tomllib

    table: dict[str, Any] = _read(path, "TOML", tomllib.loads, error)
    return table


def is_number(value: object) -> bool:
    """Tells whether a value from JSON is a number that can be computed with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what fits a float
        return False


def _read(path: Path, language: str, parse: Callable[[str], Any], error: type[MaskdetError]) -> Any:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror})") from None
    try:
        return _parse(parse, decode_text(content))
    except ValueError as problem:
        # Of a number with too many digits Python says more than anybody wants to know.
        reason = str(problem).partition(";")[0]
        raise error(f"{path}: is not {language} ({reason})") from None


def _parse(parse: Callable[[str], Any], text: str) -> Any:
    try:
        document = parse(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # Level by level, since what is too deep cannot be walked by recursion.
    level = [document]
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return document
    raise ValueError("nested too deeply")
