"""The plot of a run's passes."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from maskdet.media.plots import DPI, FIRST, SECOND, new_figure


def plot_history(path: Path, history: Sequence[dict[str, Any]]) -> None:
    """Plots loss and accuracy by pass, with a line where a new phase begins."""
    figure = new_figure(9, 3.8)
    passes = [row["epoch"] for row in history]
    starts = [
        row["epoch"] - 0.5
        for before, row in itertools.pairwise(history)
        if (row["phase"], row["size"]) != (before["phase"], before["size"])
    ]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(passes, [row[name] for row in history], "o-", ms=3, color=FIRST, label="training")
        values = [row[f"val_{name}"] for row in history]
        axes.plot(passes, values, "o-", ms=3, color=SECOND, label="validation")
        for start in starts:
            axes.axvline(start, color="grey", lw=0.8, ls=":")
        axes.set(xlabel="pass", title=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    axes.legend()
    if starts:
        figure.supxlabel("dotted: a new phase or input size", fontsize=8, color="grey")
    figure.savefig(path, dpi=DPI)
