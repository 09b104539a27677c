"""What an evaluation comes to: figures and tables, for the terminal, as JSON, and to compare."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from maskdet import __version__
from maskdet.errors import DatasetError
from maskdet.metrics import Interval

FORMAT = 1

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        title: what it shows.
        columns: the heads.
        rows: cells; shares are floats, counts integers, what cannot be told ``None``.
        note: what to know when reading it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """An evaluation.

    Attributes:
        kind: ``dataset``, ``photographs`` or ``video``.
        about: what was evaluated on what: name to value.
        figures: name to figure, with its 95% interval where there is one.
        tables: details.
        gate: the figures that `--compare` looks at unless told otherwise; more is better.
        plots: file names of pictures beside the report, with what they show.
        problems: one line for each thing that was left out.
    """

    kind: str
    about: Mapping[str, str]
    figures: Mapping[str, float | Interval]
    tables: tuple[Table, ...]
    gate: tuple[str, ...]
    plots: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the report, JSON-ready; figures that are not numbers become null."""
        figures = {
            name: (
                {key: _plain(value) for key, value in vars(figure).items()}
                if isinstance(figure, Interval)
                else {"value": _plain(figure)}
            )
            for name, figure in self.figures.items()
        }
        tables = [
            {
                "title": table.title,
                "columns": list(table.columns),
                "rows": [[_plain(cell) for cell in row] for row in table.rows],
                "note": table.note,
            }
            for table in self.tables
        ]
        return {
            "format": FORMAT,
            "kind": self.kind,
            "maskdet": __version__,
            "about": dict(self.about),
            "figures": figures,
            "tables": tables,
            "problems": list(self.problems),
        }

    def figure_table(self) -> Table:
        """Returns the figures as a table."""
        rows: list[tuple[Cell, ...]] = []
        for name, figure in self.figures.items():
            if isinstance(figure, Interval):
                rows.append((words(name), figure.value, f"{figure.low:.4f} to {figure.high:.4f}"))
            else:
                rows.append((words(name), figure, ""))
        return Table("Figures", ("figure", "value", "95% interval"), tuple(rows))

    def lines(self) -> list[str]:
        """Returns the report for a terminal."""
        lines = [f"{name:12}{value}" for name, value in self.about.items()]
        for table in (self.figure_table(), *self.tables):
            lines += ["", table.title, *aligned(table)]
            if table.note:
                lines.append(table.note)
        return lines


def words(name: str) -> str:
    """Returns a figure's name for reading."""
    return name.replace("_", " ")


def cell_text(cell: Cell) -> str:
    """Returns a cell as text: shares with four digits, what cannot be told as a dash."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if isinstance(cell, float | np.floating):
        return f"{cell:.4f}" if abs(cell) < 10 else f"{cell:.1f}"
    return str(cell)


def aligned(table: Table) -> list[str]:
    """Returns a table's head and rows as lines, columns under one another."""
    texts = [list(table.columns), *([cell_text(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(table.columns))]
    return [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]


def read_report(path: Path) -> dict[str, Any]:
    """Reads an earlier ``report.json``.

    Raises:
        DatasetError: it is missing, damaged, or no report of this program.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise DatasetError(f"{path}: is not a report (not valid JSON)") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or "figures" not in content:
        raise DatasetError(f"{path}: is not a report of maskdet evaluate")
    return content


@dataclass(frozen=True)
class Comparison:
    """Two reports beside one another.

    Attributes:
        table: every figure they have in common.
        fallen: the chosen figures that fell by more than was put up with.
    """

    table: Table
    fallen: tuple[str, ...]


def compare(
    report: Report, earlier: Mapping[str, Any], *, gate: Sequence[str], tolerance: float
) -> Comparison:
    """Compares a report with an earlier one.

    Args:
        report: the new one.
        earlier: what `read_report` returned.
        gate: names of the figures that must not fall; empty takes the report's own.
        tolerance: by how much they may.

    Raises:
        DatasetError: the earlier report is of another kind, or lacks a chosen figure.
    """
    if earlier.get("kind") != report.kind:
        raise DatasetError(
            f"cannot compare: the earlier report is about {earlier.get('kind')}, this one about "
            f"{report.kind}"
        )
    new = report.to_json()["figures"]
    old = earlier["figures"]
    rows: list[tuple[Cell, ...]] = []
    fallen = []
    chosen = tuple(gate) or report.gate
    for name in chosen:
        if any(side.get(name, {}).get("value") is None for side in (old, new)):
            raise DatasetError(f"cannot compare: no figure {name!r} in both reports")
    for name, figure in new.items():
        before, now = old.get(name, {}).get("value"), figure["value"]
        if before is None or now is None:
            continue
        fell = name in chosen and before - now > tolerance
        if fell:
            fallen.append(name)
        mark = "fell" if fell else ("held" if name in chosen else "")
        rows.append((words(name), float(before), float(now), f"{now - before:+.4f}", mark))
    title = f"Compared with the earlier report (tolerance {tolerance:g})"
    table = Table(title, ("figure", "before", "now", "difference", "gate"), tuple(rows))
    return Comparison(table, tuple(fallen))


def _plain(value: Any) -> Any:
    """Returns a number as JSON knows it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
