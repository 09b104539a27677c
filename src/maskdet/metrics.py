"""Figures about a classifier's answers: accuracy and its interval, calibration."""

from collections.abc import Callable
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
    figures = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}

    def measure(rows: NDArray[np.intp]) -> dict[str, float]:
        return {name: of(labels[rows], predicted[rows]) for name, of in figures.items()}

    return resample(measure, groups, seed=seed)


def resample(
    measure: Callable[[NDArray[np.intp]], dict[str, float]],
    groups: NDArray[np.intp],
    *,
    seed: int,
    times: int = RESAMPLES,
) -> dict[str, Interval]:
    """Returns figures with 95% intervals, by the bootstrap over whole groups.

    Args:
        measure: takes row numbers, some of them several times, and returns figures; a figure that
            cannot be told from those rows is not a number.
        groups: (N,) group number of each row; with one group only, the limits are not numbers.
        seed: of the draws.
        times: how often to draw.
    """
    random = np.random.default_rng(seed)
    _, members = np.unique(groups, return_inverse=True)
    order = np.argsort(members, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(members))[:-1])
    drawn: list[dict[str, float]] = []
    # One group drawn again and again is always the same: that says nothing of certainty.
    for _ in range(times if len(rows_of) > 1 else 0):
        picks = random.integers(0, len(rows_of), len(rows_of))
        drawn.append(measure(np.concatenate([rows_of[pick] for pick in picks])))
    intervals = {}
    for name, value in measure(np.arange(len(groups))).items():
        values = np.array([one[name] for one in drawn])
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, (2.5, 97.5)) if len(values) else (np.nan, np.nan)
        intervals[name] = Interval(value, float(low), float(high))
    return intervals
