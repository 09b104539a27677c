"""What an evaluation comes to: figures and tables, for the terminal, as JSON, and to compare."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maskdet import __version__
from maskdet.metrics import Interval

FORMAT = 1

Cell = str | int | float | None

_WORDS = {"f1": "F1", "ap": "AP", "ap50": "AP50", "milliseconds": "milliseconds a photograph"}


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

    def texts(self) -> list[list[str]]:
        """Returns the rows as text, for people."""
        return [[cell_text(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Report:
    """An evaluation.

    Attributes:
        kind: ``dataset``, ``photographs`` or ``video``.
        summary: what it comes to, in a sentence.
        highlights: the figures to see first, all of them shares.
        about: what was evaluated on what: name to value.
        figures: name to figure, with its 95% interval where there is one.
        tables: details.
        gate: the figures that `--compare` looks at unless told otherwise.
        plots: file names of pictures beside the report, with what they show.
        problems: one line for each thing that was left out.
        data: digest of what was measured on; see `maskdet.evaluate.data`.
    """

    kind: str
    summary: str
    highlights: tuple[str, ...]
    about: Mapping[str, str]
    figures: Mapping[str, float | Interval]
    tables: tuple[Table, ...]
    gate: tuple[str, ...]
    plots: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    data: str = ""

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
            "data_sha256": self.data,
            "summary": self.summary,
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
                interval = f"{cell_text(figure.low)} to {cell_text(figure.high)}"
                rows.append((words(name), figure.value, interval))
            else:
                rows.append((words(name), figure, ""))
        columns = ("figure", "value", "95% interval")
        if not any(row[2] for row in rows):
            return Table("Figures", columns[:2], tuple(row[:2] for row in rows))
        return Table("Figures", columns, tuple(rows))


def words(name: str) -> str:
    """Returns a figure's name for reading."""
    return " ".join(_WORDS.get(word, word) for word in name.split("_"))


def cell_text(cell: Cell) -> str:
    """Returns a cell as text: shares with four digits, what cannot be told as a dash."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if isinstance(cell, float | np.floating):
        return f"{cell:.4f}" if abs(cell) < 10 else f"{cell:.1f}"
    return str(cell)


def _plain(value: Any) -> Any:
    """Returns a number as JSON knows it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
