"""What a run reports about its validation and test set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import classification_report

from maskdet.detections import FloatArray
from maskdet.metrics import accuracy_intervals, expected_calibration_error, soften


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
) -> PartReport:
    """Measures predictions.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C), before the temperature.
        groups: (N,) group numbers.
        names: C class names.
        temperature: that the card will name.
    """
    predicted = probabilities.argmax(axis=1)
    intervals = accuracy_intervals(labels, predicted, groups)
    errors = calibration_errors(labels, probabilities, temperature)
    common = {"labels": list(range(len(names))), "target_names": names, "zero_division": 0.0}
    table = classification_report(labels, predicted, digits=4, **common)
    lines = [
        f"pictures                     {len(labels)} in {len(np.unique(groups))} groups",
        f"accuracy                     {intervals['accuracy']}",
        f"balanced accuracy            {intervals['balanced_accuracy']}",
        f"expected calibration error   {errors['before']:.4f}, {errors['after']:.4f} at "
        f"temperature {temperature:.3f}",
    ]
    figures = {
        "pictures": len(labels),
        **{name: vars(interval) for name, interval in intervals.items()},
        "expected_calibration_error": errors,
        "classes": classification_report(labels, predicted, output_dict=True, **common),
    }
    return PartReport(figures, "\n".join(lines) + "\n\n" + table)


def calibration_errors(
    labels: NDArray[np.intp], probabilities: FloatArray, temperature: float
) -> dict[str, float]:
    """Returns the expected calibration error before and after a temperature."""
    return {
        "before": expected_calibration_error(labels, probabilities),
        "after": expected_calibration_error(labels, soften(probabilities, temperature)),
    }
