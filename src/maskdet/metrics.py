"""Figures about a classifier's answers: accuracy and its interval, calibration."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from maskdet.detections import FloatArray

BINS = 15  # of the expected calibration error, as usual
RESAMPLES = 1000  # of the bootstrap
TAIL = 0.025  # on each side of a 95% interval

_DRAWN_AT_ONCE = 2**15  # rows of the draws that are measured together: bounds the memory


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
    return float(
        calibration_error_by_draw(labels, probabilities, np.ones((1, len(labels)), np.intp))[0]
    )


def calibration_error_by_draw(
    labels: NDArray[np.intp], probabilities: FloatArray, times: NDArray[np.intp]
) -> FloatArray:
    """Returns the (D,) expected calibration errors of D draws.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C).
        times: (D, N) how often each row was drawn.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    # In each bin, of as many pictures: what their confidences add up to beyond their right answers.
    beyond = np.zeros((len(labels), BINS))
    beyond[np.arange(len(labels)), bins] = confidence - right
    errors: FloatArray = np.abs(times @ beyond).sum(axis=1) / times.sum(axis=1)
    return errors


def average_precision_by_draw(
    true: NDArray[np.bool_], scores: FloatArray, times: NDArray[np.intp]
) -> FloatArray:
    """Returns the (D,) average precisions of D draws: the mean precision over steps of recall.

    As scikit-learn's ``average_precision_score`` has it, without interpolation.

    Args:
        true: (N,) whether a row is of the class.
        scores: (N,) the higher, the rather it is said to be of the class.
        times: (D, N) how often each row was drawn; without a true one, nothing is a number.
    """
    said, right = _said_and_right(true, scores, times)
    gained = np.diff(right, axis=1, prepend=0)
    of_class = right[:, -1]
    sums = (right / np.maximum(said, 1) * gained).sum(axis=1)
    shares: FloatArray = sums / np.where(of_class > 0, of_class, np.nan)
    return shares


def precision_and_recall(
    true: NDArray[np.bool_], scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns the (T + 1,) precisions and recalls at T thresholds, the lowest first, and at none.

    Args:
        true: (N,) whether a row is of the class; some must be.
        scores: (N,) of which T differ.
    """
    said, right = _said_and_right(true, scores, np.ones((1, len(true)), np.intp))
    precisions = np.append((right / said)[0, ::-1], 1.0)
    return precisions, np.append((right / right[:, -1:])[0, ::-1], 0.0)


def _said_and_right(
    true: NDArray[np.bool_], scores: FloatArray, times: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns how many rows reach each score, the highest first, and how many of them are true."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    drawn = times[:, order]
    return drawn.cumsum(axis=1)[:, ends], (drawn * true[order]).cumsum(axis=1)[:, ends]


def confusion(
    labels: NDArray[np.intp], predicted: NDArray[np.intp], classes: int
) -> NDArray[np.intp]:
    """Returns the (classes, classes) counts, a row for each true class."""
    cells = np.bincount(labels * classes + predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


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
    low = 0.0 if share == 0 else float(betaincinv(hits, count - hits + 1, TAIL))
    high = 1.0 if share == 1 else float(betaincinv(hits + 1, count - hits, 1 - TAIL))
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
    measure: Callable[[NDArray[np.intp]], dict[str, FloatArray]],
    groups: NDArray[np.intp],
    *,
    seed: int,
    times: int = RESAMPLES,
) -> dict[str, Interval]:
    """Returns figures with 95% intervals, by the bootstrap over whole groups.

    Args:
        measure: takes how often each row was drawn, (D, N) of D draws, and returns each figure's D
            values; what cannot be told from the rows of a draw is not a number. Where one is 1 (or
            0) in every draw, the limit on the other side is Clopper and Pearson's for as many
            groups.
        groups: (N,) group number of each row; with one group only, the limits are not numbers.
        seed: of the draws.
        times: how often to draw.
    """
    random = np.random.default_rng(seed)
    _, members = np.unique(groups, return_inverse=True)
    count = int(members.max()) + 1
    at_once = max(1, _DRAWN_AT_ONCE // len(members))
    drawn: list[dict[str, FloatArray]] = []
    # One group drawn again and again is always the same: that says nothing of certainty.
    for start in range(0, times if count > 1 else 0, at_once):
        draws = min(at_once, times - start)
        picks = [random.integers(0, count, count) for _ in range(draws)]
        of_groups = np.stack([np.bincount(picked, minlength=count) for picked in picks])
        drawn.append(measure(of_groups[:, members]))
    intervals = {}
    for name, (value,) in measure(np.ones((1, len(members)), np.intp)).items():
        values = np.concatenate([one[name] for one in drawn]) if drawn else np.empty(0)
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, (2.5, 97.5)) if len(values) else (np.nan, np.nan)
        intervals[name] = _at_the_edge(Interval(float(value), float(low), float(high)), count)
    return intervals


def _at_the_edge(interval: Interval, groups: int) -> Interval:
    """Mends the interval of a share that is 0 or 1 in every draw: that is not certainty."""
    if not math.isclose(interval.low, interval.high):
        return interval
    chance = TAIL ** (1 / groups)  # of each group, if all being alike is to be as rare as the tail
    if math.isclose(interval.value, 1):
        return Interval(interval.value, chance, 1.0)
    return Interval(0.0, 0.0, 1 - chance) if interval.value == 0 else interval
