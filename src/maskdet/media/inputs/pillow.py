"""Pictures opened with Pillow: the formats that OpenCV lacks, and headers before all is decoded."""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maskdet.media.frames import UInt8Array

if TYPE_CHECKING:
    from PIL import Image

# What Pillow may be asked to look at; it knows many more formats, of which few are pictures. The
# first six come with it; to ask for another makes it load the readers of all, which takes longer
# than to look at a JPEG.
_FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "PPM"),
    *("AVIF", "JPEG2000", "SUN", "TIFF", "WEBP"),
)
# What Pillow's readers, and those of libheif, raise for files that are damaged.
DAMAGED = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
# Pillow's own limit stands in a global of its module.
_pillow_limit = threading.Lock()


class DecodingError(Exception):
    """Pillow finds a picture damaged; the message is the reason."""


@contextmanager
def opened_by_pillow(where: io.BytesIO | Path) -> Iterator["Image.Image"]:
    """Opens a picture with Pillow, which reads no further than its header.

    Raises:
        DecodingError: it is none, or is damaged; also for what is read of it inside the context.
    """
    from PIL import Image

    try:
        with _pillow_limit, warnings.catch_warnings():
            # The limit here is another, and tags that nobody needs may be as damaged as they like.
            warnings.simplefilter("ignore")
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                opened = Image.open(where, formats=_FORMATS)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with opened:
            yield opened
    except DAMAGED as error:
        raise DecodingError(str(error) or "unknown format") from None


def upright_bgr(picture: "Image.Image") -> UInt8Array:
    """Returns a Pillow picture's (H, W, 3) uint8 BGR pixels, turned by its EXIF orientation."""
    from PIL import ImageOps

    rgb = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    return np.ascontiguousarray(rgb[..., ::-1])
