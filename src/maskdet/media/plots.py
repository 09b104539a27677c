"""Plots that training and evaluation share: counts, confusion, precision-recall, calibration."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.media.files import printable
from maskdet.metrics import (
    BINS,
    average_precision_by_draw,
    confusion,
    expected_calibration_error,
    precision_and_recall,
    soften,
)

DPI = 120
FIRST, SECOND = "#1f6fb4", "#d9601a"


def new_figure(width: float, height: float) -> Figure:
    """Makes a figure that needs no display and leaves no global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plot_counts(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Plots pictures by class, stacked by part."""
    labels = list(next(iter(counts.values())))
    names = [printable(label) for label in labels]
    figure = new_figure(1.5 + 1.5 * len(labels), 3.6)
    axes = figure.subplots()
    base = np.zeros(len(labels))
    for part, of_part in counts.items():
        values = np.array([of_part[label] for label in labels])
        if values.any():
            axes.bar(names, values, bottom=base, label=part, width=0.6)
        base += values
    for place, total in enumerate(base):
        axes.annotate(f"{int(total)}", (place, total), ha="center", va="bottom")
    axes.set(ylabel="pictures", ylim=(0, base.max() * 1.25))
    axes.legend(ncols=3, fontsize=8)
    figure.savefig(path, dpi=DPI)


def plot_confusion(
    path: Path, labels: NDArray[np.intp], probabilities: FloatArray, names: Sequence[str]
) -> None:
    """Plots the confusion matrix: counts, coloured by the share of the true class."""
    matrix = confusion(labels, probabilities.argmax(axis=1), len(names))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.9 * len(names)
    figure = new_figure(side, side - 0.6)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(matrix.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = f"{matrix[row, column]}\n{shares[row, column]:.1%}"
        axes.text(column, row, text, ha="center", va="center", color=colour)
    ticks, names = range(len(names)), [printable(name) for name in names]
    axes.set(xlabel="predicted", ylabel="true", xticks=ticks, yticks=ticks)
    axes.set_xticklabels(names)
    axes.set_yticklabels(names, rotation=90, va="center")
    figure.savefig(path, dpi=DPI)


def plot_precision_recall(
    path: Path, labels: NDArray[np.intp], probabilities: FloatArray, names: Sequence[str]
) -> None:
    """Plots precision against recall for each class."""
    figure = new_figure(5, 4)
    axes = figure.subplots()
    for number, name in enumerate(names):
        true, scores = labels == number, probabilities[:, number]
        if not true.any():
            continue
        precision, recall = precision_and_recall(true, scores)
        average = average_precision_by_draw(true, scores, np.ones((1, len(true)), np.intp))[0]
        label = f"{printable(name)}, average precision {average:.4f}"
        axes.step(recall, precision, where="post", label=label)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=8)
    figure.savefig(path, dpi=DPI)


def plot_reliability(
    path: Path,
    labels: NDArray[np.intp],
    probabilities: FloatArray,
    temperature: float | None = None,
) -> None:
    """Plots accuracy against confidence, with the counts, and the same after a temperature."""
    figure = new_figure(5, 5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="grey", lw=0.8, ls=":")
    series = [("before" if temperature else "as it is", probabilities, FIRST)]
    if temperature:
        softened = soften(probabilities, temperature)
        series.append((f"after (temperature {temperature:.2f})", softened, SECOND))
    for name, found, colour in series:
        confidence, right = found.max(axis=1), found.argmax(axis=1) == labels
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        present = np.unique(bins)
        error = expected_calibration_error(labels, found)
        upper.plot(
            [confidence[bins == number].mean() for number in present],
            [right[bins == number].mean() for number in present],
            "o-",
            ms=4,
            color=colour,
            label=f"{name}, calibration error {error:.3f}",
        )
        lower.hist(confidence, bins=BINS, range=(0, 1), histtype="step", color=colour)
    upper.set(ylabel="accuracy", ylim=(0, 1.03), xlim=(1 / probabilities.shape[1] - 0.02, 1.01))
    upper.legend(fontsize=8, loc="lower right")
    upper.grid(alpha=0.3)
    lower.set(xlabel="confidence", ylabel="pictures", yscale="log")
    figure.savefig(path, dpi=DPI)
