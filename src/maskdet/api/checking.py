"""Arguments checked as the command line checks its options: what was expected, and what came."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from maskdet.stream import NetworkOptions
from maskdet.vision.faces.tiles import parse_tiles

FACE_DETECTORS = ("ssd", "yunet")
PRECISIONS = ("float32", "float16", "int8")

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


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Returns a whole number from low to high, both included.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is too small or too large.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    number = int(value.__index__())
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name}: expected {_range(low, high)}, got {number}")
    return number


def real(
    name: str, value: Any, low: float, high: float | None = None, *, above: bool = False
) -> float:
    """Returns a number from low to high, both included; raises as `whole` does.

    Args:
        name: of the argument.
        value: what came.
        low: the smallest.
        high: the largest; ``None`` for no limit.
        above: whether it has to be larger than `low`.
    """
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    number = float(value)
    fits = low <= number and not (above and number == low) and (high is None or number <= high)
    if not (fits and math.isfinite(number)):
        expected = f"above {low:g}" + ("" if high is None else f" and up to {high:g}")
        raise ValueError(
            f"{name}: expected {expected if above else _range(low, high)}, got {value}"
        )
    return number


def _range(low: float, high: float | None) -> str:
    if high is None:
        return f"at least {low:g}"
    # What is next to a round number stands for all below it.
    return f"{low:g} to {'' if float(f'{high:g}') == high else 'less than '}{high:g}"


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
        model=None if model is None else path("model", model),
        face=None if face is None else path("face", face),
        confidence=None if confidence is None else real("confidence", confidence, 0, 1, above=True),
        face_detector=choice("face_detector", face_detector, FACE_DETECTORS),
        face_size=None if face_size is None else whole("face_size", face_size, 100, 2000),
        tiles=tiles,
        min_face=real("min_face", min_face, 0),
        crop_margin=None if crop_margin is None else real("crop_margin", crop_margin, -0.4, 2),
        precision=None if precision is None else choice("precision", precision, PRECISIONS),
        merge=() if merge is None else pairs("merge", merge),
    )
