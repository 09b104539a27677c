"""Decodes posted pictures: ``python -m maskdet.serve.web.content.decoding PIXELS SCANS``.

A process of its own, which may be killed: strangers' pictures are read here by libraries in C. It
takes a length and so many bytes, as often as there are any, and answers each with a letter and a
length, then a picture or the reason why there is none; see `maskdet.serve.web.content.decoder`.
"""

import contextlib
import io
import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from maskdet.errors import SourceError, TooLargeError
from maskdet.files.heif import open_heif
from maskdet.media.frames import UInt8Array
from maskdet.media.inputs import jpeg
from maskdet.media.inputs.decoding import decode_picture, refuse_large
from maskdet.media.inputs.formats import HEAD, picture_format
from maskdet.media.inputs.pillow import DAMAGED, DecodingError, opened_by_pillow

# Before what is asked: its bytes. Before what is answered: what it is, and its bytes.
REQUEST, ANSWER = struct.Struct(">I"), struct.Struct(">cQ")
# Before a picture's pixels: height and width.
SHAPE = struct.Struct(">II")
PICTURE, NONE, TOO_LARGE = b"p", b"n", b"l"

# What cameras, phones and browsers save. Each says its size in its header; of TIFF and JPEG 2000,
# which can hold much in little, nobody has asked for any here.
_FORMATS = frozenset({"jpeg", "png", "gif", "webp", "heif", "avif"})
_NAME = "the picture"
_SCAN = b"\xff\xda"
# What decoding may take beyond the program itself: of a pixel, coefficients and copies, and for the
# libraries' own tables. Bytes.
_A_PIXEL, _AT_ALL = 24, 512 << 20


def decode_posted(data: bytes, pixels: int, scans: int) -> UInt8Array:
    """Decodes a posted picture once its header has said that it is within bounds.

    Args:
        data: its file.
        pixels: it may have no more.
        scans: a progressive JPEG may have no more.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        SourceError: it is none, is damaged, or of a format that is not taken.
        TooLargeError: it has too many pixels, or is a JPEG with too many scans.
    """
    found = picture_format(data[:HEAD])
    if found not in _FORMATS:
        raise SourceError("takes JPEG, PNG, GIF, WebP, HEIC and AVIF pictures")
    refuse_large(_size_of(data, found), _NAME, pixels)
    # In a scan's own data 0xFF is never followed by this byte; previews add a few.
    if found == "jpeg" and data.count(_SCAN) > scans:
        raise TooLargeError(f"{_NAME}: is a JPEG of more than {scans} scans")
    return decode_picture(data, _NAME, pixels)


def _size_of(data: bytes, found: str) -> tuple[int, int]:
    """Returns width and height by the header, which must say them."""
    size: tuple[int, int] | None = None
    try:
        if found == "jpeg":
            size = jpeg.size_of(data)
        elif found == "heif":
            size = open_heif(data).size
        else:
            with opened_by_pillow(io.BytesIO(data)) as picture:
                size = picture.size
    except (DecodingError, *DAMAGED):
        size = None
    if size is None:
        raise SourceError(f"{_NAME}: is damaged")
    return size


def serve(asked: BinaryIO, answered: BinaryIO, pixels: int, scans: int) -> None:
    """Decodes pictures until there are no more."""
    while len(head := asked.read(REQUEST.size)) == REQUEST.size:
        data = asked.read(REQUEST.unpack(head)[0])
        try:
            image = decode_posted(data, pixels, scans)
        except MemoryError:
            kind, parts = TOO_LARGE, [f"{_NAME}: takes too much memory to decode".encode()]
        except TooLargeError as error:
            kind, parts = TOO_LARGE, [str(error).encode()]
        except SourceError as error:
            kind, parts = NONE, [str(error).encode()]
        else:
            kind, parts = PICTURE, [SHAPE.pack(*image.shape[:2]), image.tobytes()]
        answered.write(ANSWER.pack(kind, sum(map(len, parts))))
        answered.writelines(parts)
        answered.flush()


def _limit_resources(pixels: int) -> None:
    """Takes no more memory than pictures need, and leaves no core file, where that can be set."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Of what it is by now, as much address space is mapped as its libraries want.
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = mapped + _AT_ALL + _A_PIXEL * pixels
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    limits = [int(word) for word in sys.argv[1:]]
    _limit_resources(limits[0])
    # What a library says goes elsewhere.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, *limits)
