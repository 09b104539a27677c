"""The report as one HTML file that needs nothing else: tables, and plots inside it."""

import base64
import math
from html import escape
from pathlib import Path

from maskdet import __version__
from maskdet.evaluate.report import Report, Table, cell_text, words
from maskdet.media.files import printable, replacing
from maskdet.metrics import Interval

_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}

_TITLES = {
    "dataset": "The classifier on class folders",
    "photographs": "Both stages on whole photographs",
    "video": "Footage in which everyone is in one state",
}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #8888; }
.wide { overflow-x: auto; } .note { color: #777; font-size: .9rem; margin: .3rem 0 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; }
dt { color: #777; } dd { margin: 0; overflow-wrap: anywhere; }
.summary { font-size: 1.15rem; }
.highlights { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
.highlights li { border: 1px solid #8886; border-radius: .5rem; padding: .7rem 1.2rem; }
.highlights b { display: block; font-size: 2rem; line-height: 1.2; }
.highlights small { display: block; color: #777; }
@media print { section, figure { break-inside: avoid; } }
figure { margin: 1.5rem 0; } img { max-width: 100%; background: #fff; }
"""


def write_html(path: Path, report: Report) -> None:
    """Writes the report; the plots are read from beside it.

    Raises:
        OutputError: it cannot be written.
    """
    about = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in report.about.items()
    )
    tables = "".join(_table(table) for table in (report.figure_table(), *report.tables))
    plots = "".join(
        _picture(path.with_name(name), caption) for name, caption in report.plots.items()
    )
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in report.problems)
    left_out = f"<h2>Left out</h2><ul>{problems}</ul>" if problems else ""
    title = escape(_TITLES[report.kind])
    highlights = "".join(_highlight(name, report.figures[name]) for name in report.highlights)
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p class="summary">{escape(report.summary)}</p><ul class="highlights">{highlights}</ul>'
        f"<dl>{about}</dl>{tables}{plots}{left_out}"
        f'<p class="note">maskdet {__version__}</p></main></body></html>\n'
    )
    with replacing(path) as temporary:
        temporary.write_text(printable(text), encoding="utf-8")


def _highlight(name: str, figure: float | Interval) -> str:
    """Returns a share as a large percentage, its interval below."""
    value = figure.value if isinstance(figure, Interval) else figure
    text = f"{value:.1%}" if math.isfinite(value) else "-"
    interval = ""
    if isinstance(figure, Interval) and math.isfinite(figure.low):
        interval = f"<small>{figure.low:.1%} to {figure.high:.1%}</small>"
    return f"<li><b>{text}</b>{escape(words(name))}{interval}</li>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell_text(cell))}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f"<section><h2>{escape(table.title)}</h2>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{note}</section>"
    )


def _picture(path: Path, caption: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    source = f"data:{_TYPES[path.suffix]};base64,{data}"
    return (
        f'<figure><h2>{escape(caption)}</h2><img alt="{escape(caption)}" src="{source}"></figure>'
    )
