"""What sources are called: by the user (``door=rtsp://...``), and in the names of files."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from maskdet.addresses import HIDDEN, MARK, public_mistake
from maskdet.errors import SourceError
from maskdet.media.files import shortened
from maskdet.media.frames import Source

# A name, an equals sign, a source. No slash, colon or question mark: those are of paths and
# addresses.
_NAMED = re.compile(r"\s*([^\W_][\w .-]*?)\s*=\s*(\S.*)", re.DOTALL)
# Room for a number, and for the suffix.
_LONGEST_STEM = 240


def split_name(text: str) -> tuple[str | None, str]:
    """Divides ``door=rtsp://...`` into the name that the user gives a source, and the source.

    Args:
        text: what the user named; not a path that exists, which may have an equals sign.

    Returns:
        The name, ``None`` where there is none, and what it is the name of.
    """
    found = _NAMED.fullmatch(text)
    return (found[1], found[2]) if found else (None, text)


def refuse_repeats(names: Iterable[str]) -> None:
    """Refuses what is named twice, and would be seen twice.

    Raises:
        SourceError: something is.
    """
    for name, times in Counter(names).items():
        if times > 1:
            raise SourceError(f"{public_mistake(name)}: is named {times} times")


def tell_apart(sources: Sequence[Source]) -> None:
    """Numbers the cameras whose addresses differ in nothing but what is hidden.

    Raises:
        SourceError: two other sources have one name, and records could not tell them apart.
    """
    seen: Counter[str] = Counter()
    for source in sources:
        seen[source.name] += 1
        if MARK in source.name and seen[source.name] > 1:
            source.name = f"{source.name} ({seen[source.name]})"
    refuse_repeats(source.name for source in sources)


def file_stem(source: Source) -> str:
    """Makes the stem of a file name of a moving source's name.

    "camera 0" becomes "camera-0", a path its last part, and so does the address of a video.
    """
    name = source.name
    if MARK in name:
        if source.is_live:
            return address_stem(name)
        name = name.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
        name = Path(name).stem
    # A name that the user gave may have a full stop in it.
    elif source.paths and Path(name) == source.paths[0]:
        name = Path(name).stem
    return shortened(_safe(name), _LONGEST_STEM) or "stream"


def address_stem(address: str) -> str:
    """Makes the stem of a file name of all in an address that tells cameras apart.

    Args:
        address: as `maskdet.addresses.public_name` has it. Its server, port, path and query stay.
    """
    # What is hidden would look like a part of the name.
    end = re.sub(rf"[\w.%-]*={re.escape(HIDDEN)}", "", address.split(MARK, 1)[-1])
    return shortened(re.sub("[-_]{2,}", "-", _safe(end)).strip("-_."), _LONGEST_STEM) or "stream"


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
