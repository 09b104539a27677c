"""The share of faces that wear a mask, over time or from picture to picture, as a plot."""

from collections import Counter
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from maskdet.detections import INCORRECT_LABEL
from maskdet.media.files import printable, replacing
from maskdet.summaries import Summary, TimeLine, share_of
from maskdet.wording import counted

_BLUE, _ORANGE, _GREY = "#2f6f9f", "#d9661a", "#c9ced3"
# What is drawn below one another; nobody looks at more, and matplotlib draws no more than 65,536
# pixels.
MOST_PANELS = 40


def plot_share(path: Path, summaries: list[Summary]) -> None:
    """Draws the share with a mask, and the faces it is a share of.

    One panel shows all pictures in their order, and one each moving source over its time. Where the
    model knows masks that are worn incorrectly, a second line, of dashes, has their share.

    Args:
        path: picture to write; its suffix chooses the format (.png, .svg, .pdf).
        summaries: of the run.

    Raises:
        OutputError: the file cannot be written.
    """
    pictures = [summary for summary in summaries if not summary.is_moving]
    moving = [summary for summary in summaries if summary.is_moving]
    lines = [_joined(pictures)] if pictures else []
    lines += [(summary.source, summary.time_line) for summary in moving]
    shown = lines[:MOST_PANELS]
    figure = Figure(figsize=(9, 3.2 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), squeeze=False)[:, 0]
    for panel, (title, line) in zip(panels, shown, strict=True):
        is_pictures = bool(pictures) and panel is panels[0]
        # A picture's bar stands upon its number, which counts from 1.
        three = any(INCORRECT_LABEL in summary.labels for summary in summaries)
        _draw(panel, line, 0.5 if is_pictures else 0.0, incorrect=three)
        panel.set_xlabel("picture" if is_pictures else "seconds")
        # A name with two dollar signs is no formula.
        panel.set_title(printable(title), fontsize=10, parse_math=False)
        if is_pictures:
            panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if len(lines) > len(shown):
        figure.supxlabel(f"and {len(lines) - len(shown)} more sources", fontsize=10)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _joined(summaries: list[Summary]) -> tuple[str, TimeLine]:
    """Returns the pictures of several sources as one row of pictures, with its title."""
    if len(summaries) == 1:
        return summaries[0].source, summaries[0].time_line
    joined, begin = TimeLine(), 0
    for summary in summaries:
        for number, faces in sorted(summary.time_line.buckets.items()):
            joined.add(begin + number * summary.time_line.width, faces)
        begin += summary.frames
    return counted(begin, "picture"), joined


def _draw(panel: Axes, line: TimeLine, shift: float, *, incorrect: bool) -> None:
    rows = line.rows()
    faces = panel.twinx()
    faces.bar(
        [(row["from"] + row["to"]) / 2 + shift for row in rows],
        [sum(row["faces"].values()) for row in rows],
        width=line.width,
        color=_GREY,
    )
    faces.set_ylabel("faces seen", color="grey")
    faces.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    faces.tick_params(axis="y", colors="grey")
    # The bars are the background of the line, though their axis was made after it.
    panel.set_zorder(faces.get_zorder() + 1)
    panel.patch.set_visible(False)
    for row in rows:
        if row["share_with_mask"] is not None:
            share, begin, end = 100 * row["share_with_mask"], row["from"], row["to"]
            panel.hlines(share, begin + shift, end + shift, color=_BLUE, linewidth=2.5)
            if incorrect:
                share = 100 * (share_of(INCORRECT_LABEL, Counter(row["faces"])) or 0)
                ends = begin + shift, end + shift
                panel.hlines(share, *ends, color=_ORANGE, linewidth=2.5, linestyle=(0, (1.5, 0.7)))
    panel.set_ylim(-3, 103)
    panel.set_ylabel("faces with a mask, %", color=_BLUE)
    if incorrect:
        panel.set_ylabel("share of faces, %")
        lines = [
            Line2D([], [], color=_BLUE, linewidth=2.5),
            Line2D([], [], color=_ORANGE, linewidth=2.5, linestyle=(0, (1.5, 0.7))),
        ]
        panel.legend(lines, ["with a mask", "mask worn incorrectly"], fontsize=8)
