"""The model's files: Keras, TFLite and the card that names them, written all or none."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from maskdet import __version__, assets
from maskdet.errors import OutputError

CARD_FORMAT = 1


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
        was there before stays.

    Raises:
        OutputError: something could not be written.
    """
    written: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield written
        for name, path in written.items():
            path.replace(folder / name)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror or error}); "
            "what was there before is unchanged"
        ) from None
    finally:
        for path in written.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def temporary(folder: Path, name: str) -> Path:
    """Returns where to write a file before it takes its name; keeps the suffix."""
    return folder / f".part-{os.getpid()}-{name}"


def write_model(
    target: Path,
    model: Any,
    files: dict[str, bytes],
    *,
    default: str,
    card: dict[str, Any],
) -> Path:
    """Writes a model's files and its card.

    Args:
        target: path of the model without suffix, such as ``models/mask_detector``.
        model: the Keras model.
        files: precision to the bytes of its TFLite file.
        default: the precision that becomes ``NAME.tflite``; the others get it in their names.
        card: all of the card but ``files``.

    Returns:
        The path of the card.

    Raises:
        OutputError: something could not be written; the earlier model is whole.
    """
    folder, name = target.parent, target.name
    entries: dict[str, dict[str, str]] = {}
    with all_or_none(folder) as written:
        keras_name = f"{name}.keras"
        written[keras_name] = temporary(folder, keras_name)
        model.save(written[keras_name])
        entries["keras"] = {"name": keras_name, "sha256": assets.sha256(written[keras_name])}
        for precision in sorted(files, key=lambda precision: precision != default):
            file = f"{name}.tflite" if precision == default else f"{name}_{precision}.tflite"
            written[file] = temporary(folder, file)
            written[file].write_bytes(files[precision])
            digest = assets.sha256(written[file])
            entry = {"name": file, "sha256": digest, "precision": precision}
            # The default can be asked for by its precision, too.
            entries |= {"tflite": entry} if precision == default else {}
            entries[f"tflite_{precision}"] = entry
        whole = {"format": CARD_FORMAT, "name": name, **card, "files": entries}
        # Last in order: until the card is renamed, the earlier card names the earlier hashes.
        written[f"{name}.json"] = temporary(folder, f"{name}.json")
        written[f"{name}.json"].write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return folder / f"{name}.json"
