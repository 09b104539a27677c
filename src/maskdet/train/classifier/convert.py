"""Exports every precision, measures each file with the light runtime, chooses the default file.

What runs later is a file, not the Keras model it was made from. So what a run reports is what its
files answer.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from maskdet.detections import FloatArray
from maskdet.train.classifier.export import export
from maskdet.train.classifier.feed import Feed
from maskdet.train.journal import Say, Show
from maskdet.train.quiet import no_native_output
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.runtime import Network

KERAS = "keras"  # among the networks that answer

LARGEST_CHANGE = 0.005  # share of labels an export may change and still be the default
LARGEST_DIFFERENCE = 0.02  # of a probability from Keras's, on average

_BATCH = 32  # pictures read at a time
_TIMED = 20  # faces

Answers = dict[str, FloatArray]
"""Network, a precision or `KERAS`, to the (N, C) probabilities that it gives."""


@dataclass(frozen=True)
class Exported:
    """Exported files, open in the light runtime.

    Attributes:
        keras: the model they were made from.
        size: side of the input in pixels.
        files: precision to bytes.
        networks: precision to the network.
        milliseconds: precision to the shortest time of a face.
    """

    keras: Any
    size: int
    files: dict[str, bytes]
    networks: dict[str, Network]
    milliseconds: dict[str, float]

    def answers(self, feed: Feed, show: Show, title: str) -> Answers:
        """Returns what Keras and each file say of the pictures of a feed."""
        rows: dict[str, list[FloatArray]] = {KERAS: [], **{name: [] for name in self.networks}}
        for start in range(0, len(feed), _BATCH):
            indices = range(start, min(start + _BATCH, len(feed)))
            pictures = np.stack([feed.plain(index, size=self.size) for index in indices])
            rows[KERAS].append(answer(self.keras, pictures.astype(np.float32) / 127.5 - 1.0))
            for name, network in self.networks.items():
                rows[name].append(network.run(pictures)["probabilities"])
            show(indices.stop / len(feed), title)
        return {name: np.concatenate(found).astype(np.float32) for name, found in rows.items()}


def answer(model: Any, inputs: Any) -> FloatArray:
    """Returns what a Keras model says of a batch, whichever devices it was trained on.

    `predict_on_batch` would answer once for each replica of a distribution strategy.
    """
    answers: FloatArray = model(tf.convert_to_tensor(inputs), training=False).numpy()
    return answers


@contextmanager
def exported(
    model: Any,
    calibration: Sequence[UInt8Array],
    precisions: Sequence[str],
    *,
    say: Say,
    show: Show,
) -> Iterator[Exported]:
    """Exports a model in some precisions, and opens the files.

    Args:
        model: the Keras model.
        calibration: (S, S, 3) uint8 RGB training pictures.
        precisions: which of `maskdet.train.classifier.options.PRECISIONS`.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.
    """
    say(f"exporting {', '.join(precisions)} and measuring each file: that can take a minute")
    with tempfile.TemporaryDirectory() as folder:
        result = Exported(model, int(model.input_shape[1]), {}, {}, {})
        for done, precision in enumerate(precisions):
            show(done / len(precisions), f"exporting {precision}")
            _add(result, precision, calibration, Path(folder))
        yield result


def add_float32(result: Exported, calibration: Sequence[UInt8Array]) -> None:
    """Exports float32, too, where none of the others may be the default."""
    with tempfile.TemporaryDirectory() as folder:
        _add(result, "float32", calibration, Path(folder))


def _add(result: Exported, precision: str, calibration: Sequence[UInt8Array], folder: Path) -> None:
    file = result.files[precision] = export(result.keras, precision, calibration)
    path = folder / f"{precision}.tflite"
    path.write_bytes(file)
    cv2.setNumThreads(1)
    with no_native_output():
        network = result.networks[precision] = Network(path, trusted=True)
    times = []
    for picture in (*calibration,) * 2:
        start = time.perf_counter()
        network.run(picture[np.newaxis])
        times.append(time.perf_counter() - start)
        if len(times) == _TIMED:
            break
    result.milliseconds[precision] = round(min(times) * 1000, 2)


def agreement(found: FloatArray, expected: FloatArray) -> dict[str, float]:
    """Returns how two networks' (N, C) answers about the same pictures differ."""
    difference = np.abs(found - expected)
    return {
        "changed_labels": float((found.argmax(axis=1) != expected.argmax(axis=1)).mean()),
        "mean_difference": float(difference.mean()),
        "largest_difference": float(difference.max()),
    }


def allowed(answers: Answers, say: Say) -> list[str]:
    """Returns which files may be the default: those that answer nearly as Keras does.

    Labels and probabilities alike: a label is the same until its probability has crossed a half.

    Args:
        answers: about pictures that were neither tested nor used to calibrate int8.
        say: takes one line of log for each that may not.
    """
    kept = []
    for precision, found in answers.items():
        if precision == KERAS:
            continue
        figures = agreement(found, answers[KERAS])
        changed, moved = figures["changed_labels"], figures["mean_difference"]
        if changed > LARGEST_CHANGE:
            say(f"the {precision} export changes {changed:.1%} of the labels: not for the default")
        elif moved > LARGEST_DIFFERENCE:
            say(
                f"the {precision} export moves probabilities by {moved:.3f} on average: not for "
                "the default"
            )
        else:
            kept.append(precision)
    return kept


def fastest(precisions: Sequence[str], milliseconds: Mapping[str, float]) -> str:
    """Returns the precision whose file takes the shortest time."""
    return min(precisions, key=lambda name: milliseconds[name])
