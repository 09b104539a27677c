"""The plots of a run's passes."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from matplotlib.ticker import MaxNLocator

from maskdet.media.plots import DPI, FIRST, SECOND, new_figure

_COLOURS = (FIRST, SECOND, "seagreen", "grey")


def plot_history(path: Path | BinaryIO, history: Sequence[dict[str, Any]]) -> None:
    """Plots a classifier's loss and accuracy by pass, with a line where a new phase begins.

    Args:
        path: of the PNG to write, or a file that is open for it.
        history: one row a pass.

    Raises:
        OSError: it cannot be written.
    """
    starts = [
        row["epoch"] - 0.5
        for before, row in itertools.pairwise(history)
        if (row["phase"], row["size"]) != (before["phase"], before["size"])
    ]
    panels = {
        name: {"training": name, "validation": f"val_{name}"} for name in ("loss", "accuracy")
    }
    _plot(path, history, "epoch", panels, starts)


def plot_face_history(path: Path, history: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Plots the two parts of a face detector's loss, and its average precision, by pass.

    Args:
        path: of the PNG to write.
        history: one row a pass.
        sizes: sides of the input that were measured at, pixels.

    Raises:
        OSError: it cannot be written.
    """
    panels = {
        "training loss": {"face or not": "scoring", "place": "placing"},
        "validation average precision": {
            f"input {size}": f"average_precision_{size}" for size in sizes
        },
    }
    _plot(path, history, "pass", panels)


def _plot(
    path: Path | BinaryIO,
    history: Sequence[dict[str, Any]],
    number: str,
    panels: Mapping[str, Mapping[str, str]],
    starts: Sequence[float] = (),
) -> None:
    """Plots panels, title to curves, label to key of the rows, over the key of the pass."""
    figure = new_figure(9, 3.8)
    passes = [row[number] for row in history]
    for axes, (title, curves) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for (label, key), colour in zip(curves.items(), itertools.cycle(_COLOURS), strict=False):
            axes.plot(passes, [row[key] for row in history], "o-", ms=3, color=colour, label=label)
        for start in starts:
            axes.axvline(start, color="grey", lw=0.8, ls=":")
        axes.set(xlabel="pass", title=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    if starts:
        figure.supxlabel("dotted: a new phase or input size", fontsize=8, color="grey")
    figure.savefig(path, dpi=DPI, format="png")
