"""Writes an evaluation down: `evidence.json`, plots, average maps, and the most doubtful faces."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.heatmap.drawing.colours import DEFAULT_COLOUR_MAP, palette
from maskdet.heatmap.drawing.panels import (
    BACKGROUND,
    INK,
    Brush,
    PanelShape,
    PanelText,
    draw_panel,
    write,
)
from maskdet.heatmap.evidence.findings import Evidence, MethodEvidence
from maskdet.heatmap.evidence.perturbation import ROAD_SHARES, STEPS
from maskdet.media.drawing import label_colour
from maskdet.media.files import make_folder, replacing, write_json
from maskdet.media.frames import UInt8Array
from maskdet.media.picture_files import write_picture
from maskdet.vision.evidence import EvidenceShares
from maskdet.wording import label_text

_DPI = 120
_SHEET_SIDE = 150  # of a face on the sheet, pixels
_SHEET_COLUMNS, _SHEET_ROWS = 4, 5
_AVERAGE_SIDE = 260


def write_report(folder: Path, evidence: Evidence) -> list[Path]:
    """Writes everything there is to say.

    Args:
        folder: made if it is not there.
        evidence: what was found. The pictures show the first method.

    Returns:
        The files written.

    Raises:
        OutputError: one of them cannot be written.
    """
    make_folder(folder)
    paths = [folder / name for name in ("evidence.json", "curves.png", "road.png", "shares.png")]
    write_json(paths[0], evidence.to_json())
    _plot_curves(paths[1], evidence)
    _plot_road(paths[2], evidence)
    _plot_shares(paths[3], evidence)
    if evidence.shifted is not None:
        paths += [folder / name for name in ("curves_shifted.png", "road_shifted.png")]
        _plot_curves(paths[4], evidence.shifted)
        _plot_road(paths[5], evidence.shifted)
    first = evidence.methods[0]
    averages, sheet = folder / "average.png", folder / "least_on_the_face.jpg"
    write_picture(averages, draw_averages(evidence, first))
    write_picture(sheet, draw_doubtful(evidence, first))
    return [*paths, averages, sheet]


def table(evidence: Evidence) -> list[str]:
    """Returns the figures as lines of text."""
    lines = _method_lines(evidence)
    if evidence.shifted is not None:
        lines += ["", "crops shifted at random, so that no face is known to be in the middle"]
        lines += _method_lines(evidence.shifted)
    lines += [
        f"maps add up to the logits of the {one.precision} file within {one.largest:.1e}, "
        f"{one.largest / one.span if one.span else 0:.1e} of their range"
        for one in evidence.completeness
    ]
    return lines


def _method_lines(evidence: Evidence) -> list[str]:
    columns = "".join(f"{name:>20}" for name in ("deletion", "insertion", "ROAD"))
    shares = "".join(f"{name:>12}" for name in ("lower half", "outside", "rim"))
    better = "".join(f"{f'({way} is better)':>20}" for way in ("lower", "higher", "lower"))
    lines = [f"{'method':<12}{columns}{shares}", f"{'':<12}{better}"]
    for method in evidence.methods:
        measured = (method.deletion_areas, method.insertion_areas, method.morf.mean(axis=1))
        intervals = map(evidence.interval, measured)
        areas = "".join(f"{one.mean:>8.3f} {one.low:.3f}-{one.high:.3f}" for one in intervals)
        lines.append(f"{method.name:<12}{areas}{_percentages(evidence, method.shares)}")
    lines.append(f"{'(spread evenly)':<72}{_percentages(evidence, evidence.even_shares())}")
    first = evidence.methods[0]
    return lines + [_verdict(evidence, first, other) for other in evidence.baselines]


def _verdict(evidence: Evidence, method: MethodEvidence, other: MethodEvidence) -> str:
    """Returns on which measures a method beats another, and on which nobody knows."""
    said: dict[str, list[str]] = {"better": [], "worse": [], "not told apart": []}
    for measure, by in evidence.better_than(method, other).items():
        verdict = "better" if by.low > 0 else "worse" if by.high < 0 else "not told apart"
        said[verdict].append("ROAD" if measure == "road" else measure)
    parts = (f"{verdict} on {', '.join(names)}" for verdict, names in said.items() if names)
    return f"{method.name} beside {other.name}: {'; '.join(parts)}"


def _percentages(evidence: Evidence, shares: EvidenceShares) -> str:
    found = evidence.shares_of(shares, None)
    return "".join(f"{found[name].mean:>12.1%}" for name in ("lower", "outside", "rim"))


def _figure(width: float, height: float) -> Any:
    """Makes a figure that needs no display and leaves no global state."""
    # Imported when asked for: it takes as long to load as a hundred faces.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)


def _style(method: MethodEvidence) -> dict[str, Any]:
    baseline = method.name in ("random", "centre")
    strong = method.name == "cam"
    return {"lw": 2.4 if strong else 1.4, "ls": "--" if baseline else "-", "zorder": 3 + strong}


def _plot_curves(path: Path, evidence: Evidence) -> None:
    figure = _figure(10, 4.2)
    share = np.linspace(0, 1, STEPS + 1)
    for axes, name, better in zip(
        figure.subplots(1, 2), ("deletion", "insertion"), ("lower", "higher"), strict=True
    ):
        for method in evidence.methods:
            curve = getattr(method, name).mean(axis=0)
            mean = evidence.interval(getattr(method, f"{name}_areas")).mean
            axes.plot(share, curve, label=f"{method.name} ({mean:.3f})", **_style(method))
        axes.set(
            title=f"{name}: {better} is better (area under the curve)",
            xlabel=f"share of the crop {'deleted' if name == 'deletion' else 'shown'}",
            ylabel="probability of the answer",
            xlim=(0, 1),
            ylim=(0, 1.02),
        )
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    _save(figure, path)


def _plot_road(path: Path, evidence: Evidence) -> None:
    figure = _figure(10, 4.2)
    titles = ("most relevant removed: lower is better", "least relevant removed: higher is better")
    for axes, name, title in zip(figure.subplots(1, 2), ("morf", "lerf"), titles, strict=True):
        for method in evidence.methods:
            means = getattr(method, name).mean(axis=0)
            axes.plot(ROAD_SHARES, means, marker="o", ms=3, label=method.name, **_style(method))
        axes.set(
            title=f"ROAD, {title}",
            xlabel="share of the crop removed and filled in",
            ylabel="probability of the answer",
            ylim=(0, 1.02),
        )
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    _save(figure, path)


def _plot_shares(path: Path, evidence: Evidence) -> None:
    """Plots where the first method's positive evidence lies, true classes apart, beside even."""
    kinds = [kind for kind in range(len(evidence.labels)) if (evidence.faces.labels == kind).any()]
    figure = _figure(3.2 * len(kinds) + 1, 3.6)
    names = {"lower": "lower half\nof the face", "outside": "outside\nthe face", "rim": "rim"}
    for axes, kind in zip(np.atleast_1d(figure.subplots(1, len(kinds))), kinds, strict=True):
        for offset, shares, label in (
            (-0.2, evidence.methods[0].shares, evidence.methods[0].name),
            (0.2, evidence.even_shares(), "spread evenly"),
        ):
            found = evidence.shares_of(shares, kind)
            means = np.array([found[name].mean for name in names])
            spread = np.array(
                [
                    [found[name].mean - found[name].low for name in names],
                    [found[name].high - found[name].mean for name in names],
                ]
            )
            axes.bar(np.arange(3) + offset, means, 0.38, yerr=spread, capsize=3, label=label)
        axes.set(title=label_text(evidence.labels[kind]), ylim=(0, 1), xticks=range(3))
        axes.set_xticklabels(list(names.values()), fontsize=8)
        axes.set_ylabel("share of positive evidence")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3, axis="y")
    _save(figure, path)


def draw_averages(evidence: Evidence, method: MethodEvidence) -> UInt8Array:
    """Draws, for each true class, the average face and the average map over it.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    shape = PanelShape(_AVERAGE_SIDE, worded=False)
    brush = Brush(palette(DEFAULT_COLOUR_MAP, 0.6))
    kinds = [kind for kind in range(len(evidence.labels)) if (evidence.faces.labels == kind).any()]
    means = {kind: method.maps[evidence.faces.labels == kind].mean(axis=0) for kind in kinds}
    scale = max(float(np.abs(map_).max()) for map_ in means.values())
    canvas = np.full((shape.height, shape.width * len(kinds), 3), BACKGROUND, np.uint8)
    for column, kind in enumerate(kinds):
        here = evidence.faces.labels == kind
        face = evidence.faces.crops[here].mean(axis=0).astype(np.uint8)
        label = evidence.labels[kind]
        draw_panel(
            canvas[:, column * shape.width : (column + 1) * shape.width],
            shape,
            _panel_face(face, shape),
            means[kind],
            scale,
            brush,
            PanelText(
                f"{label_text(label)}: average of {int(here.sum())} faces",
                label_colour(label, evidence.labels),
            ),
        )
    return canvas


def draw_doubtful(evidence: Evidence, method: MethodEvidence) -> UInt8Array:
    """Draws the faces whose answer rests least on the face, the worst first.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    shape = PanelShape(_SHEET_SIDE, worded=False)
    brush = Brush(palette(DEFAULT_COLOUR_MAP, 0.6))
    outside = np.nan_to_num(method.shares.outside, nan=1.0)
    worst = np.argsort(-outside, kind="stable")[: _SHEET_COLUMNS * _SHEET_ROWS]
    columns = min(_SHEET_COLUMNS, len(worst))
    rows = -(-len(worst) // columns)
    head = 2 * shape.line
    canvas = np.full((head + rows * shape.height, columns * shape.width, 3), BACKGROUND, np.uint8)
    title = f"evidence outside the face box: the {len(worst)} largest of {len(evidence.faces)}"
    write(canvas, title, (shape.gap, head - shape.line // 2), 1.2 * shape.text, INK)
    for number, index in enumerate(worst):
        row, column = divmod(number, columns)
        top, left = head + row * shape.height, column * shape.width
        kind = int(evidence.chosen[index])
        label, true = evidence.labels[kind], evidence.labels[int(evidence.faces.labels[index])]
        verdict = "" if label == true else f" (is {label_text(true)})"
        draw_panel(
            canvas[top : top + shape.height, left : left + shape.width],
            shape,
            _panel_face(evidence.faces.crops[index], shape),
            method.maps[index],
            _scale(method.maps[index]),
            brush,
            PanelText(
                f"{label_text(label)} {evidence.probabilities[index, kind]:.0%}{verdict}",
                label_colour(label, evidence.labels),
                f"{outside[index]:.0%} outside",
            ),
        )
    return canvas


def _panel_face(crop_rgb: UInt8Array, shape: PanelShape) -> UInt8Array:
    small = cv2.resize(crop_rgb, (shape.side, shape.side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8)


def _scale(map_: FloatArray) -> float:
    return float(np.abs(map_).max())
