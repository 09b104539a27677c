"""A report beside an earlier one: what changed, and whether a chosen figure got worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.errors import DatasetError
from maskdet.evaluate.report import FORMAT, Cell, Report, Table, words
from maskdet.files.documents import is_number, read_json

# Of these less is better: they get worse by rising.
_ENDINGS_OF_COSTS = ("calibration_error", "milliseconds", "_per_100_frames")

# Differences are of figures rounded to six digits; this is below all of them.
_ROUNDING = 1e-7


@dataclass(frozen=True)
class Comparison:
    """Two reports beside one another.

    Attributes:
        table: every figure they have in common, and the chosen ones that can no longer be told.
        worse: the chosen figures that got worse by more than was put up with, or cannot be told.
    """

    table: Table
    worse: tuple[str, ...]


def read_earlier(path: Path, kind: str, gate: Sequence[str]) -> dict[str, float | None]:
    """Reads the figures of an earlier ``report.json``.

    Args:
        path: of the report.
        kind: what it must be about, see `Report.kind`.
        gate: names of figures it must have.

    Returns:
        Name to value, ``None`` for what could not be told.

    Raises:
        DatasetError: it is missing, damaged, no report of this program, about something else, or
            lacks a figure.
    """
    content = read_json(path, DatasetError)
    figures = _values(content)
    if figures is None:
        raise DatasetError(f"{path}: is not a report of maskdet evaluate")
    if content.get("kind") != kind:
        raise DatasetError(
            f"cannot compare: {path} is about {content.get('kind')}, this run about {kind}"
        )
    for name in gate:
        if figures.get(name) is None:
            known = ", ".join(name for name, value in figures.items() if value is not None)
            raise DatasetError(f"cannot compare: no figure {name!r} in {path}; there are: {known}")
    return figures


def check_same_data(path: Path, data: str) -> None:
    """Refuses an earlier report about other data; those of earlier versions do not say.

    Args:
        path: of the report.
        data: digest of what is measured on now; see `maskdet.evaluate.data`.

    Raises:
        DatasetError: it was measured on other data.
    """
    content = read_json(path, DatasetError)
    if isinstance(content, dict) and content.get("data_sha256") not in (None, "", data):
        raise DatasetError(
            f"cannot compare: {path} was measured on other pictures or labels; --other-data "
            "compares all the same"
        )


def _values(content: Any) -> dict[str, float | None] | None:
    """Returns the figures of what a JSON file holds, ``None`` where it is no report."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    figures = content.get("figures")
    if not isinstance(content.get("kind"), str):
        return None
    if not isinstance(figures, dict) or not all(isinstance(of, dict) for of in figures.values()):
        return None
    values = {name: of.get("value") for name, of in figures.items()}
    if not all(value is None or is_number(value) for value in values.values()):
        return None
    return values


def compare(
    report: Report,
    earlier: Mapping[str, float | None],
    *,
    gate: Sequence[str],
    tolerance: float,
) -> Comparison:
    """Compares a report with an earlier one.

    Args:
        report: the new one.
        earlier: what `read_earlier` returned for the same gate.
        gate: names of the figures that must not get worse; empty takes the report's own.
        tolerance: by how much they may.
    """
    new = {name: figure["value"] for name, figure in report.to_json()["figures"].items()}
    chosen = tuple(gate) or report.gate
    # A figure that nothing was left to tell by must not end hours of work, nor pass the gate.
    worse = [name for name in chosen if new.get(name) is None]
    rows: list[tuple[Cell, ...]] = [
        (words(name), earlier[name], None, "gone", "worse") for name in worse
    ]
    for name, now in new.items():
        before = earlier.get(name)
        if before is None or now is None:
            continue
        change = now - before
        loss = change if name.endswith(_ENDINGS_OF_COSTS) else -change
        mark = ""
        if name in chosen:
            mark = "worse" if loss > tolerance + _ROUNDING else "held"
        if mark == "worse":
            worse.append(name)
        rows.append((words(name), float(before), float(now), f"{change:+.4f}", mark))
    title = f"Compared with the earlier report (tolerance {tolerance:g})"
    table = Table(title, ("figure", "before", "now", "difference", "gate"), tuple(rows))
    return Comparison(table, tuple(worse))
