"""Which of a model's files runs fastest here: `--precision auto`.

With instructions that multiply and add 8-bit numbers in one step, int8 takes half the time of
float16; without them it may take longer. So the processor's instructions decide. Where the system
does not tell them, as on Windows, each file is run for a moment, once for a processor and a model:
the answer is kept in the user's cache, so that it, and with it what is found, stays the same.
"""

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from maskdet.assets import cache_folder
from maskdet.cards.card import CardFile
from maskdet.processor import Processor, processor
from maskdet.vision.runtime import Network

AUTO = "auto"
"""Stands for the precision that is fastest here, of those that a card calls interchangeable."""

_WARM_UP, _RUNS = 1, 5

# Of this process: where no cache can be written, a model is timed once a process.
_timed_before: dict[str, str] = {}


def fastest(
    default: str,
    files: Mapping[str, CardFile],
    path_of: Callable[[str], Path],
    size: int,
    here: Processor | None = None,
) -> str:
    """Returns the precision that is fastest on this processor.

    Args:
        default: what runs where nothing speaks for another.
        files: precision to file: the default and what may stand in for it.
        path_of: finds the file of a precision.
        size: side in pixels of the input to time the files at, where that is needed.
        here: the processor; ``None`` asks for it.

    Raises:
        ModelError: a file that is to be timed is missing or damaged.
    """
    if len(files) < 2 or "int8" not in files:
        return default
    here = here or processor()
    if here.dot_products is not None:
        return "int8" if here.dot_products else default
    hashes = "".join(files[precision].sha256 for precision in sorted(files))
    key = f"{here.name} {here.architecture} {size} {hashes}"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    known = _timed_before.get(name) or _remembered(name)
    if known is None or known not in files:
        known = min(sorted(files), key=lambda precision: _seconds(path_of(precision), size))
        _remember(name, known)
    _timed_before[name] = known
    return known


@functools.cache
def _pixels(shape: tuple[int, ...]) -> "np.typing.NDArray[np.uint8]":
    # Seeded noise, as zeros may take a processor less time.
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _seconds(path: Path, size: int) -> float:
    """Returns the least processor time of a few runs: a busy machine should not decide."""
    network = Network(path, input_shape=(1, size, size, 3))
    times = []
    for number in range(_WARM_UP + _RUNS):
        start = time.thread_time()
        network.run(_pixels(network.input_shape))
        if number >= _WARM_UP:
            times.append(time.thread_time() - start)
    return min(times)


def _place(name: str) -> Path:
    return cache_folder() / "fastest" / name


def _remembered(name: str) -> str | None:
    try:
        return _place(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _remember(name: str, precision: str) -> None:
    place = _place(name)
    # Read-only, full: then it is timed anew in the next process.
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{precision}\n", encoding="utf-8")
