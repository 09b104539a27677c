"""A picture that was made, to look at, to save, or to go on with."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maskdet.api import checking
from maskdet.media.frames import UInt8Array
from maskdet.media.picture_files import write_picture

if TYPE_CHECKING:
    from PIL import Image

# Longer side of a picture in a notebook, which keeps what it shows. Pixels.
_SHOWN = 960


class Picture:
    """An annotated picture or a heat map.

    At the end of a notebook's cell it shows itself, scaled down to at most 960 pixels.

    Attributes:
        bgr: (H, W, 3) uint8, in OpenCV's order of colours.

    Examples:
        >>> import maskdet
        >>> picture = maskdet.load()("samples/astronaut.jpg").annotate()
        >>> picture.save("annotated.png").name
        'annotated.png'
        >>> picture.rgb.shape
        (512, 512, 3)
    """

    bgr: UInt8Array

    def __init__(self, bgr: UInt8Array) -> None:
        self.bgr = bgr

    @property
    def rgb(self) -> UInt8Array:
        """(H, W, 3) uint8, as matplotlib and Pillow want it; a copy."""
        return np.ascontiguousarray(self.bgr[..., ::-1])

    def save(self, path: checking.AnyPath) -> Path:
        """Writes the picture; a file of that name is replaced.

        Args:
            path: the file; its suffix chooses the format: .jpg, .png, .webp, .tif or .bmp. Folders
                that are missing are made.

        Returns:
            The path.

        Raises:
            OutputError: it cannot be written, or its suffix names no format.
            TypeError: it is no path.
        """
        where = checking.path("path", path)
        write_picture(where, self.bgr)
        return where

    def to_pil(self) -> "Image.Image":
        """Returns the picture as a Pillow image of mode RGB."""
        from PIL import Image

        return Image.fromarray(self.rgb)

    def __repr__(self) -> str:
        height, width = self.bgr.shape[:2]
        return f"<Picture {width}x{height}>"

    def _repr_png_(self) -> bytes:
        return encoded(self.bgr, ".png")


def encoded(image_bgr: UInt8Array, suffix: str) -> bytes:
    """Returns a picture in a format, scaled down to what a notebook shows.

    Args:
        image_bgr: (H, W, 3) uint8.
        suffix: the format's.
    """
    scale = _SHOWN / max(image_bgr.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image_bgr.shape[1::-1]]
        image_bgr = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(suffix, image_bgr)
    return bytes(data)


def html_image(image_bgr: UInt8Array) -> str:
    """Returns a picture as an HTML element that needs no file, (H, W, 3) uint8 BGR."""
    data = base64.b64encode(encoded(image_bgr, ".jpg")).decode()
    return f'<img src="data:image/jpeg;base64,{data}" style="max-width: 100%">'
