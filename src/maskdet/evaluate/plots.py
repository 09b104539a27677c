"""The plot of what a face threshold costs and gains."""

from collections.abc import Mapping
from pathlib import Path

from maskdet.evaluate.judging import Counts
from maskdet.media.plots import DPI, FIRST, SECOND, new_figure


def plot_thresholds(path: Path, sweep: Mapping[float, Counts], used: float, best: float) -> None:
    """Plots precision, recall and F1 over the face threshold, end to end and for faces alone.

    Args:
        path: of the picture.
        sweep: threshold to counts.
        used: threshold in use.
        best: threshold of the best F1 end to end.
    """
    figure = new_figure(9, 3.8)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, prefix, title in (
        (panels[0], "", "right label"),
        (panels[1], "face_", "a face, whatever its label"),
    ):
        for name, colour in (("precision", FIRST), ("recall", SECOND), ("f1", "black")):
            values = [getattr(counts, prefix + name) for counts in sweep.values()]
            panel.plot(list(sweep), values, color=colour, label=name)
        panel.axvline(used, color="black", lw=1.2, ls="--", label=f"in use, {used:g}")
        panel.set(title=title, xlabel="face threshold", xlim=(0, 1), ylim=(0, 1.02))
        panel.grid(alpha=0.3)
    panels[0].plot(best, sweep[best].f1, "o", color="black", label=f"best F1, at {best:g}")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=DPI)
