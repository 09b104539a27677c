"""The model's files: Keras, TFLite and the card that names them, written all or none."""

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from maskdet import __version__, assets
from maskdet.errors import OutputError
from maskdet.vision.card import CARD_FORMAT

CardOf = Callable[[dict[str, dict[str, str]]], dict[str, Any]]


def versions() -> dict[str, str]:
    """Returns the versions of what a model was made with."""
    return {
        "maskdet": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


@contextmanager
def all_or_none(folder: Path) -> Iterator[dict[str, Path]]:
    """Replaces several files together, once all have been written.

    Args:
        folder: where they belong.

    Yields:
        A dictionary to fill: final name to the temporary path it was written to, which must be
        what `temporary` gives. On success each is renamed; on failure all are removed, and what
        was there before stays. Should a renaming itself fail, which is rare once the files are
        written, those before it have been replaced, and the error names them.

    Raises:
        OutputError: something could not be written.
    """
    written: dict[str, Path] = {}
    replaced: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield written
        for name, path in written.items():
            path.replace(folder / name)
            replaced.append(name)
    except OSError as error:
        before = f"is replaced in {', '.join(replaced)}" if replaced else "is unchanged"
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror or error}); "
            f"what was there before {before}"
        ) from None
    finally:
        for path in written.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def temporary(folder: Path, name: str) -> Path:
    """Returns where to write a file before it takes its name; keeps the suffix."""
    return folder / f".part-{os.getpid()}-{name}"


def write_files(
    folder: Path, files: Mapping[str, bytes | Callable[[Path], Any]], card_name: str, card: CardOf
) -> Path:
    """Writes a model's files and the card that names them, all or none.

    Args:
        folder: made if it is not there.
        files: name to content, or to what writes it to a path of the same suffix.
        card_name: of the card.
        card: gives the card's content, told by file name what its entry is: name and sha256.

    Returns:
        The path of the card.

    Raises:
        OutputError: something could not be written; the message names what was replaced, if any.
    """
    with all_or_none(folder) as written:
        for name, content in files.items():
            path = written[name] = temporary(folder, name)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)
        entries = {name: {"name": name, "sha256": assets.sha256(written[name])} for name in files}
        # Last in order: until the card is renamed, the earlier card names the earlier hashes.
        written[card_name] = temporary(folder, card_name)
        text = json.dumps(card(entries), indent=1) + "\n"
        written[card_name].write_text(text, encoding="utf-8")
    return folder / card_name


def write_model(
    target: Path,
    model: Any,
    files: dict[str, bytes],
    *,
    default: str,
    card: dict[str, Any],
) -> Path:
    """Writes a classifier's files and its card.

    Args:
        target: path of the model without suffix, such as ``models/mask_detector``.
        model: the Keras model.
        files: precision to the bytes of its TFLite file.
        default: the precision that becomes ``NAME.tflite``; the others get it in their names.
        card: all of the card but ``format``, ``name`` and ``files``.

    Returns:
        The path of the card.

    Raises:
        OutputError: something could not be written; the message names what was replaced, if any.
    """
    name = target.name
    names = {
        precision: f"{name}.tflite" if precision == default else f"{name}_{precision}.tflite"
        for precision in sorted(files, key=lambda precision: precision != default)
    }

    def whole(entries: dict[str, dict[str, str]]) -> dict[str, Any]:
        listed = {"keras": entries[f"{name}.keras"]}
        for precision, file in names.items():
            entry = {**entries[file], "precision": precision}
            # The default can be asked for by its precision, too.
            listed |= {"tflite": entry} if precision == default else {}
            listed[f"tflite_{precision}"] = entry
        return {"format": CARD_FORMAT, "name": name, **card, "files": listed}

    contents = {file: files[precision] for precision, file in names.items()}
    return write_files(
        target.parent, {f"{name}.keras": model.save, **contents}, f"{name}.json", whole
    )
