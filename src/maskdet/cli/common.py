"""What the commands have in common: options of the same name and meaning, and reporting."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from maskdet.cli.numbers import number
from maskdet.cli.terminal import log
from maskdet.files.text_files import composed
from maskdet.limits import FACE_DETECTORS, RUN_PRECISIONS

_MOST_PROBLEMS = 10

WIDTH = number("width")

SOURCE_HELP = (
    "Camera number or device, picture, folder, 'pattern*', video, URL (rtsp, http), list of "
    "sources (.txt), or - for pictures on standard input; door=URL gives it a name. May be given "
    "several times, or without --source. [default: camera 0]"
)
_CAMERA = "0"


def _check_tiles(_: click.Context, __: click.Parameter, text: str) -> str:
    from maskdet.vision.faces.tiles import parse_tiles

    try:
        parse_tiles(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def _face_size(context: click.Context, parameter: click.Parameter, text: str) -> int | None:
    if text == "auto":
        return None
    return round(number("face_size")(text, parameter, context))


def _read_pairs(
    _: click.Context, __: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(composed(text).split("=")) for text in texts]
    for text, pair in zip(texts, pairs, strict=True):
        if len(pair) != 2 or not all(pair):
            raise click.BadParameter(f"{text!r} is not LABEL=LABEL.")
    return tuple((label, other) for label, other in pairs)


class _Model(click.Path):
    """A path, or the name of a model that comes with maskdet."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        from maskdet.assets import model_named

        return super().convert(model_named(Path(value)), param, ctx)


# In the order of `--help`; the names are those of `maskdet.vision.networks.NetworkOptions`.
_NETWORK_OPTIONS = {
    "model": click.option(
        "--model",
        type=_Model(exists=True, path_type=Path),
        help="Classifier: its .json or .keras file, or the .tflite to run; a Keras model of others "
        "(.h5, .model, .keras, SavedModel folder); or mask_detector3, which also knows masks worn "
        "incorrectly. [default: mask_detector, which comes with maskdet, too]",
    ),
    "face_detector": click.option(
        "--face-detector",
        type=click.Choice(FACE_DETECTORS),
        default="ssd",
        show_default=True,
        help="Which kind of network finds the faces.",
    ),
    "face": click.option(
        "--face",
        type=click.Path(path_type=Path),
        metavar="DIR|FILE|original",
        help="Face detector: its folder or one of its files, YuNet's .onnx file, or the public SSD "
        "by its name. "
        "[default: the bundled SSD]",
    ),
    "confidence": click.option(
        "--confidence",
        type=number("confidence"),
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
        default="wide",
        show_default=True,
        metavar="wide|auto|off|NxM",
        callback=_check_tiles,
        help="Look at the frame and at N x M overlapping parts of it: for crowds. wide: at parts "
        "of those beyond 2.5:1 only, such as panoramas.",
    ),
    "min_face": click.option(
        "--min-face",
        type=number("min_face"),
        default=0,
        show_default=True,
        help="Leave out faces lower than so many pixels.",
    ),
    "crop_margin": click.option(
        "--crop-margin",
        type=number("crop_margin"),
        help="Share of its box added around a face. [default: the classifier's own]",
    ),
    "precision": click.option(
        "--precision",
        type=click.Choice(RUN_PRECISIONS),
        default="auto",
        show_default=True,
        help="Which of the models' files to run. auto: the fastest on this processor.",
    ),
    "merge": click.option(
        "--merge",
        multiple=True,
        metavar="LABEL=LABEL",
        callback=_read_pairs,
        help="Add the probability of the first label to the second's, as for two answers: "
        "mask_worn_incorrectly=without_mask. May be given several times.",
    ),
}


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that choose the networks; the command gets them as one, ``networks``."""

    @functools.wraps(command)
    def with_networks(**given: Any) -> None:
        from maskdet.vision.networks import NetworkOptions

        networks = NetworkOptions(**{name: given.pop(name) for name in _NETWORK_OPTIONS})
        command(networks=networks, **given)

    for option in reversed(_NETWORK_OPTIONS.values()):
        with_networks = option(with_networks)
    return with_networks


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --source, and sources as arguments; the command gets them as one, ``sources``."""

    @functools.wraps(command)
    def with_sources(sources: tuple[str, ...], more: tuple[str, ...], **given: Any) -> None:
        # An option takes one word of the many that a shell makes of photos/*.jpg.
        command(sources=(*sources, *more) or (_CAMERA,), **given)

    option = click.option("--source", "sources", multiple=True, help=SOURCE_HELP)
    return option(click.argument("more", nargs=-1, metavar="[SOURCES]...")(with_sources))


def show_option(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --show and --no-show; the command gets `None` where the run is to decide."""

    @functools.wraps(command)
    def with_show(show: bool | None, **given: Any) -> None:
        if show is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
            # Nobody sits before it.
            show = False
        command(show=show, **given)

    return click.option(
        "--show/--no-show",
        default=None,
        help="Open a window: q quits, space pauses, s saves. [default: for a camera of this "
        "machine, if there is a display and a terminal]",
    )(with_show)


def refuse_sources_as_files(files: dict[str, Path | None]) -> None:
    """Refuses a picture or video as the file of records: it was meant as a source.

    Args:
        files: option to file, where it was given.

    Raises:
        UsageError: one of them is one.
    """
    from maskdet.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES

    for option, path in files.items():
        if path is not None and path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
            raise click.UsageError(
                f"{option} {path}: is a file for records; {option} - writes them to standard "
                "output."
            )


rotate_option = click.option(
    "--rotate",
    type=click.Choice(["0", "90", "180", "270"]),
    callback=lambda _, __, text: int(text),
    default="0",
    show_default=True,
    help="Turn pictures and frames clockwise first, as of a camera that hangs upside down.",
)
"""Adds --rotate."""


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say how sources are read: `ReadOptions`' fields, and --rotate."""
    options = (
        click.option("--recursive", is_flag=True, help="Look into the folders of a folder, too."),
        rotate_option,
        click.option(
            "--reconnect",
            type=number("reconnect"),
            help="Attempts to open a lost camera or stream again. [default: for ever]",
        ),
        click.option(
            "--timeout",
            type=number("timeout"),
            default=10.0,
            show_default=True,
            help="Seconds a server may be silent.",
        ),
        click.option(
            "--max-megapixels",
            type=number("max_megapixels"),
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
    # Composed as class names are where they are read.
    return dict(composed(pair).split("=", 1) for pair in pairs)


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
