"""What is to be watched, and how, as the command line would have it."""

import os
from typing import Any

from maskdet.api import checking
from maskdet.limits import COUNT
from maskdet.stream import StreamOptions
from maskdet.vision.turning import TURNS

AnySource = int | str | os.PathLike[str]


def stream_options(
    *,
    max_frames: Any,
    track: Any,
    min_confidence: float | None,
    width: Any,
    gamma: Any,
    rotate: Any,
) -> StreamOptions:
    """Returns what is done to frames.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: it is out of range.
    """
    if checking.number("rotate", rotate, COUNT) not in TURNS:
        raise ValueError(f"rotate: expected one of {', '.join(map(str, TURNS))}; got {rotate}")
    return StreamOptions(
        max_frames=None if max_frames is None else checking.number("max_frames", max_frames),
        track=checking.flag("track", track),
        min_confidence=min_confidence,
        width=None if width is None else checking.number("width", width),
        gamma=checking.number("gamma", gamma),
        rotate=int(rotate),
    )


def texts_of(source: Any) -> list[str]:
    """Returns one source, or several in a list or tuple, as words of the command line.

    Raises:
        TypeError: one of them is none.
        ValueError: there are none, or a number is no camera's.
    """
    named = list(source) if isinstance(source, list | tuple) else [source]
    if not named:
        raise ValueError("expected at least one source, got an empty list")
    return [_text_of(one) for one in named]


def _text_of(source: Any) -> str:
    """Returns a source as on the command line."""
    if isinstance(source, int) and not isinstance(source, bool):
        if source < 0:
            raise ValueError(f"source: expected a camera's number from 0, got {source}")
        return str(source)
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    raise TypeError(
        "source: expected a camera's number, a path or an address, got "
        f"{checking.kind_of(source)}; pictures in memory are given to the detector itself"
    )
