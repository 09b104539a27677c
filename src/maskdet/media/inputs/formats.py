"""What a file is: by its first bytes where they tell, else by the ending of its name."""

import re
from pathlib import Path
from typing import Literal

from maskdet.suffixes import PICTURE_SUFFIXES, RAW_SUFFIXES, SIDECAR_SUFFIXES, VIDEO_SUFFIXES

FileKind = Literal["picture", "video"]

# So many bytes tell what a file is: some packets of a transport stream, an ftyp box and its brands.
HEAD = 1024

# Of one picture after another, without a container; the first looks like a JPEG.
SERIES_SUFFIXES = frozenset({".mjpeg", ".mjpg"})
# Names that other programs give their own files, too: TypeScript, Go's modules.
_AMBIGUOUS_SUFFIXES = frozenset({".mod", ".mts", ".ts"})
_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\0\x0cJXL ", "jpegxl"),
    (b"\xff\x0a", "jpegxl"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
# The brands of ISO 23008-12 and AV1 Image File Format; the others of ISO 14496-12 are videos'.
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"})
_HEIF_SERIES_BRANDS = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"})
_VIDEO_MAGIC = re.compile(
    rb"....(?:ftyp|moov|mdat|wide)|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|OggS"
    rb"|\0\0\x01\xba|\x30\x26\xb2\x75"
    # Transport streams: packets of 188 bytes, with 4 before each on Blu-ray and AVCHD.
    rb"|.{0,191}?G(?:(?:.{187}G){3}|(?:.{191}G){3})",
    re.DOTALL,
)


def picture_format(head: bytes) -> str | None:
    """Returns which picture format the first bytes of a file are of.

    Args:
        head: the first `HEAD` bytes, or more.

    Returns:
        ``jpeg``, ``png``, ``gif``, ``webp``, ``tiff``, ``jpeg2000``, ``jpegxl``, ``heif``,
        ``avif``; ``heif series`` or ``avif series`` for those that move; ``None`` for videos, for
        formats of no clear mark (BMP, PNM), and for all else.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(head[:4], "big"), HEAD)
    major, brands = head[8:12], {head[at : at + 4] for at in range(8, length - 3, 4)}
    if major == b"avis" or b"avif" in brands:
        return "avif series" if major == b"avis" else "avif"
    if major in _HEIF_BRANDS:
        return "heif"
    return "heif series" if major in _HEIF_SERIES_BRANDS else None


def is_still_brand(brand: str) -> bool:
    """Tells whether a file with this major brand, of ISO 14496-12, is one picture."""
    return brand == "avif" or brand.encode() in _HEIF_BRANDS


def is_animated(head: bytes) -> bool:
    """Tells by a file's first bytes whether it is a WebP, AVIF or PNG picture that moves."""
    found = picture_format(head)
    return (
        (found == "webp" and head[12:16] == b"VP8X" and bool(head[20] & 2))
        or (found == "png" and b"acTL" in head)
        or found == "avif series"
    )


def read_head(path: Path) -> bytes:
    """Returns a file's first bytes; none where it cannot be read, or is no regular file."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def kind_of(path: Path) -> FileKind | None:
    """Tells whether a file is a picture or a video; ``None`` for neither.

    Its first bytes go before its name, as phones and browsers call HEIC and WebP pictures ``.jpg``,
    and there are names without an ending.
    """
    suffix = path.suffix.lower()
    if suffix in RAW_SUFFIXES | SIDECAR_SUFFIXES:
        return None
    head = read_head(path)
    found = picture_format(head)
    if found == "heif series":
        return "video"
    if found is not None and suffix not in SERIES_SUFFIXES:
        return "picture"
    if _VIDEO_MAGIC.match(head):
        return "video"
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES - _AMBIGUOUS_SUFFIXES else None
