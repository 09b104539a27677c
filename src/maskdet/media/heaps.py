"""Keeps a process whose threads hand large pictures on from holding memory that it has let go."""

import ctypes
import sys
from typing import Any

# Of glibc's mallopt(3): by default each thread that waits for another gets an arena of its own,
# and what was freed in one is of no use to the others.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_ARENAS = 2
# A picture is given back to the system when it is let go. Bytes.
_LARGE = 1 << 18


def save_memory() -> bool:
    """Asks the C library to share its heaps; call it before threads are begun.

    Returns:
        Whether it has heard: others than glibc have no such words.
    """
    return _told((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE))


def share_one_heap() -> bool:
    """Lets all threads take memory from one heap; call it before threads are begun.

    Frames are allocated in one thread and freed in another. With a heap a thread, as glibc has it,
    what one frees the others cannot take: 17 to 26 MB of `maskdet detect` on a 720p video, for
    which nothing is faster.

    Returns:
        Whether the C library has heard.
    """
    return _told((_ARENA_MAX, 1))


def give_back_memory() -> None:
    """Asks the C library to return what lies between what is in use; takes milliseconds."""
    trim = _word("malloc_trim")
    if trim is not None:
        trim(0)


def _told(*settings: tuple[int, int]) -> bool:
    mallopt = _word("mallopt")
    return mallopt is not None and all(mallopt(name, value) == 1 for name, value in settings)


def _word(name: str) -> Any:
    """Returns a function of the C library, ``None`` where it has none of this name."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
