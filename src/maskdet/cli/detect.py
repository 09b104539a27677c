"""`maskdet detect`: every face boxed and labelled."""

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from maskdet.cli.common import (
    SOURCE_HELP,
    log,
    network_options,
    progress,
    reading_options,
    report_failures,
)

if TYPE_CHECKING:
    from maskdet.detect.options import DetectOptions


def _read_command(
    _: click.Context, __: click.Parameter, text: str | None
) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"{text}: {error}.") from None
    if not words:
        raise click.BadParameter("Names no command.")
    if shutil.which(words[0]) is None:
        raise click.BadParameter(f"There is no command {words[0]}.")
    return tuple(words)


def _check_address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        # A port that is no number, or too large a one, is found out when it is asked for.
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        shown = re.sub(r"^(\w+://)?.*@", r"\1", url)
        raise click.BadParameter(f"{shown} is not an address such as http://localhost:8000/alert.")
    return url


_FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command()
@click.option("--source", "sources", multiple=True, required=True, help=SOURCE_HELP)
@network_options
# What is looked at.
@reading_options
@click.option("--width", type=click.IntRange(min=16), help="Scale frames to this width first.")
@click.option(
    "--gamma",
    type=click.FloatRange(0.1, 10),
    default=1.0,
    show_default=True,
    help="Brighten (2.0) or darken (0.5) frames first.",
)
@click.option(
    "--max-frames", type=click.IntRange(min=1), help="Stop each source after so many frames."
)
# How faces are labelled.
@click.option("--no-track", is_flag=True, help="Label every frame of a video on its own.")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    help="Call faces whose label is less sure uncertain. [default: off]",
)
@click.option(
    "--explain-threshold",
    type=click.FloatRange(0, 1),
    help="Flag faces in the JSON records that have more than this share of their evidence outside "
    "the face box. [default: off]",
)
# What is written.
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder, or file for one picture or video. [default: a new folder runs/detect/<n>]",
)
@click.option("--no-output", is_flag=True, help="Write no annotated pictures and no video.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option(
    "--json",
    "json_file",
    type=_FILE,
    is_flag=False,
    flag_value=Path("-"),
    help="Write a JSON object a frame to a file, or to standard output if none is named.",
)
@click.option(
    "--csv",
    "csv_file",
    type=_FILE,
    is_flag=False,
    flag_value=Path("-"),
    help="Write a CSV row a face, likewise.",
)
@click.option(
    "--save-crops",
    "crops",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save the faces, one folder a label: the start of a training set.",
)
@click.option("--blur-faces", "blur", is_flag=True, help="Make faces unrecognisable in the output.")
@click.option("--summary", type=_FILE, help="Write the figures of the run as JSON.")
@click.option("--plot", type=_FILE, help="Plot the share of faces with a mask over time.")
@click.option("--grid", type=_FILE, help="Write a contact sheet of the annotated pictures.")
@click.option("--show", is_flag=True, help="Open a window: q quits, space pauses, s saves.")
# Who is told.
@click.option(
    "--on-no-mask",
    metavar="CMD",
    callback=_read_command,
    help="Run a command (without a shell) for a face that stays without a mask; the record is on "
    "its standard input.",
)
@click.option(
    "--webhook",
    metavar="URL",
    callback=_check_address,
    help="POST the record of such a face to an address.",
)
@click.option(
    "--alert-after",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds without a mask before an alert.",
)
@click.option(
    "--alert-cooldown",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds after an alert in which there is no further one.",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="LABEL",
    help="Exit with code 3 if a face of this label was seen. May be given several times.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
@click.option("--verbose", "-v", is_flag=True, help="Say what is seen in every frame.")
def detect(**given: Any) -> None:
    """Find faces and tell who wears a mask."""
    options = _options(given)
    from maskdet.detect.run import run
    from maskdet.stream import no_progress

    quiet = given["quiet"]
    to_stdout = Path("-") in (options.json, options.csv)
    # Where a line a frame says how far the run is, a bar would only be in its way.
    lines = options.verbose or (to_stdout and sys.stdout.isatty())
    summary = run(
        options,
        log=(lambda _: None) if quiet else log,
        progress=no_progress if quiet or lines else progress,
    )
    if not quiet:
        from maskdet.media.files import printable

        to_stderr = to_stdout or options.summary == Path("-")
        encoding = (sys.stderr if to_stderr else sys.stdout).encoding
        for line in summary.lines():
            click.echo(printable(line, encoding), err=to_stderr)
    seen = {label: summary.faces[label] for label in options.fail_on if summary.faces[label]}
    if seen:
        # Before the pictures that could not be read: the condition asked for is the louder word.
        log(f"maskdet: saw {', '.join(f'{label} {count} times' for label, count in seen.items())}")
        sys.exit(3)
    report_failures(summary.failures)


def _options(given: dict[str, Any]) -> "DetectOptions":
    """Builds the run's options from the command line's words, and refuses contradictions."""
    excluded = [
        ("no_output", "--no-output", "output", "--output"),
        ("blur", "--blur-faces", "crops", "--save-crops, which keeps the faces"),
        ("quiet", "--quiet", "verbose", "--verbose"),
    ]
    for first, first_name, second, second_name in excluded:
        if given[first] and given[second]:
            raise click.UsageError(f"{first_name} excludes {second_name}.")
    files: dict[Path, str] = {}
    for name in ("json_file", "csv_file", "summary", "plot", "grid", "output"):
        path, option = given[name], f"--{name.removesuffix('_file')}"
        if path is None:
            continue
        where = "standard output" if path == Path("-") else path
        # By where they are: a.png and ./a.png are one.
        if path.absolute() in files:
            raise click.UsageError(f"{files[path.absolute()]} and {option} both go to {where}.")
        files[path.absolute()] = option
    if given["no_track"] and (given["on_no_mask"] or given["webhook"]):
        raise click.UsageError("Alerts follow faces: they exclude --no-track.")
    from maskdet.alerts.options import AlertOptions
    from maskdet.detect.options import DetectOptions
    from maskdet.stream import StreamOptions

    return DetectOptions(
        sources=given["sources"],
        networks=given["networks"],
        stream=StreamOptions(
            max_frames=given["max_frames"],
            track=not given["no_track"],
            min_confidence=given["min_confidence"],
            width=given["width"],
            gamma=given["gamma"],
        ),
        recursive=given["recursive"],
        reconnect=given["reconnect"],
        timeout=given["timeout"],
        max_pixels=round(given["max_megapixels"] * 1e6),
        output=given["output"],
        save=not given["no_output"],
        overwrite=given["overwrite"],
        json=given["json_file"],
        csv=given["csv_file"],
        crops=given["crops"],
        blur=given["blur"],
        summary=given["summary"],
        plot=given["plot"],
        grid=given["grid"],
        show=given["show"],
        verbose=given["verbose"],
        fail_on=given["fail_on"],
        explain_threshold=given["explain_threshold"],
        alerts=AlertOptions(
            command=given["on_no_mask"],
            webhook=given["webhook"],
            after=given["alert_after"],
            cooldown=given["alert_cooldown"],
        ),
    )
