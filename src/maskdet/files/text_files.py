"""Text that people give: read whichever program saved it, names found however they are spelled.

Windows programs save text in UTF-8 with a mark in front, in UTF-16 or in the code page of Western
Europe. A Mac writes an accent as a sign of its own behind its letter (decomposed, NFD), others
write both as one sign (composed, NFC): the same name on the screen, another one on disk.
"""

import codecs
import unicodedata
from pathlib import Path

# UTF-32's mark begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK = "\ufeff"  # as it is decoded
_WINDOWS = "cp1252"


def decode_text(data: bytes) -> str:
    r"""Decodes a text file: by its byte-order mark, else as UTF-8, else as Windows-1252.

    Never fails: what the encoding does not know becomes U+FFFD.

    Returns:
        The text without marks, each of its lines ended by ``\n``.
    """
    # Files joined to one keep the mark of each.
    text = _decoded(data).replace(_MARK, "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(path: Path) -> str:
    """Reads a text file that a person may have written with any program; see `decode_text`.

    Raises:
        OSError: it cannot be read.
    """
    return decode_text(path.read_bytes())


def composed(name: str) -> str:
    """Returns a name with accents composed (NFC), the form in which two spellings compare equal."""
    return unicodedata.normalize("NFC", name)


def as_on_disk(path: Path) -> Path:
    """Returns the path under which a file is there, should its accents be spelled another way.

    Returns:
        `path` itself if it exists, or if nothing of that name does.
    """
    found = Path(path.anchor)
    try:
        if path.exists():
            return path
        for part in path.relative_to(path.anchor).parts:
            step, wanted = found / part, composed(part)
            if not step.exists():
                step = next(other for other in found.iterdir() if composed(other.name) == wanted)
            found = step
    # No such name, no such folder, or a name too long for the disk.
    except (StopIteration, OSError):
        return path
    return found


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    # UTF-16 without its mark: in Western text every second byte is 0, and in no other encoding any.
    if data[1:4:2] == b"\0\0" or data[:3:2] == b"\0\0":
        return data.decode("utf-16-le" if data[1] == 0 else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_WINDOWS, "replace")
