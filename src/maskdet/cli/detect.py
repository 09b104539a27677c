"""`maskdet detect`: every face boxed and labelled."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from maskdet.cli.alerting import alert_options
from maskdet.cli.common import (
    WIDTH,
    network_options,
    reading_options,
    refuse_sources_as_files,
    report_failures,
    show_option,
    source_options,
)
from maskdet.cli.environment import output_is_closed
from maskdet.cli.numbers import Real, number
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import log, progress

if TYPE_CHECKING:
    from maskdet.detect.options import DetectOptions


_LAYOUT = {
    "Sources": ("sources", "recursive", "rotate", "max_frames"),
    "Faces and labels": (
        *("model", "merge", "confidence", "face_size", "tiles", "min_face", "min_confidence"),
        "no_track",
    ),
    "Results": (
        *(
            "output",
            "no_output",
            "overwrite",
            "skip_existing",
            "append",
            "show",
            "json_file",
            "csv_file",
            "summary",
        ),
        *("plot", "grid", "crops", "blur"),
    ),
    "Alerts": (
        *("on_no_mask", "webhook", "alert_on", "alert_after", "alert_repeat", "alert_cooldown"),
        "fail_on",
    ),
    RARE: (
        *("face", "face_detector", "crop_margin", "precision", "explain_threshold"),
        *("width", "gamma", "reconnect", "timeout", "max_megapixels"),
    ),
}

_FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@sections(_LAYOUT)
@source_options
@network_options
@reading_options
@click.option("--width", type=WIDTH, help="Scale frames to this width first.")
@click.option(
    "--gamma",
    type=number("gamma"),
    default=1.0,
    show_default=True,
    help="Brighten (2.0) or darken (0.5) frames first.",
)
@click.option(
    "--max-frames", type=number("max_frames"), help="Stop each source after so many frames."
)
@click.option("--no-track", is_flag=True, help="Label every frame of a video on its own.")
@click.option(
    "--min-confidence",
    type=number("min_confidence"),
    help="Call faces whose label is less sure uncertain. [default: off]",
)
@click.option(
    "--explain-threshold",
    type=Real(0, 1),
    help="Flag faces in the JSON records that have more than this share of their evidence outside "
    "the face box. [default: off]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder, or file for one picture or video. [default: a new folder runs/detect/<n>]",
)
@click.option("--no-output", is_flag=True, help="Write no annotated pictures and no video.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Leave out pictures and videos whose output exists in --output, as an earlier run has "
    "done them.",
)
@click.option(
    "--append",
    is_flag=True,
    help="Go on with records that exist; other files that exist stay, and new ones get numbers.",
)
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
@click.option(
    "--plot", type=_FILE, help="Plot the share of faces with a mask over time, or by picture."
)
@click.option("--grid", type=_FILE, help="Write a contact sheet of the annotated pictures.")
@show_option
@alert_options
@click.option(
    "--fail-on",
    multiple=True,
    metavar="LABEL",
    help="Exit with code 3 if a face of this label was seen. May be given several times.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and no summary.")
@click.option("--verbose", "-v", is_flag=True, help="Say what is seen in every frame.")
def detect(**given: Any) -> None:
    """Find faces and tell who wears a mask."""
    from maskdet.media.heaps import share_one_heap

    share_one_heap()
    options = _options(given)
    from maskdet.detect.run import run
    from maskdet.stream import no_progress

    quiet = given["quiet"]
    to_stdout = Path("-") in (options.json, options.csv)
    # Where a line a frame says how far the run is, a bar would only be in its way.
    lines = options.verbose or (to_stdout and sys.stdout.isatty())
    summary = run(
        options,
        log=log,
        note=(lambda _: None) if quiet else log,
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
        # The condition asked for decides the exit code; what could not be done is said, too.
        for failure in summary.failures:
            log(f"maskdet: {failure}")
        log(f"maskdet: saw {', '.join(f'{label} {count} times' for label, count in seen.items())}")
        sys.exit(3)
    report_failures(summary.failures)


def _refuse_idle(given: dict[str, Any]) -> None:
    """Refuses options that would change nothing, as whoever gives them expects something else."""
    context = click.get_current_context()
    tells = given["on_no_mask"] or given["webhook"]
    draws = not given["no_output"] or given["show"] is not False or given["grid"]
    needed = [
        ("alert_on", tells, "--on-no-mask or --webhook"),
        ("alert_after", tells, "--on-no-mask or --webhook"),
        ("alert_cooldown", tells, "--on-no-mask or --webhook"),
        ("alert_repeat", tells, "--on-no-mask or --webhook"),
        ("blur", draws, "something to blur: leave out --no-output, or add --show or --grid"),
        ("explain_threshold", given["json_file"], "--json, where it is written"),
        ("skip_existing", given["output"], "--output, where the earlier run wrote"),
    ]
    for name, has_it, what in needed:
        is_given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if is_given and not has_it:
            option = "--blur-faces" if name == "blur" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} needs {what}.")


def _options(given: dict[str, Any]) -> "DetectOptions":
    """Builds the run's options from the command line's words, and refuses contradictions."""
    excluded = [
        ("no_output", "--no-output", "output", "--output"),
        ("blur", "--blur-faces", "crops", "--save-crops, which keeps the faces"),
        ("quiet", "--quiet", "verbose", "--verbose"),
        ("append", "--append", "overwrite", "--overwrite"),
        ("skip_existing", "--skip-existing", "overwrite", "--overwrite"),
    ]
    for first, first_name, second, second_name in excluded:
        if given[first] and given[second]:
            raise click.UsageError(f"{first_name} excludes {second_name}.")
    records = {"--json": "json_file", "--csv": "csv_file", "--summary": "summary"}
    refuse_sources_as_files({option: given[name] for option, name in records.items()})
    if output_is_closed() and Path("-") in (given[name] for name in records.values()):
        raise click.UsageError("Standard output is closed: name a file.")
    _refuse_idle(given)
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
            rotate=given["rotate"],
            # One that stays under the nose is to be told of after that time.
            adjusting=min(StreamOptions.adjusting, given["alert_after"] / 2),
        ),
        recursive=given["recursive"],
        reconnect=given["reconnect"],
        timeout=given["timeout"],
        max_pixels=round(given["max_megapixels"] * 1e6),
        output=given["output"],
        save=not given["no_output"],
        overwrite=given["overwrite"],
        skip_existing=given["skip_existing"],
        append=given["append"],
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
            labels=given["alert_on"],
            after=given["alert_after"],
            cooldown=given["alert_cooldown"],
            repeat=given["alert_repeat"],
        ),
    )
