"""Whether boxes belong to a picture, by the size that was written down with them.

A camera held upright stores its pictures lying, with a note (EXIF) how to turn them. Everything
here reads them turned; some labelling tools do not, and their boxes have to be turned, too.
"""

import operator
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maskdet.files.heif import open_heif

Corners = tuple[float, float, float, float]
Size = tuple[float, float]

_ORIENTATION = 0x0112  # EXIF tag; from 5 on a picture is turned on its side
_SIDEWAYS = 5

# How far sides may be off their proportion: a size is rounded, and so is a scale.
_SHARE_OFF, _PIXELS_OFF = 0.02, 2.0


@dataclass(frozen=True)
class PictureSize:
    """What a picture's header says.

    Attributes:
        stored: width and height in pixels before the picture is turned.
        orientation: 1 to 8, how it is to be turned (EXIF 2.3, 4.6.4 A).
    """

    stored: Size
    orientation: int

    @property
    def upright(self) -> Size:
        """Width and height in pixels of the picture as everything here reads it."""
        width, height = self.stored
        return (height, width) if self.orientation >= _SIDEWAYS else (width, height)

    def how_written(self, size: Size) -> Literal["upright", "lying"] | None:
        """Tells which way round the picture was when its size was written down.

        Args:
            size: width and height, perhaps at another scale.

        Returns:
            ``None`` where it is the size of another picture.
        """
        # Nearly square pictures are alike both ways.
        for alike in (operator.eq, _alike):
            if alike(size, self.upright):
                return "upright"
            if alike(size, self.stored):
                return "lying"
        return None

    def turn(self, corners: Corners, size: Size) -> Corners:
        """Turns a box as the picture is turned on its side.

        Args:
            corners: left, top, right, bottom in the picture before.
            size: of that picture, in the units of the box.
        """
        left, top, right, bottom = corners
        width, height = size
        # Rows become columns, in the order they had (5, 8) or the other, and columns rows (5, 6).
        across = (height - bottom, height - top) if self.orientation in (6, 7) else (top, bottom)
        down = (width - right, width - left) if self.orientation in (7, 8) else (left, right)
        return across[0], down[0], across[1], down[1]


def read_size(path: Path) -> PictureSize | None:
    """Reads a picture's header; ``None`` where it has none that can be read."""
    from PIL import Image

    try:
        # Pillow warns of large pictures and of EXIF data in disorder: neither matters here.
        with warnings.catch_warnings(action="ignore"), Image.open(path) as header:
            stored = (float(header.width), float(header.height))
            orientation = header.getexif().get(_ORIENTATION, 1)
            form = header.format
    # Pillow's ways to say that a header makes no sense, or that the picture is huge.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return _read_heif_size(path)
    if not isinstance(orientation, int) or not 1 <= orientation <= 8:
        orientation = 1
    # OpenCV 4 turns no WebP.
    if form == "WEBP" and orientation >= _SIDEWAYS and not _is_read_turned(path, stored):
        orientation = 1
    return PictureSize(stored, orientation)


def _read_heif_size(path: Path) -> PictureSize | None:
    """Reads what Pillow does not; whoever shows such a picture, labelling tools too, turns it."""
    try:
        with path.open("rb") as file:
            # Where all files of this family say what they are.
            if file.read(8)[4:] != b"ftyp":
                return None
        width, height = open_heif(path.read_bytes()).size
    except (OSError, ValueError):
        return None
    return PictureSize((float(width), float(height)), 1)


def _is_read_turned(path: Path, stored: Size) -> bool:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return picture is not None and picture.shape[1::-1] != stored


def _alike(first: Size, second: Size) -> bool:
    """Tells whether two sizes are of one shape."""
    height = first[1] * second[0] / first[0]
    return abs(height - second[1]) <= max(_PIXELS_OFF, _SHARE_OFF * second[1])
