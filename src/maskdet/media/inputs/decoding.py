"""Decodes one picture, whatever its format, once its header has said that it is not too large."""

import io
import re
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from maskdet.errors import SourceError, TooLargeError
from maskdet.files.heif import open_heif
from maskdet.media.frames import UInt8Array
from maskdet.media.inputs import jpeg
from maskdet.media.inputs.formats import HEAD, picture_format
from maskdet.media.inputs.pillow import DAMAGED, DecodingError, opened_by_pillow, upright_bgr

# What the largest sensors of phones give, as 600 MB of pixels.
MAX_PIXELS = 200_000_000
MEGA = 1_000_000

# Of Radiance and PAM pictures, which OpenCV reads and Pillow does not.
_HDR_SIZE = re.compile(rb"^[-+]Y (\d+) [-+]X (\d+)$", re.MULTILINE)
_PAM_SIZE = re.compile(rb"^P7\n(?:.*\n)*?WIDTH (\d+)\n(?:.*\n)*?HEIGHT (\d+)\n")

# Two ends that a JPEG's scan might have, of which its decoder reads nothing if it needs no more.
_FILLERS = (bytes(range(1, 128)), bytes(range(127, 0, -1)))
_PNG_END = b"IEND"


def decode_picture(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> UInt8Array:
    """Decodes a picture, turned upright by its EXIF orientation.

    Args:
        data: an encoded picture. What follows its end, such as the video of a phone's moving
            photograph, is left alone; of several pictures the first is decoded.
        name: what messages call it.
        max_pixels: above which it is refused by its header, before any memory is taken.

    Returns:
        (H, W, 3) uint8, BGR; grey, 16-bit, palette, CMYK and transparent pictures are converted.

    Raises:
        SourceError: it is empty, cut short, too large, or no picture.
    """
    if not data:
        raise SourceError(f"{name}: is empty")
    found = picture_format(data[:HEAD])
    if found == "jpegxl":
        raise SourceError(f"{name}: is JPEG XL, which is not read; save it as JPEG or PNG")
    if found in ("heif", "heif series"):
        return _decode_heif(data, name, max_pixels)
    refuse_large(_size_by_header(data), name, max_pixels)
    if found in ("avif", "avif series", "gif"):
        return _decode_by_pillow(data, name)
    return _decode_by_opencv(_with_end(data, name) if found == "jpeg" else data, name)


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> UInt8Array:
    """Reads and decodes a picture file; see `decode_picture`.

    Raises:
        SourceError: the file cannot be read, or is no whole picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from None
    return decode_picture(data, str(path), max_pixels)


def refuse_large(size: tuple[int, int] | None, name: str, max_pixels: int) -> None:
    """Refuses a picture or video by what its header says.

    Args:
        size: its width and height; ``None`` where nothing says it.
        name: what the message calls it.
        max_pixels: how many it may have.

    Raises:
        TooLargeError: it has more.
    """
    if size is not None and size[0] * size[1] > max_pixels:
        raise TooLargeError(
            f"{name}: has {size[0]}x{size[1]} pixels, more than {max_pixels / MEGA:g} million; "
            "scale it down, or let detect and heatmap take it by --max-megapixels"
        )


def _size_by_header(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"#?"):
        found = _HDR_SIZE.search(data[:4096])
        return (int(found[2]), int(found[1])) if found else None
    if data.startswith(b"P7"):
        found = _PAM_SIZE.match(data[:4096])
        return (int(found[1]), int(found[2])) if found else None
    # Loading Pillow takes as long as decoding a photograph.
    if picture_format(data[:HEAD]) == "jpeg" and (size := jpeg.size_of(data)) is not None:
        return size
    try:
        with opened_by_pillow(io.BytesIO(data)) as picture:
            return picture.size
    except DecodingError:
        return None


def _decode_by_opencv(data: bytes, name: str) -> UInt8Array:
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{name}: cannot be decoded ({error.err})") from None
    if picture is None:
        raise SourceError(f"{name}: is not a picture, or is damaged")
    return cast("UInt8Array", picture)


def _decode_by_pillow(data: bytes, name: str) -> UInt8Array:
    # GIF and AVIF, which OpenCV 4.10 does not read.
    try:
        with opened_by_pillow(io.BytesIO(data)) as picture:
            return upright_bgr(picture)
    except DecodingError as error:
        raise SourceError(f"{name}: cannot be decoded ({error})") from None


def _decode_heif(data: bytes, name: str, max_pixels: int) -> UInt8Array:
    try:
        picture = open_heif(data)
        refuse_large(picture.size, name, max_pixels)
        pixels = np.asarray(picture)
    except DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else "unknown format"
        raise SourceError(f"{name}: cannot be decoded ({reason})") from None
    if pixels.ndim == 2:
        return cast("UInt8Array", cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    # A copy, as what libheif holds is not to be drawn on.
    return pixels[..., :3].copy()


def _with_end(data: bytes, name: str) -> bytes:
    """Gives a JPEG the end marker that it lacks; programs differ in whether they miss it.

    Raises:
        SourceError: more is lacking. OpenCV 4 fills that with grey and says nothing.
    """
    if jpeg.has_end(data):
        return data
    # Half of a marker is none.
    data = data.rstrip(b"\xff")
    first, second = (_pixels_or_none(data + filler + jpeg.END) for filler in _FILLERS)
    if first is None or second is None or not np.array_equal(first, second):
        raise SourceError(f"{name}: is cut short (a JPEG without its end)")
    return data + jpeg.END


def _pixels_or_none(data: bytes) -> UInt8Array | None:
    try:
        with opened_by_pillow(io.BytesIO(data)) as picture:
            return np.asarray(picture)
    except DecodingError:
        return None


def lacks_end(data: bytes) -> bool:
    """Tells whether a JPEG or PNG, as it came from a server that broke off, has no end."""
    found = picture_format(data[:HEAD])
    if found == "jpeg":
        return not jpeg.has_end(data)
    return found == "png" and _PNG_END not in data[-12:]
