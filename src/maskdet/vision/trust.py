"""Makes sure that a network file of somebody else's does not end the process that loads it.

What reads networks trusts their bytes: a damaged file makes it write to memory that is not its own,
which ends the process without a word, or goes on with anything. So a file that does not come with
maskdet is loaded and run once in a process of its own, which may die of it. What was seen to run
is remembered under the file's hash, in the user's cache where that can be written.
"""

import contextlib
import functools
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from maskdet.assets import bundled, cache_folder, read_card, sha256
from maskdet.errors import ModelError

TRIAL_SECONDS = 60.0
"""A network that takes longer to load and run is of no use to anybody."""

REFUSED = 3
"""Exit code of a trial in which the runtime itself said what is wrong, on standard output."""

_BUNDLED_CARDS = (
    "models/mask_detector.json",
    "models/mask_detector3.json",
    "face_detector/ssd_faces.json",
    "face_detector/original/ssd_res10.json",
)
_RUNTIMES = ("ai-edge-litert", "opencv-python", "opencv-python-headless")

# Of this process: where no cache can be written, a trial costs once a process.
_run_before: set[str] = set()


def check(files: Sequence[Path], trial: Sequence[str], *, known: Collection[str] = ()) -> None:
    """Runs a network in a process of its own, unless it is known to run.

    Args:
        files: of the network.
        trial: kind and shape, as `maskdet.vision.trial` takes them.
        known: hashes of files that are trusted besides those that come with maskdet.

    Raises:
        ModelError: the network cannot be read, or whoever loads it dies of it.
    """
    try:
        hashes = [sha256(file) for file in files]
    except OSError as error:
        raise ModelError(f"{files[-1]}: cannot be read ({error.strerror})") from None
    if set(hashes) <= _bundled_hashes() | set(known):
        return
    # What runs on one version of a library may bring down another.
    name = "-".join([*trial, *(digest[:32] for digest in hashes), _versions()])
    if name in _run_before or _is_remembered(name):
        return
    _try_out(files, trial)
    _run_before.add(name)
    _remember(name)


@functools.cache
def _bundled_hashes() -> frozenset[str]:
    hashes: set[str] = set()
    for card in _BUNDLED_CARDS:
        # Where one is missing, whoever wants that network is told.
        with contextlib.suppress(ModelError):
            hashes.update(entry["sha256"] for entry in read_card(bundled(card))["files"].values())
    return frozenset(hashes)


@functools.cache
def _versions() -> str:
    # Seldom needed, and a tenth of what the commands take to start.
    import importlib.metadata

    versions = []
    for runtime in _RUNTIMES:
        try:
            versions.append(importlib.metadata.version(runtime))
        except importlib.metadata.PackageNotFoundError:
            continue
    return "-".join([platform.machine(), *versions])


def _place(name: str) -> Path:
    return cache_folder() / "run_before" / name


def _is_remembered(name: str) -> bool:
    try:
        return _place(name).is_file()
    except OSError:
        return False


def _remember(name: str) -> None:
    place = _place(name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError:
        return  # read-only, full: then it is tried out anew in the next process


def _try_out(files: Sequence[Path], trial: Sequence[str]) -> None:
    path = files[-1]
    # The child finds maskdet where this process has it from, and nothing in the current folder.
    python_path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PYTHONPATH": python_path,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "maskdet.vision.trial", *trial, *map(str, files)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TRIAL_SECONDS,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{path}: is damaged, or too slow: it does not run within {TRIAL_SECONDS:g} seconds"
        ) from None
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be tried out in a process of its own ({error.strerror})"
        ) from None
    if done.returncode == 0:
        return
    output, errors = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    if done.returncode == REFUSED:
        raise ModelError(output.strip())
    if done.returncode < 0:
        raise ModelError(
            f"{path}: is damaged: whatever runs it ends by {_signal_name(-done.returncode)}; get "
            "the file anew from where it came"
        )
    reason = (errors.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    raise ModelError(f"{path}: cannot be tried out in a process of its own ({reason})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
