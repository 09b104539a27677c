"""`maskdet dataset check`: a report on class folders, and a cleaned copy of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskdet.dataset.clean import write_cleaned
from maskdet.dataset.findings import Finding, look
from maskdet.dataset.folders import check_free
from maskdet.errors import OutputError
from maskdet.media.files import make_folder, next_run_folder, write_json
from maskdet.media.grid import COLUMNS, ROWS, Grid
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.plots import plot_counts


@dataclass(frozen=True)
class CheckOptions:
    """What to check.

    Attributes:
        folder: class folders, or ``train/ val/ test/`` with class folders in them.
        output: folder for the report; ``None`` takes the next free ``runs/check/<n>``.
        fix: folder to write a cleaned copy to.
    """

    folder: Path
    output: Path | None = None
    fix: Path | None = None


def check(
    options: CheckOptions, *, show: Callable[[float, str], None]
) -> tuple[Finding, Path, dict[str, int] | None]:
    """Checks class folders and writes ``check.json``, ``classes.png`` and a contact sheet.

    Args:
        options: what to check.
        show: takes the fraction that is done and a short text.

    Returns:
        What was found, the report's folder, and what a cleaned copy changed, if one was asked for.

    Raises:
        DatasetError: there are no class folders, or nothing in them can be read.
        OutputError: something cannot be written.
    """
    for written in filter(None, (options.fix, options.output)):
        if written.resolve().is_relative_to(options.folder.resolve()):
            raise OutputError(
                f"{written}: lies inside {options.folder}, which is not to be changed"
            )
    if options.fix is not None:
        check_free(options.fix)
    finding = look(options.folder, show=show)
    changes = None
    if options.fix is not None:
        changes = write_cleaned(finding, options.fix)
    output = options.output or next_run_folder("check")
    make_folder(output)
    write_json(output / "check.json", finding.report())
    plot_counts(output / "classes.png", {"pictures": finding.counts})
    _write_sheet(output / "sheet.jpg", finding)
    return finding, output, changes


def _write_sheet(path: Path, finding: Finding) -> None:
    """Writes a sheet of pictures from all classes in turn, spread over each folder."""
    labels = [label for label, count in finding.counts.items() if count]
    share = COLUMNS * ROWS // len(labels) or 1
    grid = Grid(path)
    for label in labels:
        of_class = [item for item in finding.looked if item.picture.label == label]
        for place in np.unique(np.linspace(0, len(of_class) - 1, share).astype(int)):
            picture = of_class[place].picture
            grid.add(f"{label}: {picture.path.name}", read_picture(picture.path))
    grid.flush()
