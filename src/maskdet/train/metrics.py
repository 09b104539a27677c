"""Figures about predictions: accuracy and its interval, calibration, the temperature."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import classification_report

from maskdet.detections import FloatArray

BINS = 15  # of the expected calibration error, as usual
RESAMPLES = 1000  # of the bootstrap
_TEMPERATURES = (0.05, 20.0)


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


def fit_temperature(labels: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Finds the temperature at which the probabilities explain the labels best.

    Guo et al., "On Calibration of Modern Neural Networks", 2017: one number, fitted on pictures the
    network was not trained on, that changes no answer. As in Platt's scaling, the targets stop
    short of 1 by as much as so few pictures can tell: a set without mistakes would otherwise ask
    for endless confidence.
    """
    sure = (len(labels) + 1) / (len(labels) + 2)
    classes = probabilities.shape[1]
    targets = np.full(probabilities.shape, (1 - sure) / (classes - 1))
    targets[np.arange(len(labels)), labels] = sure

    def loss(log_temperature: float) -> float:
        softened = soften(probabilities, float(np.exp(log_temperature)))
        return float(-np.mean(np.sum(targets * np.log(softened + 1e-12), axis=1)))

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


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


@dataclass(frozen=True)
class PartReport:
    """What is reported about the validation or the test set.

    Attributes:
        figures: JSON-ready.
        text: the same for reading.
    """

    figures: dict[str, Any]
    text: str


def report_part(
    labels: NDArray[np.intp],
    probabilities: FloatArray,
    groups: NDArray[np.intp],
    names: tuple[str, ...],
    *,
    temperature: float,
    seed: int,
) -> PartReport:
    """Measures predictions.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C), before the temperature.
        groups: (N,) group numbers.
        names: C class names.
        temperature: that the card will name.
        seed: of the bootstrap.
    """
    predicted = probabilities.argmax(axis=1)
    intervals = bootstrap(labels, predicted, groups, seed=seed)
    before = expected_calibration_error(labels, probabilities)
    after = expected_calibration_error(labels, soften(probabilities, temperature))
    common = {"labels": list(range(len(names))), "target_names": names, "zero_division": 0.0}
    table = classification_report(labels, predicted, digits=4, **common)
    lines = [
        f"pictures                     {len(labels)}",
        f"accuracy                     {intervals['accuracy']}",
        f"balanced accuracy            {intervals['balanced_accuracy']}",
        f"expected calibration error   {before:.4f}, {after:.4f} at temperature {temperature:.3f}",
    ]
    figures = {
        "pictures": len(labels),
        **{name: vars(interval) for name, interval in intervals.items()},
        "expected_calibration_error": {"before": before, "after": after},
        "classes": classification_report(labels, predicted, output_dict=True, **common),
    }
    return PartReport(figures, "\n".join(lines) + "\n\n" + table)
