"""`maskdet heatmap`: where in the face the answer came from."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli.common import SOURCE_HELP, log, network_options, progress, report_failures

if TYPE_CHECKING:
    from maskdet.stream import NetworkOptions


@click.command()
@click.option(
    "--source",
    "sources",
    multiple=True,
    default=["0"],
    help=f"{SOURCE_HELP} [default: camera 0]",
)
@network_options
@click.option(
    "--record",
    "--output",
    "output",
    type=click.Path(path_type=Path),
    help="Video or picture to write, or a folder. [default: a new folder runs/heatmap/<n>]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--show", is_flag=True, help="Show the frames in a window; q quits.")
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    help="Stop after so many frames. [default: 200 of a camera, all of a file]",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Weight of the heat map's colours over the face.",
)
def heatmap(
    sources: tuple[str, ...],
    networks: "NetworkOptions",
    output: Path | None,
    overwrite: bool,
    show: bool,
    frames: int | None,
    alpha: float,
) -> None:
    """Show where in the face the answer came from."""
    from maskdet.heatmap.run import HeatmapOptions, run

    summary = run(
        HeatmapOptions(
            sources=sources,
            networks=networks,
            output=output,
            overwrite=overwrite,
            show=show,
            frames=frames,
            alpha=alpha,
        ),
        log=log,
        progress=progress,
    )
    click.echo(f"{summary.faces} heat maps in {summary.frames} frames")
    if summary.written:
        one = len(summary.written) == 1
        click.echo(f"written to {summary.written[0] if one else summary.written[0].parent}")
    report_failures(summary.failures)
