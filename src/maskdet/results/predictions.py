"""The table of every answer: `PREDICTIONS_FILE`, a row for each picture and network."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.media.files import replacing

PREDICTIONS_FILE = "predictions.csv"


@dataclass(frozen=True)
class Answered:
    """What one network said of the N pictures of a part.

    Attributes:
        network: its name or precision.
        part: which part of the data; empty for all of it.
        paths: N files.
        groups: (N,) group numbers.
        labels: (N,) true class indices.
        probabilities: (N, C), calibrated.
    """

    network: str
    part: str
    paths: Sequence[Path]
    groups: NDArray[np.intp]
    labels: NDArray[np.intp]
    probabilities: FloatArray


def write_predictions(path: Path, answers: Iterable[Answered], names: Sequence[str]) -> None:
    """Writes file, group, split, label, network, answer and the probability of each class.

    Raises:
        OutputError: it cannot be written.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(("file", "group", "split", "label", "network", "answer", *names))
        for one in answers:
            for index, file in enumerate(one.paths):
                found = one.probabilities[index]
                writer.writerow(
                    (
                        *(file, int(one.groups[index]), one.part, names[one.labels[index]]),
                        *(one.network, names[int(found.argmax())]),
                        *(f"{share:.6f}" for share in found),
                    )
                )
