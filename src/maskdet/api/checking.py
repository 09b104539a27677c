"""Arguments checked as the command line checks its options: what was expected, and what came."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from maskdet.assets import model_named
from maskdet.limits import FACE_DETECTORS, RUN_PRECISIONS, RUNNING, Range
from maskdet.vision.faces.tiles import parse_tiles
from maskdet.vision.networks import NetworkOptions

AnyPath = str | os.PathLike[str]


def kind_of(value: object) -> str:
    """Returns what messages call a value's kind."""
    return "None" if value is None else type(value).__name__


def path(name: str, value: Any) -> Path:
    """Returns a path.

    Raises:
        TypeError: it is none.
        ValueError: it is empty.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name}: expected a path, got {kind_of(value)}")
    text = os.fsdecode(value)
    if not text.strip():
        raise ValueError(f"{name}: expected a path, got an empty one")
    return Path(text)


def paths(name: str, value: Any) -> tuple[Path, ...]:
    """Returns one path, or several in a list or tuple, as a tuple; raises as `path` does."""
    several = value if isinstance(value, list | tuple) else [value]
    return tuple(path(name, one) for one in several)


def pairs(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Returns a dictionary of words as pairs.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, Mapping) or not all(
        isinstance(word, str) for pair in value.items() for word in pair
    ):
        raise TypeError(f"{name}: expected a dictionary of label to label, got {value!r}")
    return tuple(value.items())


def choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Returns one of several words.

    Raises:
        ValueError: it is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}; got {value!r}")
    return value


def flag(name: str, value: Any) -> bool:
    """Returns a truth value.

    Raises:
        TypeError: it is another kind of value, such as the text "no".
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return value


def number(name: str, value: Any, limits: Range | None = None) -> Any:
    """Returns a number within limits: an int where they ask for whole numbers, else a float.

    Args:
        name: of the argument.
        value: what came.
        limits: its limits; ``None`` for those that `maskdet.limits.RUNNING` has for the name.

    Raises:
        TypeError: it is no number, or no whole one.
        ValueError: it is too small or too large.
    """
    limits = limits or RUNNING[name]
    if limits.whole:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name}: expected a whole number, got {value!r}")
        found: int | float = int(value.__index__())
    else:
        if isinstance(value, bool | str) or not hasattr(value, "__float__"):
            raise TypeError(f"{name}: expected a number, got {value!r}")
        found = float(value)
    # A whole number may be larger than any float.
    if not limits.holds(found) or (isinstance(found, float) and not math.isfinite(found)):
        raise ValueError(f"{name}: expected {limits}, got {value}")
    return found


def networks(
    *,
    model: Any,
    face: Any,
    face_detector: Any,
    confidence: Any,
    face_size: Any,
    tiles: Any,
    min_face: Any,
    crop_margin: Any,
    precision: Any,
    merge: Any,
) -> NetworkOptions:
    """Returns which networks to run; the names are those of the options of ``maskdet detect``.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: it is out of range.
    """
    if not isinstance(tiles, str):
        raise TypeError(f"tiles: expected wide, auto, off or such as 3x2; got {tiles!r}")
    try:
        parse_tiles(tiles)
    except ValueError as error:
        raise ValueError(f"tiles: {error}") from None
    return NetworkOptions(
        model=None if model is None else model_named(path("model", model)),
        face=None if face is None else path("face", face),
        confidence=None if confidence is None else number("confidence", confidence),
        face_detector=choice("face_detector", face_detector, FACE_DETECTORS),
        face_size=None if face_size is None else number("face_size", face_size),
        tiles=tiles,
        min_face=number("min_face", min_face),
        crop_margin=None if crop_margin is None else number("crop_margin", crop_margin),
        precision=choice("precision", precision, RUN_PRECISIONS),
        merge=() if merge is None else pairs("merge", merge),
    )
