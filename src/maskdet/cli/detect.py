"""`maskdet detect`: every face boxed and labelled."""

import sys
from pathlib import Path

import click

from maskdet.cli.common import log, network_options, progress, report_failures


@click.command()
@click.option(
    "--source",
    required=True,
    help="Camera number, or path of a picture, a folder of pictures, or a video.",
)
@network_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder, or file for one picture or video. [default: a new folder runs/detect/<n>]",
)
@click.option("--no-output", is_flag=True, help="Write no pictures and no video.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON object a frame on standard output; the summary goes to standard error.",
)
@click.option("--show", is_flag=True, help="Show the frames in a window; q quits.")
@click.option("--max-frames", type=click.IntRange(min=1), help="Stop after so many frames.")
def detect(
    source: str,
    confidence: float | None,
    model: Path | None,
    face: Path | None,
    output: Path | None,
    no_output: bool,
    overwrite: bool,
    as_json: bool,
    show: bool,
    max_frames: int | None,
) -> None:
    """Find faces and tell who wears a mask."""
    if no_output and output is not None:
        raise click.UsageError("--output and --no-output exclude one another.")
    from maskdet.detect.run import DetectOptions, run
    from maskdet.stream import NetworkOptions

    summary, labels = run(
        DetectOptions(
            source=source,
            networks=NetworkOptions(model, face, confidence),
            output=output,
            save=not no_output,
            overwrite=overwrite,
            show=show,
            max_frames=max_frames,
        ),
        records=sys.stdout if as_json else None,
        log=log,
        progress=progress,
    )
    for line in summary.lines(labels):
        click.echo(line, err=as_json)
    report_failures(summary.failures)
