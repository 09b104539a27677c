"""HEIC pictures and their like, opened by libheif: it joins tiles, turns and crops as they say."""

import re
from typing import Any

# What an item is: four letters. Others would end the process in pi-heif 1.4.
_ITEM = re.compile(rb"infe(?:\x02.{7}|\x03.{9})(.{4})", re.DOTALL)


def open_heif(data: bytes) -> Any:
    """Reads the header of a picture.

    Args:
        data: the file.

    Returns:
        A picture whose ``size`` is that of the picture when turned; its pixels are decoded when
        numpy asks for them, and are BGR. Turning it by its EXIF part would do it a second time.

    Raises:
        ValueError: it is damaged, or none; the message is the reason.
    """
    import pi_heif

    if not all(found[1].isascii() for found in _ITEM.finditer(data)):
        raise ValueError("an item of no known type")
    try:
        return pi_heif.open_heif(data, bgr_mode=True)
    # What it raises itself, and what its reading of damaged parts comes to.
    except (EOFError, LookupError, MemoryError, RuntimeError, SyntaxError, TypeError) as error:
        raise ValueError(str(error) or "unknown format") from None
