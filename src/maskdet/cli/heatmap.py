"""`maskdet heatmap`: where in the face the answer came from, and whether maps tell the truth."""

from pathlib import Path
from typing import Any

import click

from maskdet.cli.common import (
    WIDTH,
    network_options,
    reading_options,
    report_failures,
    show_option,
    source_options,
)
from maskdet.cli.numbers import Real, Whole, number
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import log, progress

# Named here as well as where they are understood, so that --help loads nothing.
_METHODS = ["cam", "gradcam", "gradcam++", "hirescam", "layercam", "scorecam"]
_COLOUR_MAPS = ["coldwarm", "rdbu", "puor", "jet", "turbo", "viridis", "inferno", "magma"]
_COLOUR_MAPS += ["plasma", "hot", "bone"]
# The network shrinks its input by 32.
_STEP = 32


def _odd(_: click.Context, __: click.Parameter, value: int) -> int:
    if value and value % 2 == 0:
        raise click.BadParameter(f"{value} is even: a kernel has a middle, or is 0 for none.")
    return value


_LAYOUT = {
    "Sources": ("sources", "recursive", "rotate", "frames"),
    "Maps": ("model", "merge", "method", "view", "smooth", "resolution", "layer"),
    "Drawing": ("layout", "colormap", "alpha", "normalise", "size"),
    "Results": ("output", "overwrite", "show", "raw", "frame_rate"),
    "Whether the maps tell the truth": ("evaluate", "dataset", "compared", "faces"),
    RARE: (
        *("confidence", "face_size", "tiles", "min_face", "face", "face_detector", "crop_margin"),
        *("precision", "blur_kernel", "morphology", "width", "reconnect", "timeout"),
        *("max_megapixels",),
    ),
}


def _whole_cells(_: click.Context, __: click.Parameter, value: int | None) -> int | None:
    if value is not None and value % _STEP:
        raise click.BadParameter(f"{value} is not a multiple of {_STEP}.")
    return value


@sections(_LAYOUT)
@source_options
@network_options
@reading_options
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default="cam",
    show_default=True,
    help="How maps are computed: cam is exact and needs no Keras, all others load it.",
)
@click.option("--layer", help="Keras layer whose output is mapped. [default: the last map]")
@click.option(
    "--resolution",
    type=number("resolution"),
    callback=_whole_cells,
    help="Feed crops of so many pixels: 448 gives a map twice as fine. [default: the model's own]",
)
@click.option("--smooth", is_flag=True, help="Average over mirror images and scales.")
@click.option(
    "--class",
    "view",
    metavar="predicted|difference|LABEL",
    help="Whose evidence is shown. [default: difference, of the label and the next best]",
)
@click.option(
    "--normalise",
    type=click.Choice(["run", "frame"]),
    default="run",
    show_default=True,
    help="One scale of colours throughout, or one a frame.",
)
@click.option(
    "--colormap",
    type=click.Choice(_COLOUR_MAPS),
    default="coldwarm",
    show_default=True,
    help="Colours of the evidence, from what speaks against the label to what speaks for it.",
)
@click.option(
    "--alpha",
    type=number("alpha"),
    default=0.6,
    show_default=True,
    help="Greatest weight of the heat map's colours over the face.",
)
@click.option(
    "--blur-kernel",
    type=Whole(0, 201),
    default=0,
    show_default=True,
    callback=_odd,
    help="Smooth the enlarged map by a Gaussian of so many pixels (odd).",
)
@click.option("--morphology", is_flag=True, help="Erode and dilate the map with a 2x2 kernel.")
@click.option("--size", type=number("size"), help="Pixels of a face in a panel. [default: fits]")
@click.option(
    "--layout",
    type=click.Choice(["panels", "classic"]),
    default="panels",
    show_default=True,
    help="classic: 600x300, 5 frames a second, the picture beside the map.",
)
@click.option(
    "--record",
    "--output",
    "output",
    type=click.Path(path_type=Path),
    help="Video or picture to write, or a folder. [default: a new folder runs/heatmap/<n>]",
)
@click.option("--raw", type=click.Path(dir_okay=False, path_type=Path), help="Store maps as .npz.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@show_option
@click.option(
    "--frames",
    type=Whole(min=1),
    help="Stop after so many frames. [default: 200 of a camera, all of a file]",
)
@click.option(
    "--fps",
    "frame_rate",
    type=Real(0, 240, min_open=True),
    help="Frames a second of the recording. [default: the source's]",
)
@click.option("--width", type=WIDTH, help="Scale frames to this width first.")
@click.option("--evaluate", is_flag=True, help="Measure whether maps tell the truth, on --dataset.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    help="Class folders for --evaluate, as for training.",
)
@click.option(
    "--methods",
    "compared",
    multiple=True,
    type=click.Choice(_METHODS),
    help="What --evaluate compares. May be given several times. [default: all]",
)
@click.option(
    "--faces",
    type=Whole(min=2),
    default=120,
    show_default=True,
    help="Faces of each class that --evaluate looks at.",
)
def heatmap(**given: Any) -> None:
    """Show where in the face the answer came from."""
    if given.pop("evaluate"):
        _evaluate(given)
    elif given["dataset"] is not None or given["compared"]:
        raise click.UsageError("--dataset and --methods belong to --evaluate.")
    else:
        _draw(given)


def _draw(given: dict[str, Any]) -> None:
    from maskdet.heatmap.methods.explainers import MapOptions
    from maskdet.heatmap.options import HeatmapOptions, LookOptions
    from maskdet.heatmap.run import run

    summary = run(
        HeatmapOptions(
            sources=given["sources"],
            networks=given["networks"],
            maps=MapOptions(
                given["method"], given["layer"], given["resolution"], smooth=given["smooth"]
            ),
            look=LookOptions(
                view=given["view"],
                normalise=given["normalise"],
                colormap=given["colormap"],
                alpha=given["alpha"],
                blur_kernel=given["blur_kernel"],
                morphology=given["morphology"],
                size=given["size"],
                layout=given["layout"],
            ),
            recursive=given["recursive"],
            reconnect=given["reconnect"],
            timeout=given["timeout"],
            max_pixels=round(given["max_megapixels"] * 1e6),
            output=given["output"],
            raw=given["raw"],
            overwrite=given["overwrite"],
            show=given["show"],
            frames=given["frames"],
            frame_rate=given["frame_rate"],
            width=given["width"],
            rotate=given["rotate"],
        ),
        log=log,
        progress=progress,
    )
    for line in summary.lines():
        click.echo(line)
    report_failures(summary.failures)


def _evaluate(given: dict[str, Any]) -> None:
    if given["dataset"] is None:
        raise click.UsageError("--evaluate needs --dataset, class folders of faces.")
    from maskdet.heatmap.evidence.evaluate import EvaluateOptions, evaluate
    from maskdet.heatmap.evidence.report import table
    from maskdet.heatmap.methods.explainers import MapOptions

    evidence, written = evaluate(
        EvaluateOptions(
            dataset=given["dataset"],
            networks=given["networks"],
            maps=MapOptions(
                layer=given["layer"], resolution=given["resolution"], smooth=given["smooth"]
            ),
            methods=given["compared"] or tuple(_METHODS),
            view=given["view"],
            faces=given["faces"],
            output=given["output"],
            overwrite=given["overwrite"],
        ),
        log=log,
    )
    for line in table(evidence):
        click.echo(line)
    click.echo(f"written to {written[0].parent}")
    report_failures(list(evidence.faces.failures))
