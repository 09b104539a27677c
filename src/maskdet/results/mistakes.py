"""A sheet of the worst mistakes, to see whether the model or the label is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskdet.boxes import UInt8Array
from maskdet.media.files import printable, replacing
from maskdet.results.predictions import Answered

COLUMNS, ROWS = 6, 4
TILE, CAPTION = 176, 50  # pixels
_LETTERS = 28  # that fit into a tile's width
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)

View = Callable[[int, int], UInt8Array]


@dataclass(frozen=True)
class Shown:
    """A part whose mistakes are to be shown.

    Attributes:
        answered: what was said.
        view: gives (side, side, 3) BGR of a picture, by its index and a side in pixels.
    """

    answered: Answered
    view: View


def write_mistakes(path: Path, parts: Sequence[Shown], names: Sequence[str]) -> int:
    """Writes the most confident wrong answers, worst first, each with the name of its file.

    Args:
        path: of the PNG to write.
        parts: the answers of one network.
        names: C class names.

    Returns:
        How many there are; without any, the sheet says so.

    Raises:
        OutputError: it cannot be written.
    """
    wrong = [
        (-float(found[index].max()), number, index)
        for number, part in enumerate(parts)
        for found in [part.answered.probabilities]
        for index in np.flatnonzero(found.argmax(axis=1) != part.answered.labels).tolist()
    ]
    wrong.sort()
    tiles = [_mistake(parts[number], index, names) for _, number, index in wrong[: COLUMNS * ROWS]]
    if not tiles:
        tiles.append(_tile(np.full((TILE, TILE, 3), 255, np.uint8), ("no mistakes",)))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())
    return len(wrong)


def _mistake(part: Shown, index: int, names: Sequence[str]) -> UInt8Array:
    one = part.answered
    found = one.probabilities[index]
    file = one.paths[index]
    label = names[int(one.labels[index])]
    # The folder is the label: that which is said beside it already.
    lines = (
        file.name,
        f"said {names[int(found.argmax())]} {found.max():.0%}",
        f"{one.part}: {label}" if one.part else f"is {label}",
    )
    return _tile(part.view(index, TILE), lines)


def _tile(view_bgr: UInt8Array, lines: Sequence[str]) -> UInt8Array:
    tile = np.full((TILE + CAPTION, TILE + 4, 3), _WHITE, np.uint8)
    tile[:TILE, 2 : TILE + 2] = view_bgr
    for line, text in enumerate(lines):
        place = (4, TILE + 13 + 15 * line)
        shown = _shortened(printable(text, "ascii"))
        cv2.putText(tile, shown, place, cv2.FONT_HERSHEY_SIMPLEX, 0.37, _BLACK, 1, cv2.LINE_AA)
    return tile


def _shortened(text: str) -> str:
    """Cuts the middle out of what is too long: names often differ at their end."""
    half = (_LETTERS - 2) // 2
    return text if len(text) <= _LETTERS else f"{text[:half]}..{text[-half:]}"
