"""Classifiers of others, as many scripts leave them: converted the first time, then kept."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from maskdet.assets import cache_folder, read_card, sha256
from maskdet.errors import ModelError
from maskdet.extras import require
from maskdet.vision.card import KERAS, ClassifierCard, key_of_keras, read_classifier_card
from maskdet.vision.classifier import find_card
from maskdet.vision.described import companions, is_card

# Keras's old format under the names that scripts give it.
_LEGACY_SUFFIXES = frozenset({".h5", ".hdf5", ".model"})
# Of the conversion. A change of what it makes of a file makes the files made before unused.
_VERSION = 2
# How the conversion ends where the user can mend it; its last line says how.
MENDABLE = 3


def find_or_convert_card(model: Path | None, log: Callable[[str], None]) -> Path:
    """Finds the card of the model that the user named, converting a model of others if need be.

    The conversion is kept in the user's cache under the hash of what it was made from. TensorFlow
    does it, in a process of its own.

    Args:
        model: what `find_card` takes, or a Keras model that is not maskdet's: HDF5 (``.h5``,
            ``.hdf5``, ``.model``), ``.keras`` without a card beside it, or a SavedModel folder.
        log: told that a model is being converted, and each time what was assumed about it.

    Raises:
        ModelError: there is no such model, or it cannot be converted.
        MissingExtraError: it has to be converted, and TensorFlow is not installed.
    """
    if model is None or not _is_foreign(model):
        card = find_card(model)
        if model is not None and model.suffix.lower() == KERAS:
            _say_what_runs(model, read_classifier_card(card), log)
        return card
    target = cache_folder() / "converted" / _key(model) / model.stem
    card = target.with_name(f"{target.name}.json")
    if not card.is_file():
        require("train", f"{model}: converting a model of others")
        log(f"{model}: not maskdet's own format; converting it, once")
        _convert(model, target)
    notes = read_card(card).get("notes")
    if notes:
        log(f"{model}: {notes}")
    return card


def _say_what_runs(model: Path, card: ClassifierCard, log: Callable[[str], None]) -> None:
    """Says so where no file of the card answers just as the Keras file that was named."""
    key = key_of_keras(card.files)
    entry = card.files.get(key)
    if entry is not None and entry.precision not in (None, "float32"):
        log(f"{model}: is for training; {entry.name} ({entry.precision}), made from it, is run")


def _is_foreign(model: Path) -> bool:
    suffix = model.suffix.lower()
    if model.is_dir():
        return (model / "saved_model.pb").is_file()
    if not model.is_file():
        return False
    return suffix in _LEGACY_SUFFIXES or (
        suffix == KERAS and not is_card(model.with_suffix(".json"))
    )


def _key(model: Path) -> str:
    """Returns what a conversion is kept under: by what it was made from and by which code."""
    whole = hashlib.sha256(f"version {_VERSION}".encode())
    for path in _parts(model):
        whole.update(f"\n{path.name} {sha256(path)}".encode())
    return whole.hexdigest()[:16]


def _parts(model: Path) -> Iterator[Path]:
    if model.is_dir():
        yield from sorted(path for path in model.rglob("*") if path.is_file())
    else:
        yield model
    yield from companions(model)


def _convert(model: Path, target: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maskdet.train.others", str(model), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == MENDABLE:
        reason = done.stderr.strip().splitlines()[-1]
        raise ModelError(f"{model}: cannot be converted ({reason.removeprefix(f'{model}: ')})")
    if done.returncode < 0:
        raise ModelError(
            f"{model}: cannot be converted (that ended with signal {-done.returncode}: the file is "
            "damaged, or there is too little memory)"
        )
    if done.returncode != 0:
        raise RuntimeError(f"converting {model} failed:\n{done.stderr}")
