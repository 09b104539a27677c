"""What a run reports about its validation and test set, and the temperature it finds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import classification_report

from maskdet.detections import FloatArray
from maskdet.metrics import bootstrap, expected_calibration_error, soften

_TEMPERATURES = (0.05, 20.0)


def fit_temperature(labels: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Finds the temperature at which the probabilities explain the labels best.

    Guo et al., "On Calibration of Modern Neural Networks", 2017: one number, fitted on pictures the
    network was not trained on, that changes no answer. As in Platt's scaling, the targets stop
    short of 1 by as much as so few pictures can tell: a set without mistakes would otherwise ask
    for endless confidence.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C), at temperature 1.
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
