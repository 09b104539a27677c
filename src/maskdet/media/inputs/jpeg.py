"""What a JPEG's own markers say: how large it is, and whether it is whole."""

import re
from collections.abc import Iterator

END = b"\xff\xd9"
# Between scans; inside of them 0xFF is followed by a zero or a restart marker.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
_START, _END = 0xD8, 0xD9
# Frame headers (ITU-T T.81, table B.1): three codes among them are of tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(data: bytes) -> tuple[int, int] | None:
    """Returns a JPEG's width and height; ``None`` where its header does not say them."""
    for code, at in _segments(data):
        if code in _FRAMES:
            height, width = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (3, 5))
            return (width, height) if width and height else None
    return None


def has_end(data: bytes) -> bool:
    """Tells whether a JPEG's own end marker is there, following its segments and scans.

    Previews inside of it, and videos behind it, have the same bytes.
    """
    return any(code == _END for code, _ in _segments(data))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yields each marker's code and where what follows it begins: its length, for most."""
    at = 2
    while (marker := _MARKER.search(data, at)) is not None:
        code, at = marker[1][0], marker.end()
        yield code, at
        if code != _START:
            at += int.from_bytes(data[at : at + 2], "big")
