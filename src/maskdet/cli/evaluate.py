"""`maskdet evaluate`: how good a model is."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.class_folders.splits import SPLITS, TEST
from maskdet.cli.common import annotation_options, log_some, network_options
from maskdet.cli.numbers import number
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import log, print_table, share_bar

if TYPE_CHECKING:
    from maskdet.evaluate.options import Subject
    from maskdet.evaluate.report import Report

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


_LAYOUT = {
    "What is evaluated: one of": ("dataset", "run", "images", "video"),
    "What is right": ("part", "annotations", "format_name", "mapping", "label"),
    "Networks": ("model", "merge", "confidence", "face_size", "tiles", "min_face", "no_track"),
    "Report": ("output", "compare", "gate", "tolerance", "other_data"),
    RARE: ("face", "face_detector", "crop_margin", "precision"),
}


@sections(_LAYOUT)
@click.option("--dataset", type=_FOLDER, help="Class folders: the classifier alone.")
@click.option(
    "--run", type=_FOLDER, help="Folder of a training run: its model on a part of its pictures."
)
@click.option(
    "--part",
    type=click.Choice(SPLITS),
    help="Which of the run's parts. [default: test]",
)
@click.option("--images", type=_FOLDER, help="Photographs with --annotations: both stages.")
@click.option("--video", type=_FILE, help="Video with --label: everyone in it is in one state.")
@annotation_options(required=False)
@click.option("--label", help="What every face in the video is, such as with_mask.")
@click.option("--no-track", is_flag=True, help="Label every frame of the video on its own.")
@network_options
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the report. [default: runs/evaluate/<n>]",
)
@click.option("--compare", type=_FILE, help="Earlier report.json: exit with 3 if it was better.")
@click.option(
    "--gate",
    multiple=True,
    metavar="FIGURE",
    help="Figure that must not get worse, by its name in report.json. Repeatable. "
    "[default: the main ones]",
)
@click.option(
    "--tolerance",
    type=number("tolerance"),
    default=0.01,
    show_default=True,
    help="By how much a figure may get worse.",
)
@click.option(
    "--other-data", is_flag=True, help="Compare with a report about other pictures all the same."
)
def evaluate(**given: Any) -> None:
    """Measure a model on class folders, on boxed photographs, or on video."""
    subject = _subject(given)
    if given["gate"] and given["compare"] is None:
        raise click.UsageError("--gate needs --compare.")
    if given["other_data"] and given["compare"] is None:
        raise click.UsageError("--other-data needs --compare.")
    from maskdet.evaluate.options import EvaluateOptions
    from maskdet.evaluate.run import REPORT_FILE
    from maskdet.evaluate.run import evaluate as run_evaluate

    common = ("networks", "output", "compare", "gate", "tolerance", "other_data")
    options = EvaluateOptions(subject, **{name: given[name] for name in common})
    with share_bar() as show:
        done = run_evaluate(options, show=show, log=log)
    log_some(done.report.problems, done.folder / REPORT_FILE)
    _print(done.report)
    click.echo(f"\nreport in {done.folder}")
    if done.comparison is not None and done.comparison.worse:
        worse = ", ".join(done.comparison.worse)
        log(f"maskdet: worse by more than {given['tolerance']:g}: {worse}")
        sys.exit(3)


def _print(report: "Report") -> None:
    for name, value in report.about.items():
        click.echo(f"{name:12}{value}")
    click.echo(f"\n{report.summary}")
    for table in (report.figure_table(), *report.tables):
        click.echo()
        print_table(table.title, table.columns, table.texts())
        if table.note:
            click.echo(table.note)


def _subject(given: dict[str, Any]) -> "Subject":
    """Finds out what is to be evaluated, and refuses contradictions."""
    named = [name for name in ("dataset", "run", "images", "video") if given[name] is not None]
    if len(named) != 1:
        raise click.UsageError("Give one of --dataset, --run, --images and --video.")
    for owner, names in {"images": ("annotations",), "video": ("label",)}.items():
        for name in names:
            if owner in named and given[name] is None:
                raise click.UsageError(f"--{owner} needs --{name}.")
            if owner not in named and given[name] is not None:
                raise click.UsageError(f"--{name} goes with --{owner}.")
    if given["part"] is not None and given["run"] is None:
        raise click.UsageError("--part goes with --run.")
    if given["no_track"] and given["video"] is None:
        raise click.UsageError("--no-track goes with --video.")
    from maskdet.evaluate.options import (
        FolderOptions,
        PhotographOptions,
        RunPartOptions,
        VideoOptions,
    )

    if given["run"] is not None:
        if given["mapping"]:
            raise click.UsageError("--map does not go with --run: its labels are its model's.")
        return RunPartOptions(given["run"], given["part"] or TEST)
    if given["dataset"] is not None:
        return FolderOptions(given["dataset"], given["mapping"])
    if given["images"] is not None:
        fields = ("images", "annotations", "format_name", "mapping")
        return PhotographOptions(**{name: given[name] for name in fields})
    return VideoOptions(given["video"], given["label"], track=not given["no_track"])
