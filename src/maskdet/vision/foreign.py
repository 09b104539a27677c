"""Classifiers of others, as many scripts leave them: converted the first time, then kept."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from maskdet.assets import cache_folder, sha256
from maskdet.errors import ModelError
from maskdet.extras import require
from maskdet.vision.classifier import find_card

# Keras's old format under the names that scripts give it.
_LEGACY_SUFFIXES = frozenset({".h5", ".hdf5", ".model"})


def find_or_convert_card(model: Path | None, log: Callable[[str], None]) -> Path:
    """Finds the card of the model that the user named, converting a model of others if need be.

    The conversion is kept in the user's cache under the file's hash. TensorFlow does it, in a
    process of its own.

    Args:
        model: what `find_card` takes, or a Keras file that is not maskdet's: legacy HDF5 (``.h5``,
            ``.hdf5``, ``.model``), or ``.keras`` without a card beside it.
        log: told that a model is being converted.

    Raises:
        ModelError: there is no such model, or it cannot be converted.
        MissingExtraError: it has to be converted, and TensorFlow is not installed.
    """
    if model is None or not _is_foreign(model):
        return find_card(model)
    target = cache_folder() / "converted" / sha256(model)[:16] / model.stem
    card = target.with_name(f"{target.name}.json")
    if card.is_file():
        return card
    require("train", f"{model}: converting a model of others")
    log(f"{model}: not maskdet's own format; converting it, once")
    done = subprocess.run(
        [sys.executable, "-m", "maskdet.train.classifier.conversion", str(model), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not card.is_file():
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise ModelError(f"{model}: cannot be converted ({lines[-1].removeprefix(f'{model}: ')})")
    return card


def _is_foreign(model: Path) -> bool:
    if not model.is_file():
        return False
    suffix = model.suffix.lower()
    return suffix in _LEGACY_SUFFIXES or (
        suffix == ".keras" and not model.with_suffix(".json").is_file()
    )
