"""`maskdet dataset`: pictures brought in, checked, made and fetched, as class folders."""

import re
from pathlib import Path
from typing import Any

import click

from maskdet.cli.common import annotation_options, log_some
from maskdet.cli.numbers import Real, Whole
from maskdet.cli.terminal import log, share_bar

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(path_type=Path)


@click.group()
def dataset() -> None:
    """Bring in, check, make and fetch pictures to train on."""


@dataset.command(name="import")
@click.argument("images", type=_FOLDER)
@annotation_options(required=True)
@click.option("--output", type=_NEW, required=True, help="Folder to write; must be new or empty.")
@click.option(
    "--margin",
    type=Real(0, 2),
    help="Share of its box added around a face. [default: the bundled model's]",
)
@click.option(
    "--min-size",
    type=Real(min=1),
    default=24,
    show_default=True,
    help="Leave out faces smaller than so many pixels.",
)
def import_(images: Path, **given: Any) -> None:
    """Cut the faces out of boxed photographs into class folders."""
    from maskdet.dataset.folders import PROBLEMS_FILE
    from maskdet.dataset.importing import ImportOptions, import_faces

    with share_bar() as show:
        result = import_faces(ImportOptions(images=images, **given), show=show)
    log_some(result.problems, given["output"] / PROBLEMS_FILE)
    counts = ", ".join(f"{label} {count}" for label, count in sorted(result.counts.items()))
    click.echo(f"read {result.photographs} photographs ({result.format_name}), wrote {counts}")
    if result.too_small:
        click.echo(f"left out {result.too_small} faces below {given['min_size']:g} pixels")


@dataset.command()
@click.argument("folder", type=_FOLDER)
@click.option("--output", type=_NEW, help="Folder for the report. [default: runs/check/<n>]")
@click.option("--fix", type=_NEW, help="Write a cleaned copy to this new folder.")
def check(folder: Path, output: Path | None, fix: Path | None) -> None:
    """Say what is wrong with class folders; write a cleaned copy."""
    from maskdet.dataset.check import CheckOptions
    from maskdet.dataset.check import check as run_check

    with share_bar() as show:
        finding, report, changes = run_check(CheckOptions(folder, output, fix), show=show)
    log_some(finding.unreadable, report / "check.json")
    for line in finding.lines():
        click.echo(line)
    if changes is not None:
        done = ", ".join(f"{name} {count}" for name, count in changes.items() if count)
        click.echo(f"cleaned copy in {fix}: {done}")
    click.echo(f"report in {report}")


@dataset.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--face",
    metavar="DIR|FILE|original",
    help="Face detector, as maskdet detect takes it. [default: the bundled SSD]",
)
@click.option("--overwrite", is_flag=True, help="Find boxes anew that are noted already.")
def faces(folder: Path, **given: Any) -> None:
    """Find the face in each picture of class folders, and note its box in faces.csv."""
    from maskdet.dataset.faces import FacesOptions, find_faces

    with share_bar() as show:
        found = find_faces(FacesOptions(folder, **given), show=show)
    log_some(found.problems, None)
    kept = f", {found.kept} were there" if found.kept else ""
    click.echo(f"{found.boxes} faces found{kept}; boxes in {found.path}")
    if found.none or found.several:
        click.echo(
            f"{found.none} pictures without a face and {found.several} with several are trained on "
            "whole"
        )


@dataset.command()
@click.argument("faces", type=_FOLDER)
@click.option("--output", type=_NEW, required=True, help="Folder to write; must be new or empty.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["surgical", "cloth", "kn95"]),
    multiple=True,
    help="Masks to draw. Repeatable. [default: all]",
)
@click.option("--mask", type=_FILE, help="PNG of your own mask, cut out, to use instead.")
@click.option("--incorrect", is_flag=True, help="Add masks worn wrongly, as a third class.")
@click.option(
    "--per-face",
    type=Whole(1, 100),
    default=1,
    show_default=True,
    help="Masked pictures to make of each.",
)
@click.option(
    "--landmarks",
    type=click.Path(exists=True, path_type=Path),
    help="YuNet's .onnx file. [default: the user's cache, else a download]",
)
@click.option(
    "--seed",
    type=Whole(min=0),
    default=1,
    show_default=True,
    help="Of the masks' kinds, colours and places.",
)
def synthesize(**given: Any) -> None:
    """Make masked pictures from bare faces."""
    if given["mask"] is not None and given["kinds"]:
        raise click.UsageError("--mask excludes --kind.")
    from maskdet.dataset.folders import PROBLEMS_FILE
    from maskdet.dataset.synthesize import FROM_BOX, SynthesizeOptions
    from maskdet.dataset.synthesize import synthesize as run_synthesize

    if not given["kinds"]:
        del given["kinds"]
    with share_bar() as show:
        made = run_synthesize(SynthesizeOptions(**given), show=show)
    if made.guessed:
        log(f"lower quality: {FROM_BOX}, as {made.guessed}")
    log_some((*made.overlooked, *made.skipped), given["output"] / PROBLEMS_FILE)
    counts = ", ".join(f"{label} {count}" for label, count in sorted(made.counts.items()))
    click.echo(f"wrote {counts}; nothing made of {len(made.skipped)} pictures")


def _checksum(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise click.BadParameter("expected 64 hexadecimal digits.")
    return text


@dataset.command()
@click.argument("name")
@click.option("--output", type=_NEW, help="Folder to write. [default: dataset/<name>]")
@click.option("--url", help="Another address of the same archive, such as a mirror.")
@click.option("--sha256", callback=_checksum, help="What the archive's checksum must be.")
def fetch(**given: Any) -> None:
    """Download a public data set by its name, such as prajnasb/observations."""
    from maskdet.dataset.fetch import FetchOptions
    from maskdet.dataset.fetch import fetch as run_fetch

    with share_bar() as show:
        fetched = run_fetch(FetchOptions(**given), show=show)
    entry = fetched.entry
    counts = ", ".join(f"{label} {count}" for label, count in entry.counts.items())
    click.echo(f"{entry.name} in {fetched.folder}: {counts}")
    click.echo(f"licence: {entry.licence}; {entry.note}")
    click.echo(f"archive's sha256 {fetched.sha256}")
