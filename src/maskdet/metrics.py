"""Figures about a classifier's answers: accuracy and its interval, calibration."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from maskdet.detections import FloatArray

BINS = 15  # of the expected calibration error, as usual
RESAMPLES = 1000  # of the bootstrap
TAIL = 0.025  # on each side of a 95% interval


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


def effective_count(groups: NDArray[np.intp]) -> float:
    """Returns how many independent pictures N grouped ones are worth.

    Copies of one photograph are one piece of evidence, not several: (sum m)^2 / sum m^2 for groups
    of m pictures (Kish 1965), which is the number of groups where all are alike in size, and takes
    a group's answers to be right or wrong together.

    Args:
        groups: (N,) group number of each picture.
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def share_interval(right: NDArray[np.bool_], groups: NDArray[np.intp]) -> Interval:
    """Returns the share of right answers with its 95% interval by Clopper and Pearson (1934).

    It holds at the edges, where the bootstrap has nothing to draw: of 20 right of 20 the lower end
    is 0.025^(1/20) = 0.83. Counts are those of `effective_count`.

    Args:
        right: (N,); without any, nothing is a number.
        groups: (N,) group numbers.
    """
    if not len(right):
        return Interval(math.nan, math.nan, math.nan)
    share = float(np.mean(right))
    count = effective_count(groups)
    hits = share * count
    low = 0.0 if share == 0 else float(beta.ppf(TAIL, hits, count - hits + 1))
    high = 1.0 if share == 1 else float(beta.ppf(1 - TAIL, hits + 1, count - hits))
    return Interval(share, low, high)


def mean_interval(shares: Sequence[Interval]) -> Interval:
    """Returns the mean of independent shares with its interval.

    By the square-and-add rule (Zou and Donner 2008), which keeps to what the single intervals say
    at the edges.
    """
    value = float(np.mean([one.value for one in shares]))
    below = np.linalg.norm([one.value - one.low for one in shares]) / len(shares)
    above = np.linalg.norm([one.high - one.value for one in shares]) / len(shares)
    return Interval(value, max(0.0, value - float(below)), min(1.0, value + float(above)))


def accuracy_intervals(
    labels: NDArray[np.intp], predicted: NDArray[np.intp], groups: NDArray[np.intp]
) -> dict[str, Interval]:
    """Returns accuracy and balanced accuracy with 95% intervals."""
    right = labels == predicted
    recalls = [
        share_interval(right[labels == label], groups[labels == label])
        for label in np.unique(labels)
    ]
    return {
        "accuracy": share_interval(right, groups),
        "balanced_accuracy": mean_interval(recalls),
    }


def class_intervals(
    labels: NDArray[np.intp], predicted: NDArray[np.intp], groups: NDArray[np.intp], index: int
) -> dict[str, Interval]:
    """Returns precision, recall and F1 of a class with 95% intervals.

    F1 is 2 j / (1 + j), with j the share of what is or was called the class that is both.
    """
    true, said = labels == index, predicted == index
    of_either, both = true | said, true & said
    overlap = share_interval(both[of_either], groups[of_either])
    ends = (2 * end / (1 + end) for end in (overlap.value, overlap.low, overlap.high))
    return {
        "precision": share_interval(true[said], groups[said]),
        "recall": share_interval(said[true], groups[true]),
        "f1": Interval(*ends),
    }


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
            cannot be told from those rows is not a number. Where one is 1 (or 0) in every draw,
            the limit on the other side is Clopper and Pearson's for as many groups.
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
        intervals[name] = _at_the_edge(Interval(value, float(low), float(high)), len(rows_of))
    return intervals


def _at_the_edge(interval: Interval, groups: int) -> Interval:
    """Mends the interval of a share that is 0 or 1 in every draw: that is not certainty."""
    if not math.isclose(interval.low, interval.high):
        return interval
    chance = TAIL ** (1 / groups)  # of each group, if all being alike is to be as rare as the tail
    if math.isclose(interval.value, 1):
        return Interval(interval.value, chance, 1.0)
    return Interval(0.0, 0.0, 1 - chance) if interval.value == 0 else interval
