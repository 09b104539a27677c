"""Finds the model files that come with maskdet, and checks that a file is the one its card names.

A *card* is the JSON file beside a model that says what it is: labels, input, crop margin, where it
comes from, and the sha256 of each file that belongs to it.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from maskdet.errors import ModelError
from maskdet.files.documents import read_json

_PACKAGE = Path(__file__).resolve().parent


def bundled(relative: str) -> Path:
    """Finds a file or folder that comes with maskdet.

    Args:
        relative: path from the top of the project, such as ``models/mask_detector.json``.

    Returns:
        Its place in the installed package, or in the checkout of an editable install.

    Raises:
        ModelError: the installation does not contain it.
    """
    for root in (_PACKAGE / "bundled", _PACKAGE.parents[1]):
        if (root / relative).exists():
            return root / relative
    raise ModelError(f"{relative} is not in this installation of maskdet: install it again")


def model_named(path: Path, suffix: str = ".json") -> Path:
    """Finds a model that comes with maskdet by its name alone, such as ``mask_detector3``.

    Args:
        path: what the user named; returned as it is where it exists or is no such name.
        suffix: of the file wanted of the model.
    """
    # What is no name of a file at all is none that is there.
    with contextlib.suppress(OSError, ValueError):
        if path.exists() or path.name != str(path) or path.suffix:
            return path
        with contextlib.suppress(ModelError):
            return bundled(f"models/{path}{suffix}")
    return path


def sha256(path: Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_card(path: Path) -> dict[str, Any]:
    """Reads a model card.

    Raises:
        ModelError: the file is missing, is not JSON, or is not a JSON object.
    """
    card = read_json(path, ModelError)
    if not isinstance(card, dict):
        raise ModelError(f"{path}: is not a model card (not a JSON object)")
    return card


def card_file(card_path: Path, card: dict[str, Any], key: str) -> Path:
    """Finds one of the files a card names and checks that it is the one the card was written for.

    Args:
        card_path: the card's own path; its files lie beside it.
        card: what `read_card` returned.
        key: which of the card's ``files``, such as ``tflite``.

    Returns:
        The path of the file.

    Raises:
        ModelError: the card names no such file, or the file is missing or not the card's.
    """
    try:
        name, expected = card["files"][key]["name"], card["files"][key]["sha256"]
    except (KeyError, TypeError):
        raise ModelError(f"{card_path}: names no {key!r} file") from None
    path = card_path.with_name(name)
    if not path.is_file():
        raise ModelError(f"{path}: no such file, though {card_path.name} names it")
    if sha256(path) != expected:
        raise ModelError(
            f"{path}: does not match {card_path.name} (truncated, or of another training run): "
            "copy the model's files together"
        )
    return path


def cache_folder() -> Path:
    """Returns where downloaded models are kept: ``$XDG_CACHE_HOME/maskdet``, or in ``~/.cache``.

    Of a user without a home it is a temporary folder.
    """
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named) / "maskdet"
    try:
        return Path.home() / ".cache" / "maskdet"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "maskdet"


def cached(name: str, url: str, expected: str, timeout: float = 30.0) -> Path:
    """Finds a file in the user's cache, downloading it the first time.

    Args:
        name: what it is called in the cache.
        url: where it comes from.
        expected: its sha256; anything else is not kept.
        timeout: seconds the server may be silent.

    Raises:
        ModelError: it cannot be downloaded or stored, or is not the expected file.
    """
    path = cache_folder() / name
    if path.is_file() and sha256(path) == expected:
        return path
    partial = path.with_name(f"{name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=timeout) as answer, partial.open("wb") as stream:
            shutil.copyfileobj(answer, stream)
        if sha256(partial) != expected:
            raise ModelError(f"{name} from {url} is not the expected file: not kept")
        partial.replace(path)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise ModelError(
            f"{name} cannot be downloaded ({reason}): get it from {url} and put it into "
            f"{path.parent}, or give its path instead"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return path
