"""What the commands have in common: options of the same name and meaning, progress, reporting."""

import errno
import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

# How often a run that is not on a terminal says how far it is.
SECONDS_BETWEEN_LINES = 10.0

_BAR_WIDTH = 24
_MOST_PROBLEMS = 10

SOURCE_HELP = (
    "Camera number or device, picture, folder, 'pattern*', video, URL (rtsp, http), list of "
    "sources (.txt), or - for pictures on standard input. May be given several times."
)


def _check_tiles(_: click.Context, __: click.Parameter, text: str) -> str:
    from maskdet.vision.faces.tiles import TileGrid

    try:
        TileGrid.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def _face_size(context: click.Context, parameter: click.Parameter, text: str) -> int | None:
    if text == "auto":
        return None
    size: int = click.IntRange(100, 2000)(text, parameter, context)
    return size


# In the order of `--help`; the names are those of `maskdet.stream.NetworkOptions`.
_NETWORK_OPTIONS = {
    "model": click.option(
        "--model",
        type=click.Path(exists=True, path_type=Path),
        help="Classifier: its .json, .tflite or .keras file. [default: the bundled one]",
    ),
    "face_detector": click.option(
        "--face-detector",
        type=click.Choice(["ssd", "yunet"]),
        default="ssd",
        show_default=True,
        help="Which kind of network finds the faces.",
    ),
    "face": click.option(
        "--face",
        type=click.Path(path_type=Path),
        metavar="DIR|FILE|original",
        help="Folder of the face detector, YuNet's .onnx file, or the public SSD by its name. "
        "[default: the bundled SSD]",
    ),
    "confidence": click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True),
        help="Leave out faces the face detector is less sure of. [default: the detector's own]",
    ),
    "face_size": click.option(
        "--face-size",
        default="auto",
        show_default=True,
        metavar="auto|PIXELS",
        callback=_face_size,
        help="Pixels the face detector scales frames to: more finds smaller faces, in more time.",
    ),
    "tiles": click.option(
        "--tiles",
        default="off",
        show_default=True,
        metavar="auto|off|NxM",
        callback=_check_tiles,
        help="Look at the frame and at N x M overlapping parts of it: for crowds.",
    ),
    "min_face": click.option(
        "--min-face",
        type=click.FloatRange(min=0),
        default=0,
        show_default=True,
        help="Leave out faces lower than so many pixels.",
    ),
    "crop_margin": click.option(
        "--crop-margin",
        type=click.FloatRange(-0.4, 2),
        help="Share of its box added around a face. [default: the classifier's own]",
    ),
    "precision": click.option(
        "--precision",
        type=click.Choice(["float16", "int8"]),
        help="Which of the models' files to run. [default: the models' own]",
    ),
}


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that choose the networks; the command gets them as one, ``networks``."""

    @functools.wraps(command)
    def with_networks(**given: Any) -> None:
        from maskdet.stream import NetworkOptions

        networks = NetworkOptions(**{name: given.pop(name) for name in _NETWORK_OPTIONS})
        command(networks=networks, **given)

    for option in reversed(_NETWORK_OPTIONS.values()):
        with_networks = option(with_networks)
    return with_networks


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say how sources are read; the names are `ReadOptions`' fields."""
    options = (
        click.option("--recursive", is_flag=True, help="Look into the folders of a folder, too."),
        click.option(
            "--reconnect",
            type=click.IntRange(min=0),
            help="Attempts to open a lost camera or stream again. [default: for ever]",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=10.0,
            show_default=True,
            help="Seconds a server may be silent.",
        ),
        click.option(
            "--max-megapixels",
            type=click.FloatRange(min=0, min_open=True, max=1000),
            default=200.0,
            show_default=True,
            help="Leave pictures and videos with more million pixels unread.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _read_map(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not CLASS=NAME.")
    return dict(pair.split("=", 1) for pair in pairs)


def annotation_options(*, required: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives the options that say what photographs' boxes are: --annotations, --format, --map.

    The names are those of the fields of the commands' options.
    """
    options = (
        click.option(
            "--annotations",
            type=click.Path(exists=True, path_type=Path),
            required=required,
            help="Folder of annotation files, or COCO's file.",
        ),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(["yolo", "voc", "coco", "medical-json", "auto"]),
            default="auto",
            show_default=True,
            help="What the annotations are.",
        ),
        click.option(
            "--map",
            "mapping",
            multiple=True,
            metavar="CLASS=NAME",
            callback=_read_map,
            help="Rename a class; without a name, leave it out. Repeatable.",
        ),
    )

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@contextmanager
def _without_terminal() -> Iterator[None]:
    """Lets nothing be said where the terminal is lost: the run ends by itself, its files whole."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def log(line: str) -> None:
    """Tells the user something on standard error, over a progress bar that is drawn again."""
    with _without_terminal():
        click.echo(f"\r\x1b[K{line}" if sys.stderr.isatty() else line, err=True)


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[], None]]:
    """Gives what to call after each frame: it shows how far the run is.

    A bar with the time left on a terminal, where the length is known; else a line now and then.
    """
    if total is not None and total > 1 and sys.stderr.isatty():
        with click.progressbar(length=total, show_pos=True, file=sys.stderr) as bar:

            def draw() -> None:
                with _without_terminal():
                    bar.update(1)

            yield draw
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


def show_share(share: float, text: str) -> None:
    """Draws how much of a run is done, on a terminal only.

    Args:
        share: from 0 to 1.
        text: what is being done.
    """
    if not sys.stderr.isatty():
        return
    done = round(min(1.0, share) * _BAR_WIDTH)
    bar = "#" * done + "-" * (_BAR_WIDTH - done)
    with _without_terminal():
        click.echo(f"\r[{bar}] {text}\x1b[K", nl=share >= 1, err=True)


def log_some(problems: tuple[str, ...], where: Path | None) -> None:
    """Tells the user the first few problems, and where the others are written."""
    for problem in problems[:_MOST_PROBLEMS]:
        log(problem)
    more = len(problems) - _MOST_PROBLEMS
    if more > 0:
        log(f"and {more} more" + (f": see {where}" if where else ""))


def report_failures(failures: list[str]) -> None:
    """Names the pictures that could not be read, and makes the exit code 1 if there were any."""
    for failure in failures:
        log(f"maskdet: {failure}")
    if failures:
        sys.exit(1)
