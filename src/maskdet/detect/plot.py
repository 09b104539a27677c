"""The share of faces that wear a mask, over time, as a plot."""

from pathlib import Path

from matplotlib.figure import Figure

from maskdet.media.files import printable, replacing
from maskdet.summaries import Summary

_BLUE, _GREY = "#2f6f9f", "#c9ced3"


def plot_share(path: Path, summaries: list[Summary]) -> None:
    """Draws one panel a moving source: the share with a mask, and the faces it is a share of.

    Args:
        path: picture to write; its suffix chooses the format (.png, .svg, .pdf).
        summaries: of the run; pictures, which have no time, are left out.

    Raises:
        OutputError: the file cannot be written.
    """
    moving = [summary for summary in summaries if summary.is_moving]
    figure = Figure(figsize=(9, 3.2 * max(1, len(moving))), layout="constrained")
    panels = figure.subplots(max(1, len(moving)), squeeze=False)[:, 0]
    for panel, summary in zip(panels, moving, strict=False):
        rows = summary.time_line.rows()
        middles = [(row["from"] + row["to"]) / 2 for row in rows]
        faces = panel.twinx()
        faces.bar(
            middles,
            [sum(row["faces"].values()) for row in rows],
            width=summary.time_line.width,
            color=_GREY,
        )
        faces.set_ylabel("faces seen", color="grey")
        faces.tick_params(axis="y", colors="grey")
        # The bars are the background of the line, though their axis was made after it.
        panel.set_zorder(faces.get_zorder() + 1)
        panel.patch.set_visible(False)
        shares = [
            100 * row["share_with_mask"] if row["share_with_mask"] is not None else float("nan")
            for row in rows
        ]
        for row, share in zip(rows, shares, strict=True):
            panel.hlines(share, row["from"], row["to"], color=_BLUE, linewidth=2.5)
        panel.set_ylim(-3, 103)
        panel.set_xlabel("seconds")
        panel.set_ylabel("faces with a mask, %", color=_BLUE)
        # A name with two dollar signs is no formula.
        panel.set_title(printable(summary.source), fontsize=10, parse_math=False)
    if not moving:
        panels[0].text(0.5, 0.5, "no video: nothing over time", ha="center", va="center")
        panels[0].set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
