"""A contact sheet of annotated pictures."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import imutils

from maskdet.media.drawing import draw_text
from maskdet.media.files import refuse_existing
from maskdet.media.frames import UInt8Array
from maskdet.media.picture_files import write_picture

CELL = (320, 240)  # width and height of a picture on the sheet, pixels
COLUMNS, ROWS = 5, 6
_BACKGROUND = (45, 45, 45)


class Grid:
    """Collects pictures and writes a sheet whenever one is full.

    Args:
        path: the first sheet; further ones are numbered ``name-2.jpg`` and so on.
        guard: raises `OutputError` for a file that exists and is not to be replaced;
            without one, none is.
    """

    def __init__(self, path: Path, guard: Callable[[Path], None] | None = None) -> None:
        self._path = path
        self._guard = guard or partial(refuse_existing, overwrite=False)
        self._cells: list[UInt8Array] = []
        self.written: list[Path] = []

    def add(self, name: str, image: UInt8Array) -> None:
        """Puts a picture, (H, W, 3) uint8 BGR, on the sheet with its name below."""
        width, height = CELL
        wide = image.shape[1] * height > width * image.shape[0]
        small = imutils.resize(image, width=width) if wide else imutils.resize(image, height=height)
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        cell = cv2.copyMakeBorder(
            small,
            top,
            height - small.shape[0] - top,
            left,
            width - small.shape[1] - left,
            cv2.BORDER_CONSTANT,
            value=_BACKGROUND,
        )
        draw_text(cell, Path(name).name[:44], (0, height), _BACKGROUND, 0.35)
        self._cells.append(cell)
        if len(self._cells) == COLUMNS * ROWS:
            self.flush()

    def flush(self) -> None:
        """Writes the sheet begun, if there is anything on it.

        Raises:
            OutputError: it cannot be written, or exists.
        """
        if not self._cells:
            return
        columns = min(COLUMNS, len(self._cells))
        rows = -(-len(self._cells) // columns)
        (sheet,) = imutils.build_montages(self._cells, CELL, (columns, rows))
        number = len(self.written) + 1
        path = self._path
        if number > 1:
            path = path.with_name(f"{path.stem}-{number}{path.suffix}")
        self._guard(path)
        write_picture(path, sheet)
        self.written.append(path)
        self._cells.clear()
