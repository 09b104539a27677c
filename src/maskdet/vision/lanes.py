"""How many frames are worked on at a time: as many as there are cores, where memory allows it."""

from pathlib import Path

from maskdet.processor import processor

LANE_MEMORY = 120 << 20
"""What a further lane takes at most, in bytes: the float16 face detector at 896 and 320 pixels."""

MOST_LANES = 6
"""More would wait. Decoding, reading faces and drawing take a frame 2 to 3 ms each, one frame at a
time: finding faces is no longer the slowest of them with so many. And frames may overtake one
another by no more than `maskdet.vision.faces.size_choice.DELAY`."""

# Others want some of what is free, and frames and files take some of it, too.
_SHARE_OF_FREE = 0.5

_MEMINFO = Path("/proc/meminfo")
# Limits of a container, as it sees them (cgroup v2).
_CGROUP = Path("/sys/fs/cgroup")


def lanes_here() -> int:
    """Returns for how many frames at a time this process has cores and memory."""
    lanes = min(MOST_LANES, cores_here())
    free = memory_free()
    if free is not None:
        lanes = min(lanes, int(free * _SHARE_OF_FREE) // LANE_MEMORY)
    return max(1, lanes)


def cores_here() -> int:
    """Counts the cores that this process may use: by the system, and by a container's quota."""
    cores = processor().cores
    quota = _words(_CGROUP / "cpu.max")
    # Microseconds of all cores together, in a period of so many.
    if len(quota) == 2 and all(word.isdecimal() for word in quota) and int(quota[1]):
        cores = min(cores, round(int(quota[0]) / int(quota[1])))
    return cores


def memory_free() -> int | None:
    """Returns how many bytes this process could still take; ``None`` where nothing says it."""
    free = []
    available = _number_after("MemAvailable:", _words(_MEMINFO))
    if available is not None:
        free.append(available * 1024)
    limit, used = _words(_CGROUP / "memory.max"), _words(_CGROUP / "memory.current")
    if limit and used and limit[0].isdecimal():
        # What is kept of files, for want of other use, is given up when it is needed.
        kept = _number_after("inactive_file", _words(_CGROUP / "memory.stat")) or 0
        free.append(max(0, int(limit[0]) - int(used[0]) + kept))
    return min(free) if free else None


def _number_after(key: str, words: list[str]) -> int | None:
    return int(words[words.index(key) + 1]) if key in words else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []
