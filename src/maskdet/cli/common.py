"""What the commands have in common: options of the same name and meaning, progress, reporting."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from maskdet.media.frames import Source

Command = TypeVar("Command", bound=Callable[..., Any])

# How often a run that is not on a terminal says how far it is.
SECONDS_BETWEEN_LINES = 10.0

SOURCE_HELP = (
    "Camera number or device, picture, folder, 'pattern*', video, URL (rtsp, http), list of "
    "sources (.txt), or - for pictures on standard input. May be given several times."
)

_NETWORK_OPTIONS = (
    click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True),
        help="Leave out faces the face detector is less sure of. [default: the detector's own]",
    ),
    click.option(
        "--model",
        type=click.Path(exists=True, path_type=Path),
        help="Classifier: its .json, .tflite or .keras file. [default: the bundled one]",
    ),
    click.option(
        "--face",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of the face detector. [default: the bundled one]",
    ),
)


def network_options(command: Command) -> Command:
    """Adds the options that choose the networks: --confidence, --model, --face."""
    for option in reversed(_NETWORK_OPTIONS):
        command = option(command)
    return command


def log(line: str) -> None:
    """Tells the user something on standard error."""
    click.echo(line, err=True)


@contextmanager
def no_progress(_: Sequence["Source"]) -> Iterator[Callable[[], None]]:
    """Shows nothing."""
    yield lambda: None


@contextmanager
def progress(sources: Sequence["Source"]) -> Iterator[Callable[[], None]]:
    """Gives what to call after each frame: it shows how far the run is.

    A bar with the time left on a terminal, where the length is known; else a line now and then.
    """
    counts = [source.frame_count for source in sources]
    total = None if None in counts else sum(count for count in counts if count is not None)
    if total is not None and total > 1 and sys.stderr.isatty():
        with click.progressbar(length=total, show_pos=True, file=sys.stderr) as bar:
            yield lambda: bar.update(1)
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


def report_failures(failures: list[str]) -> None:
    """Names the pictures that could not be read, and makes the exit code 1 if there were any."""
    for failure in failures:
        log(f"maskdet: {failure}")
    if failures:
        sys.exit(1)
