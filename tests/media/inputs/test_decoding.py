"""Pictures of every format, whole, cut, turned and far too large."""

import io
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from heic import heic
from maskdet.errors import SourceError
from maskdet.media.inputs.decoding import decode_picture, read_picture


@pytest.fixture
def face(samples: Path) -> NDArray[np.uint8]:
    """An (H, W, 3) RGB picture of sides that no tile divides."""
    with Image.open(samples / "astronaut.jpg") as picture:
        return np.asarray(picture.convert("RGB"))[:300, :200]


def _encoded(picture_rgb: NDArray[np.uint8], form: str, **options: object) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(picture_rgb).save(memory, form, **options)
    return memory.getvalue()


def _difference(decoded_bgr: NDArray[np.uint8], expected_rgb: NDArray[np.uint8]) -> float:
    assert decoded_bgr.shape == expected_rgb.shape
    return float(np.abs(decoded_bgr[..., ::-1].astype(int) - expected_rgb).mean())


@pytest.mark.parametrize(("turns", "exif"), [(0, 1), (1, 8), (2, 3), (3, 6), (3, 1), (0, 6)])
def test_heic_is_joined_and_turned_once(face: NDArray[np.uint8], turns: int, exif: int) -> None:
    """All tiles of a phone's picture are there, turned as the container says; EXIF repeats it."""
    decoded = decode_picture(heic(face, 128, turns=turns, exif=exif), "a.heic")
    assert _difference(decoded, np.rot90(face, turns)) < 4
    # It is drawn on.
    decoded[0, 0] = 0


def test_heic_by_another_name(tmp_path: Path, face: NDArray[np.uint8]) -> None:
    """What a picture is, its first bytes say: phones send HEIC that is called JPEG."""
    (tmp_path / "IMG_0001.jpg").write_bytes(heic(face, 128))
    assert read_picture(tmp_path / "IMG_0001.jpg").shape == face.shape


def test_damaged_heic(face: NDArray[np.uint8]) -> None:
    """Cut short or overwritten, it is an error of one line."""
    whole = heic(face, 128)
    for broken in (whole[:40], whole[:-200], whole[:200] + bytes(len(whole) - 200)):
        with pytest.raises(SourceError, match=r"a\.heic: cannot be decoded \(.+\)$"):
            decode_picture(broken, "a.heic")


@pytest.mark.parametrize("form", ["AVIF", "BMP", "GIF", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"])
def test_formats(face: NDArray[np.uint8], form: str) -> None:
    """Every format that people's programs write is read, in its colours."""
    assert _difference(decode_picture(_encoded(face, form), "a"), face) < 6


def test_avif_is_turned(face: NDArray[np.uint8]) -> None:
    """An AVIF picture's orientation is heeded as a JPEG's is."""
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_picture(_encoded(face, "AVIF", exif=exif), "a.avif")
    assert _difference(decoded, np.rot90(face, 3)) < 6


def test_jpeg_xl_is_named() -> None:
    """What is not read is called by its name."""
    for start in (b"\xff\x0a\xfa\x7f", b"\0\0\0\x0cJXL \r\n\x87\n"):
        with pytest.raises(SourceError, match=r"is JPEG XL, which is not read; save it as JPEG"):
            decode_picture(start + bytes(100), "a.jxl")


@pytest.mark.parametrize(
    "tail",
    [
        b"\0\0\0\x18ftypmp42" + b"\xff\xda\0\x08\x01" * 20,
        b"\xff\xd8\xff\xe1\0\x10Exif\0\0" + b"\xff\xda" * 9,
        bytes(4096),
        b"\xff\xda",
    ],
    ids=["motion photo", "second picture", "zeros", "scan"],
)
def test_what_follows_a_jpeg(face: NDArray[np.uint8], tail: bytes) -> None:
    """A phone's video behind the picture, a second picture or padding do not matter.

    As in the case jpeg_tails/motion_photo.jpg.
    """
    whole = _encoded(face, "JPEG", quality=95)
    assert (decode_picture(whole + tail, "a.jpg") == decode_picture(whole, "a.jpg")).all()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_jpeg_without_end_marker(
    face: NDArray[np.uint8], options: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whole but for its last two bytes, a JPEG is read; with less it is cut short.

    As in the case jpeg_tails/no_eoi.jpg.
    """
    whole = _encoded(face, "JPEG", quality=95, **options)
    for lacking in (1, 2):
        decoded = decode_picture(whole[:-lacking], "a.jpg")
        assert (decoded == decode_picture(whole, "a.jpg")).all()
    for lacking in (40, 400, len(whole) // 2, len(whole) - 700):
        with pytest.raises(SourceError, match=r"a\.jpg: is cut short"):
            decode_picture(whole[:-lacking], "a.jpg")
    assert capfd.readouterr().err == ""


def _huge_png(width: int, height: int) -> bytes:
    """Returns a PNG of a few kilobytes that states a size, one bit a pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    squeezer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    rows = b"".join(squeezer.compress(row) for _ in range(min(height, 100))) + squeezer.flush()
    header = struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def _stated_sizes() -> dict[str, bytes]:
    bitmap = bytearray(_encoded(np.zeros((8, 8, 3), np.uint8), "BMP"))
    struct.pack_into("<2i", bitmap, 18, 40_000, 30_000)
    jpeg = bytearray(_encoded(np.zeros((8, 8, 3), np.uint8), "JPEG"))
    struct.pack_into(">2H", jpeg, jpeg.index(b"\xff\xc0") + 5, 30_000, 40_000)
    gif = bytearray(_encoded(np.zeros((8, 8, 3), np.uint8), "GIF"))
    struct.pack_into("<2H", gif, 6, 40_000, 30_000)
    return {
        "png": _huge_png(40_000, 30_000),
        "bmp": bytes(bitmap),
        "jpg": bytes(jpeg),
        "gif": bytes(gif),
        "ppm": b"P6\n40000 30000\n255\n" + bytes(100),
        "pam": b"P7\nWIDTH 40000\nHEIGHT 30000\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n",
        "hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 40000\n" + bytes(100),
    }


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg", "gif", "ppm", "pam", "hdr"])
def test_huge_pictures_are_refused_by_their_header(suffix: str) -> None:
    """A few bytes that state 1.2 thousand million pixels take no memory; as the case huge.png."""
    data = _stated_sizes()[suffix]
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"has 40000x30000 pixels, more than 200 million; scale"):
        decode_picture(data, "a")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_the_limit_can_be_raised_and_lowered(face: NDArray[np.uint8]) -> None:
    """60,000 pixels are read or not, whoever decodes the format."""
    assert decode_picture(_huge_png(20_000, 50), "a.png", 1_000_000).shape == (50, 20_000, 3)
    for data in (_encoded(face, "PNG"), _encoded(face, "AVIF"), heic(face, 128)):
        assert decode_picture(data, "a", 60_000).shape == face.shape
        with pytest.raises(SourceError, match=r"has 200x300 pixels, more than 0\.059999 million"):
            decode_picture(data, "a", 59_999)
    assert Image.MAX_IMAGE_PIXELS is not None


def test_garbage_is_refused(face: NDArray[np.uint8]) -> None:
    """Whatever is overwritten in a picture, it is read or refused."""
    rng = np.random.default_rng(0)
    forms = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
    for whole in [*(_encoded(face[:64, :64], form) for form in forms), heic(face[:64, :64], 64)]:
        for _ in range(12):
            data = bytearray(whole)
            where = rng.integers(0, min(len(data), 400), 6)
            for at in where:
                data[at] = rng.integers(0, 256)
            with suppress(SourceError):
                decode_picture(bytes(data[: rng.integers(20, len(data) + 1)]), "a")
