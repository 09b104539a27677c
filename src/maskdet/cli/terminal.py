"""What commands say while they work: log lines, and on a terminal a bar that stays below them.

Rich draws the bars and is loaded only where one is to be seen: on a terminal.
"""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from maskdet.addresses import redacted
from maskdet.standard_error import writing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

# How often a run that is not on a terminal says how far it is.
SECONDS_BETWEEN_LINES = 10.0
_BAR_WIDTH = 24

# The bar on the screen, if there is one: lines are printed above it.
_shown: list["Progress"] = []


@contextmanager
def _without_terminal() -> Iterator[None]:
    """Lets nothing be said where the terminal is lost: the run ends by itself, its files whole."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        # What still waits to be written would fail once more when the process ends: exit code 120.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stderr.fileno())
        os.close(nothing)


class _LostTerminal:
    """Standard error for Rich, which draws from its own thread: a lost terminal is no error."""

    def write(self, text: str) -> int:
        with writing, _without_terminal():
            return sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with writing, _without_terminal():
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def on_terminal() -> bool:
    """Tells whether standard error is a terminal, where bars can be seen."""
    return sys.stderr is not None and sys.stderr.isatty()


def log(line: str) -> None:
    """Tells the user something on standard error, above a bar if there is one."""
    # Whoever wrote the line: a password that stands in an address goes no further.
    line = redacted(line)
    with writing, _without_terminal():
        if _shown:
            _shown[-1].console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(line, err=True)


def _console() -> "Console":
    from rich.console import Console

    return Console(file=cast("TextIO", _LostTerminal()), force_terminal=True, emoji=False)


@contextmanager
def _bar(*columns: "str | ProgressColumn") -> Iterator["Progress"]:
    from rich.progress import Progress

    progress = Progress(*columns, console=_console(), transient=True, redirect_stdout=False)
    with progress:
        _shown.append(progress)
        try:
            yield progress
        finally:
            _shown.remove(progress)


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[], None]]:
    """Gives what to call after each frame: it shows how far the run is.

    A bar with the time left on a terminal, where the length is known; else a line now and then.
    """
    if total is not None and total > 1 and on_terminal():
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("frames"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        )
        with _bar(*columns) as bar:
            task = bar.add_task("", total=total)
            yield lambda: bar.advance(task)
        return
    start = said = time.monotonic()
    done = 0

    def advance() -> None:
        nonlocal done, said
        done += 1
        now = time.monotonic()
        if now - said < SECONDS_BETWEEN_LINES:
            return
        said = now
        rate = done / (now - start)
        of, left = (
            ("", "") if total is None else (f" of {total}", f", {(total - done) / rate:.0f} s left")
        )
        log(f"frame {done}{of}, {rate:.1f} frames a second{left}")

    yield advance


@contextmanager
def share_bar() -> Iterator[Callable[[float, str], None]]:
    """Gives what to call with the share of a run that is done, from 0 to 1, and what is being done.

    Nothing is shown but on a terminal.
    """
    if not on_terminal():
        yield lambda _, __: None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn

    text_column = TextColumn("{task.fields[text]}", markup=False)
    with _bar(BarColumn(_BAR_WIDTH), TaskProgressColumn(), text_column) as bar:
        task = bar.add_task("", total=1.0, text="", visible=False)

        def show(share: float, text: str) -> None:
            bar.update(task, completed=min(1.0, share), text=text, visible=share < 1)

        yield show


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table on standard output: ruled on a terminal, bare columns elsewhere.

    Args:
        title: a line above it; empty for none.
        columns: heads; all but the first stand to the right.
        rows: cells as text.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    on_screen = sys.stdout.isatty()
    # Elsewhere a line is as long as it is: other programs read it.
    console = Console(
        highlight=False, markup=False, emoji=False, width=None if on_screen else 10_000
    )
    table = Table(
        box=SIMPLE_HEAD if on_screen else None, pad_edge=False, padding=(0, 2, 0, 0), expand=False
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    if title:
        click.echo(title)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
