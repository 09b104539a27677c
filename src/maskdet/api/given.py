"""Makes a frame of what was given for a picture: a path, an address, bytes, an array, an image."""

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from maskdet.addresses import MARK, public_name
from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Source, UInt8Array
from maskdet.media.inputs.decoding import decode_picture, refuse_large
from maskdet.media.inputs.lookup import is_camera, is_folder, local_path
from maskdet.media.inputs.naming import split_name
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.pillow import upright_bgr
from maskdet.media.sources import open_address_of_pictures, open_source

if TYPE_CHECKING:
    from PIL import Image

    Given = str | os.PathLike[str] | bytes | bytearray | memoryview | UInt8Array | Image.Image

_EXPECTED = "a path, an address, bytes, a numpy array or a Pillow image"
# Modes that Pillow turns into RGB as they look; those of one number a pixel it would cut off.
_PILLOW_MODES = frozenset(
    {"1", "CMYK", "HSV", "L", "LA", "LAB", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"}
)


@dataclass(frozen=True)
class Reading:
    """How pictures are read.

    Attributes:
        timeout: seconds a server may be silent.
        max_pixels: larger pictures are not read.
    """

    timeout: float
    max_pixels: int


def read_frame(given: Any, reading: Reading, *, rgb: bool = False) -> Frame:
    """Reads a picture.

    Args:
        given: the picture.
        reading: how to read it.
        rgb: whether an array's colours are in the order red, green, blue.

    Raises:
        SourceError: it is not there, or no picture that can be read.
        TypeError: it is nothing that could be a picture.
        ValueError: an array of another shape or type.
    """
    if isinstance(given, np.ndarray):
        return Frame("array", 0, 0.0, _checked(given, rgb=rgb))
    if isinstance(given, bytes | bytearray | memoryview):
        return Frame("bytes", 0, 0.0, decode_picture(bytes(given), "bytes", reading.max_pixels))
    if isinstance(given, str | os.PathLike):
        return _read_named(os.fsdecode(given), reading)
    if _is_pillow(given):
        return _read_pillow(given, reading)
    hint = ""
    if isinstance(given, int):
        hint = f"; camera {given} is read by detector.watch({given})"
    raise TypeError(f"expected {_EXPECTED}; got {type(given).__name__}{hint}")


def _checked(array: NDArray[Any], *, rgb: bool) -> UInt8Array:
    """Returns an array in OpenCV's order of colours, contiguous; itself if it is so already."""
    hint = ""
    if array.dtype != np.uint8:
        hint = "; scale it to 0..255 and convert it, as by (array * 255).astype('uint8')"
    elif array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        hint = "; a grey picture is made one by cv2.cvtColor(array, cv2.COLOR_GRAY2BGR)"
    elif array.ndim == 3 and array.shape[2] == 4:
        hint = "; drop the transparency by array[..., :3]"
    elif array.ndim == 4:
        hint = "; several pictures are given as a list"
    if hint or array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        order = "RGB" if rgb else "BGR"
        raise ValueError(
            f"expected an array of shape (H, W, 3) and type uint8, {order}; got shape "
            f"{array.shape} and type {array.dtype}{hint}"
        )
    return np.ascontiguousarray(array[..., ::-1] if rgb else array)


def _read_named(text: str, reading: Reading) -> Frame:
    """Reads the picture of a path or an address."""
    if not text.strip():
        raise ValueError(f"expected {_EXPECTED}; got an empty path")
    source = _open_named(text, reading)
    if source.is_moving:
        raise _no_picture(source.name, f"a {source.kind}")
    # A generator, whatever the protocol says, which lets go of the file.
    with closing(cast("Any", iter(source))) as frames:
        frame: Frame = next(frames)
    return frame


def _open_named(text: str, reading: Reading) -> Source:
    options = ReadOptions(timeout=reading.timeout, max_pixels=reading.max_pixels)
    name, where = split_name(text)
    if MARK in where:
        scheme = urlsplit(where.strip()).scheme
        if scheme in ("http", "https"):
            rest = where.strip().split(MARK, 1)[1]
            return open_address_of_pictures(f"{scheme}{MARK}{rest}", name, options)
        if scheme != "file":
            raise _no_picture(public_name(where), "a stream")
    local = local_path(text)
    if is_camera(local):
        raise _no_picture(text, "a camera")
    if is_folder(local):
        raise _no_picture(text, "a folder")
    return open_source(local, options)


def _no_picture(name: str, what: str) -> SourceError:
    return SourceError(f"{name}: is {what}, not a picture; detector.watch() goes through it")


def _is_pillow(given: Any) -> bool:
    # Who gives one has imported it.
    return any(cls.__module__ == "PIL.Image" for cls in type(given).__mro__)


def _read_pillow(picture: "Image.Image", reading: Reading) -> Frame:
    name = os.fsdecode(getattr(picture, "filename", "") or "image")
    if picture.mode not in _PILLOW_MODES:
        raise ValueError(
            f"{name}: expected a Pillow image of 8-bit colours, got mode {picture.mode}"
        )
    if 0 in picture.size:
        raise ValueError(f"{name}: expected a Pillow image with pixels, got size {picture.size}")
    refuse_large(picture.size, name, reading.max_pixels)
    try:
        image = upright_bgr(picture)
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow reads a file when its pixels are wanted.
        raise SourceError(f"{name}: cannot be decoded ({error})") from None
    return Frame(name, 0, 0.0, image)
