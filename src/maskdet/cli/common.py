"""What the commands have in common: options of the same name and meaning, progress, reporting."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from maskdet.media.frames import Source

Command = TypeVar("Command", bound=Callable[..., Any])

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
def progress(source: "Source") -> Iterator[Callable[[], None]]:
    """Gives what to call after each frame: it moves a progress bar, on a terminal only."""
    if source.frame_count is None or source.frame_count == 1 or not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(
        length=source.frame_count, label=source.name, show_pos=True, file=sys.stderr
    ) as bar:
        yield lambda: bar.update(1)


def report_failures(failures: list[str]) -> None:
    """Names the pictures that could not be read, and makes the exit code 1 if there were any."""
    for failure in failures:
        log(f"maskdet: {failure}")
    if failures:
        sys.exit(1)
