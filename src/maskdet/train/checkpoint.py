"""What an interrupted run needs to go on: weights, optimizer, random state, place in the plan.

Plain arrays in an ``.npz`` file, read without pickle: loading runs nothing from the file.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.errors import ModelError, OutputError
from maskdet.files.documents import parse_json


@dataclass
class Progress:
    """Where a run is.

    Attributes:
        fingerprint: of data and architecture; a run goes on only where it is the same.
        phase: number of the current phase.
        epoch: passes of this phase that are done.
        best_loss: lowest validation loss so far; of faces, 1 less the average precision.
        best_epoch: number, over all phases, of the pass that reached it.
        waited: passes since this phase last improved.
        phase_loss: lowest validation loss of this phase.
        history: one row a pass.
    """

    fingerprint: str
    phase: int = 0
    epoch: int = 0
    best_loss: float = float("inf")
    best_epoch: int = -1
    waited: int = 0
    phase_loss: float = float("inf")
    history: list[dict[str, Any]] = field(default_factory=list)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Writes an ``.npz`` file whole or not at all.

    Raises:
        OutputError: it cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, **arrays)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def read_arrays(path: Path) -> dict[str, Any]:
    """Reads an ``.npz`` file whole; nothing from the file is run.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or no ``.npz`` file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    # RuntimeError: the archive asks for a password, or is packed as nobody packs it.
    except (EOFError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from None


def save(path: Path, progress: Progress, variables: Sequence[Any]) -> None:
    """Saves where a run is, with the value of each variable.

    Raises:
        OutputError: it cannot be written.
    """
    arrays = {f"v{number}": np.asarray(value) for number, value in enumerate(variables)}
    words = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
    write_arrays(path, {"progress": words, **arrays})


def load(path: Path) -> tuple[Progress, list[Any]]:
    """Returns what `save` saved.

    Raises:
        ModelError: there is no checkpoint, or it is damaged.
    """
    try:
        arrays = read_arrays(path)
        progress = Progress(**parse_json(arrays["progress"].tobytes().decode()))
        values = [arrays[f"v{number}"] for number in range(len(arrays) - 1)]
    except FileNotFoundError:
        raise ModelError(f"{path}: is not there") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{path}: is not a checkpoint of maskdet, or is damaged") from None
    return progress, values
