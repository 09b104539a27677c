"""Exports every precision, compares each with Keras, and chooses the default file."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.detections import FloatArray
from maskdet.train.classifier.export import export
from maskdet.train.quiet import no_native_output
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.runtime import Network

LARGEST_CHANGE = 0.005  # share of labels an export may change and still be the default


@dataclass(frozen=True)
class Conversion:
    """Exported files.

    Attributes:
        files: precision to bytes.
        default: the precision that `NAME.tflite` has.
        interchangeable: the precisions that may stand in for one another.
        figures: precision to agreement with Keras and speed, JSON-ready.
    """

    files: dict[str, bytes]
    default: str
    interchangeable: tuple[str, ...]
    figures: dict[str, dict[str, float]]


def convert(
    model: Any,
    calibration: Sequence[UInt8Array],
    pictures: Sequence[UInt8Array],
    expected: FloatArray,
    *,
    precisions: Sequence[str],
    say: Callable[[str], None],
    show: Callable[[float, str], None],
) -> Conversion:
    """Exports a model in some precisions.

    The default is the fastest file that changes at most `LARGEST_CHANGE` of the labels; where none
    does, float32 is exported whether it was asked for or not.

    Args:
        model: the Keras model.
        calibration: (S, S, 3) uint8 RGB training pictures.
        pictures: the same, to compare on.
        expected: (N, C) what Keras says about `pictures`.
        precisions: which of `maskdet.train.classifier.options.PRECISIONS`.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.
    """
    files: dict[str, bytes] = {}
    figures: dict[str, dict[str, float]] = {}

    def add(precision: str) -> bool:
        """Exports and compares; tells whether the file may be the default."""
        files[precision] = export(model, precision, calibration)
        figures[precision] = _compare(files[precision], pictures, expected)
        changed = figures[precision]["changed_labels"]
        show(len(files) / len(precisions), f"exported {precision}")
        if changed > LARGEST_CHANGE:
            say(f"the {precision} export changes {changed:.1%} of the labels: not for the default")
        return changed <= LARGEST_CHANGE

    allowed = [precision for precision in precisions if add(precision)]
    if not allowed:
        # Even float32 may differ, by rounding between two labels: there is nothing nearer.
        if "float32" not in files:
            add("float32")
        allowed = ["float32"]
    default = min(allowed, key=lambda name: figures[name]["milliseconds"])
    return Conversion(files, default, tuple(allowed), figures)


def _compare(file: bytes, pictures: Sequence[UInt8Array], expected: FloatArray) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(file)
        with no_native_output():
            network = Network(path, trusted=True)
    times, rows = [], []
    for picture in pictures:
        start = time.perf_counter()
        rows.append(network.run(picture[np.newaxis])["probabilities"][0])
        times.append(time.perf_counter() - start)
    found = np.stack(rows)
    changed = found.argmax(axis=1) != expected.argmax(axis=1)
    return {
        "changed_labels": float(changed.mean()),
        "mean_difference": float(np.abs(found - expected).mean()),
        "largest_difference": float(np.abs(found - expected).max()),
        "milliseconds": round(float(np.min(times)) * 1000, 2),
        "megabytes": round(len(file) / 1e6, 2),
    }
