"""Writes HEIC pictures as phones do: a grid of tiles, each encoded by itself."""

import io
import struct

import av
import numpy as np
from numpy.typing import NDArray

# A TIFF header with one tag: the orientation, to be filled in.
_EXIF = b"\0\0\0\x06Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, version: int, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _encode_tile(tile_rgb: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Returns the decoder's configuration and the coded picture of an (H, W, 3) tile."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1)
        stream.height, stream.width = tile_rgb.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"x265-params": "log-level=none:keyint=1", "crf": "20"}
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(tile_rgb), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    memory.seek(0)
    data = memory.getvalue()
    at = data.index(b"hvcC") - 4
    config = data[at : at + int.from_bytes(data[at : at + 4], "big")]
    with av.open(memory) as container:
        coded = b"".join(bytes(packet) for packet in container.demux(video=0) if packet.size)
    return config, coded


def heic(picture_rgb: NDArray[np.uint8], tile: int, *, turns: int = 0, exif: int = 1) -> bytes:
    """Encodes a picture as HEIC.

    Args:
        picture_rgb: (H, W, 3) uint8.
        tile: side of the tiles; the picture is cropped out of the whole grid, as the format has it.
        turns: quarter turns, counter-clockwise, by which the file says it is to be turned.
        exif: what its EXIF part says of the same: to be left alone by who heeds `turns`.
    """
    height, width = picture_rgb.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    padding = ((0, rows * tile - height), (0, columns * tile - width), (0, 0))
    padded = np.pad(picture_rgb, padding, "edge")
    coded: list[bytes] = []
    for top in range(0, rows * tile, tile):
        for left in range(0, columns * tile, tile):
            config, data = _encode_tile(padded[top : top + tile, left : left + tile])
            coded.append(data)
    count = len(coded)
    grid, tag = count + 1, count + 2
    items = [*coded, struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, width, height)]
    items.append(_EXIF % exif)
    kinds = [b"hvc1"] * count + [b"grid", b"Exif"]

    properties = _box(
        b"ipco",
        config,
        _full(b"ispe", 0, struct.pack(">2I", tile, tile)),
        _full(b"ispe", 0, struct.pack(">2I", width, height)),
        _box(b"irot", bytes([turns])),
    )
    uses = [struct.pack(">HB2B", number + 1, 2, 0x81, 0x02) for number in range(count)]
    uses.append(struct.pack(">HB2B", grid, 2, 0x03, 0x84))
    entries = [
        _full(b"infe", 2, struct.pack(">HH4sx", number, 0, kind), flags=int(number <= count))
        for number, kind in enumerate(kinds, 1)
    ]
    tiles = struct.pack(f">HH{count}H", grid, count, *range(1, count + 1))
    references = _full(
        b"iref", 0, _box(b"dimg", tiles), _box(b"cdsc", struct.pack(">3H", tag, 1, grid))
    )

    def meta(first: int) -> bytes:
        places, at = [], first
        for number, item in enumerate(items, 1):
            places.append(struct.pack(">HHHII", number, 0, 1, at, len(item)))
            at += len(item)
        return _full(
            b"meta",
            0,
            _full(b"hdlr", 0, struct.pack(">I4s12xx", 0, b"pict")),
            _full(b"pitm", 0, struct.pack(">H", grid)),
            _full(b"iinf", 0, struct.pack(">H", len(items)), *entries),
            references,
            _box(b"iprp", properties, _full(b"ipma", 0, struct.pack(">I", len(uses)), *uses)),
            _full(b"iloc", 0, b"\x44\x00", struct.pack(">H", len(items)), *places),
        )

    start = _box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")
    begin = len(start) + len(meta(0)) + 8
    return start + meta(begin) + _box(b"mdat", *items)
