"""Figures about a classifier's answers: accuracy and its interval, calibration."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray

BINS = 15  # of the expected calibration error, as usual
RESAMPLES = 1000  # of the bootstrap


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


def accuracy(labels: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    """Returns the share of right answers."""
    return float(np.mean(labels == predicted))


def balanced_accuracy(labels: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    """Returns the mean over the classes present of the share of right answers."""
    right = labels == predicted
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def expected_calibration_error(labels: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Returns how far confidence and accuracy differ, on average over `BINS` of confidence.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == number).sum()
        * abs(confidence[bins == number].mean() - right[bins == number].mean())
        for number in np.unique(bins)
    ]
    return float(np.sum(gaps) / len(labels))


def soften(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Returns the (N, C) probabilities that logits divided by a temperature would have given."""
    logits = np.log(np.clip(probabilities, 1e-12, 1)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast("FloatArray", (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))


def bootstrap(
    labels: NDArray[np.intp], predicted: NDArray[np.intp], groups: NDArray[np.intp], *, seed: int
) -> dict[str, Interval]:
    """Returns accuracy and balanced accuracy with 95% intervals.

    Whole groups are drawn, as copies of one photograph are one piece of evidence, not several.
    """
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    figures = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    drawn: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(RESAMPLES):
        picks = random.integers(0, len(members), len(members))
        rows = np.concatenate([members[pick] for pick in picks])
        for name, figure in figures.items():
            drawn[name].append(figure(labels[rows], predicted[rows]))
    return {
        name: Interval(figure(labels, predicted), *np.percentile(drawn[name], (2.5, 97.5)))
        for name, figure in figures.items()
    }
