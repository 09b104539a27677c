"""A study's report as one page that needs nothing else: figures, tables, bars, faces."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import cv2

from maskdet import __version__
from maskdet.archive.reporting.figures import FaceSpot, Table
from maskdet.media.frames import UInt8Array
from maskdet.wording import label_text

# Of a table with more rows the page shows the first; the CSV file has all.
MOST_ROWS = 200

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; --bar: #3b82c4; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
td:first-child { min-width: 12rem; } thead th { border-bottom: 2px solid #8888; }
.notes th, .notes td { text-align: left; }
@media (max-width: 40rem) { td:first-child { min-width: 8rem; } th, td { padding: .2rem .5rem; } }
.wide { overflow-x: auto; } .note { color: var(--quiet); font-size: .9rem; margin: .3rem 0 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
.figures li { border: 1px solid #8886; border-radius: .5rem; padding: .6rem 1.1rem; }
.figures b { display: block; font-size: 1.7rem; line-height: 1.2; }
.bar { display: inline-block; height: .7em; background: var(--bar); vertical-align: middle; }
.track { display: inline-block; width: 6rem; background: var(--line); margin-right: .6rem;
  text-align: left; line-height: 1; }
.share { white-space: nowrap; }
.faces { display: flex; flex-wrap: wrap; gap: .6rem; } figure { margin: 0; width: 112px; }
figcaption { font-size: .75rem; line-height: 1.3; overflow-wrap: anywhere; }
@media print { section, figure { break-inside: avoid; } }
"""


def page(
    name: str,
    totals: Mapping[str, float],
    tables: Sequence[Table],
    sheets: Sequence[tuple[str, Sequence[tuple[FaceSpot, UInt8Array | None]]]],
) -> str:
    """Returns the report as HTML.

    Args:
        name: of the study.
        totals: see `maskdet.archive.reporting.figures.Figures.totals`.
        tables: in the order of the page.
        sheets: title to faces and their pictures.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(name)}</h1>{_figures(totals)}"
        f"{''.join(map(_table, tables))}{''.join(_sheet(*sheet) for sheet in sheets)}"
        f'<p class="note">maskdet {__version__}</p></main></body></html>\n'
    )


def _figures(totals: Mapping[str, float]) -> str:
    said = [
        ("files", f"{totals['files']:,.0f}"),
        ("files missing", f"{totals['files_missing']:,.0f}"),
        ("hours of video", _number(totals["hours"])),
        ("people", f"{totals['people']:,.0f}"),
        ("faces", f"{totals['faces']:,.0f}"),
        ("frames looked at", f"{totals['frames']:,.0f}"),
        ("core hours", _number(totals["core_hours"])),
    ]
    items = "".join(f"<li><b>{value}</b>{escape(what)}</li>" for what, value in said)
    return f'<ul class="figures">{items}</ul>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(_head(column))}</th>' for column in table.columns)
    shares = [column.startswith("share") for column in table.columns]
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="share">{_bar(cell)}</td>' if share else f"<td>{escape(_cell(cell))}</td>"
            for cell, share in zip(row, shares, strict=True)
        )
        + "</tr>"
        for row in table.rows[:MOST_ROWS]
    )
    note = table.note
    if len(table.rows) > MOST_ROWS:
        note = f"{note} The first {MOST_ROWS} of {len(table.rows)}; all are in {table.name}.csv."
    if not rows:
        note, head = f"{note} None.", ""
    kind = "wide" if any(shares) else "wide notes"
    below = f'<p class="note">{escape(note.strip())}</p>' if note else ""
    return (
        f'<section><h2>{escape(table.title)}</h2><div class="{kind}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{below}</section>"
    )


def _head(column: str) -> str:
    return {"share of people": "People in a mask", "share of faces": "Faces in a mask"}.get(
        column, label_text(column)
    )


def _cell(cell: Any) -> str:
    if cell is None:
        return "-"
    return _number(cell) if isinstance(cell, float) else str(cell)


def _number(value: float) -> str:
    """Says a number in three digits, or in all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _bar(share: float | None) -> str:
    if share is None:
        return "-"
    width = round(100 * share)
    inner = f'<span class="bar" style="width:{width}%"></span>'
    return f'<span class="track" aria-hidden="true">{inner}</span>{share:.1%}'


def _sheet(title: str, faces: Sequence[tuple[FaceSpot, UInt8Array | None]]) -> str:
    figures = []
    for spot, image in faces:
        words = f"{label_text(spot.label)} {spot.confidence:.2f}"
        # With its folder: of one name there may be many.
        where = f"{'/'.join(spot.source.replace(chr(92), '/').split('/')[-2:])} {spot.time:.1f} s"
        picture = ""
        if image is not None:
            data = base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode()
            picture = (
                f'<img width="112" height="112" alt="{escape(words)}" '
                f'src="data:image/jpeg;base64,{data}">'
            )
        figures.append(
            f"<figure>{picture}<figcaption>{escape(words)}<br>{escape(where)}</figcaption></figure>"
        )
    missing = sum(image is None for _, image in faces)
    note = (
        f'<p class="note">{missing} of them are in videos that cannot be read from here.</p>'
        if missing
        else ""
    )
    inside = f'<div class="faces">{"".join(figures)}</div>' if figures else "<p>None.</p>"
    return f"<section><h2>{escape(title)}</h2>{inside}{note}</section>"
