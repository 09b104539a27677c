"""Keeps a process of many threads and large pictures from holding memory that it has let go."""

import ctypes
import sys

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
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE))
    return all(mallopt(name, value) == 1 for name, value in settings)


def give_back_memory() -> None:
    """Asks the C library to return what lies between what is in use; takes milliseconds."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
