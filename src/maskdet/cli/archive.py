"""`maskdet archive`: a terabyte of video, on one machine or on many."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from maskdet.cli.common import log_some, network_options, rotate_option
from maskdet.cli.numbers import Real, Whole
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import SECONDS_BETWEEN_LINES, log, on_terminal, share_bar
from maskdet.wording import counted

if TYPE_CHECKING:
    from maskdet.archive.options import ArchiveOptions, WorkOptions
    from maskdet.archive.run import Tally

_LAYOUT = {
    "What to do": ("sources", "output", "resume", "report"),
    "Machines": ("workers", "address"),
    "Frames": ("every", "key_frames", "rotate"),
    "Faces and labels": (
        *("model", "confidence", "face_size", "tiles", "min_face", "min_confidence", "no_track"),
    ),
    RARE: (
        *("piece", "warm_up", "face", "face_detector", "crop_margin", "precision", "merge"),
        *("max_megapixels", "show_faces", "dashboard", "quiet"),
    ),
}

# What a study was begun with; given once more, it must be the same.
_OF_NETWORKS = (
    *("model", "face", "confidence", "face_detector", "face_size", "tiles", "min_face"),
    *("crop_margin", "precision", "merge"),
)


@sections(_LAYOUT)
@click.argument("sources", nargs=-1)
@click.option(
    "--output",
    metavar="DIR",
    help="Folder, or address, of a new study: where the tables go.",
)
@click.option(
    "--resume", metavar="DIR", help="Go on with a study: do what is missing, and what came since."
)
@click.option("--report", metavar="DIR", help="Write a study's report: a page and CSV tables.")
@click.option(
    "--workers", type=Whole(min=1), help="Pieces worked on at a time. [default: one a core]"
)
@click.option(
    "--address",
    metavar="auto|HOST:PORT",
    help="Work on a Ray cluster: the one this machine is in, or the one of this head. "
    "[default: this machine alone]",
)
@click.option(
    "--every", type=Whole(min=1), default=1, show_default=True, help="Look at one frame in so many."
)
@click.option(
    "--key-frames",
    is_flag=True,
    help="Look at key frames alone, one in a few seconds: a first look, without people followed.",
)
@rotate_option
@network_options
@click.option(
    "--min-confidence",
    type=Real(0, 1),
    help="Call faces whose label is less sure uncertain. [default: off]",
)
@click.option("--no-track", is_flag=True, help="Label every frame on its own.")
@click.option(
    "--piece",
    type=Real(min=0.1),
    default=5.0,
    show_default=True,
    help="Minutes into which long videos are cut, for several workers.",
)
@click.option(
    "--warm-up",
    type=Real(min=0),
    default=10.0,
    show_default=True,
    help="Seconds that each piece looks at before it begins.",
)
@click.option(
    "--max-megapixels",
    type=Real(min=0, min_open=True, max=1000),
    default=200.0,
    show_default=True,
    help="Leave videos with more million pixels unread.",
)
@click.option(
    "--show-faces", is_flag=True, help="Leave the faces in the report's contact sheet recognisable."
)
@click.option("--dashboard", is_flag=True, help="Serve Ray's page while it works.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and no summary.")
def archive(**given: Any) -> None:
    """Look through videos by the thousand, on one machine or on many."""
    _refuse_contradictions(given)
    if given["report"] is not None:
        _report(given)
        return
    options = _options(given)
    from maskdet.archive.run import begin, resume

    quiet = given["quiet"]
    say: Callable[[str], None] = (lambda _: None) if quiet else log
    progress = _nothing if quiet else _progress
    if given["resume"] is not None:
        tally = resume(options, _given_again(options.work), log=say, progress=progress)
    else:
        tally = begin(options, log=say, progress=progress)
    if not quiet:
        _summarise(tally, options.output)
    log_some(tuple(f"maskdet: {failure}" for failure in tally.failures), None)
    if tally.failures:
        log(f"pieces/ in {options.output} says why each of them is missing")
    if tally.away:
        log(
            f"{counted(tally.away, 'piece')} could not be reached; "
            f"maskdet archive --resume {options.output} tries again"
        )
    if tally.stopped:
        log(f"stopped; maskdet archive --resume {options.output} goes on")
    if tally.stopped or tally.failures:
        sys.exit(1)


def _refuse_contradictions(given: dict[str, Any]) -> None:
    named = [name for name in ("output", "resume", "report") if given[name] is not None]
    if len(named) != 1:
        raise click.UsageError("Give one of --output, --resume and --report.")
    if named == ["output"] and not given["sources"]:
        raise click.UsageError("Name the videos: files, folders, 'patterns', lists or addresses.")
    if named != ["output"] and given["sources"]:
        raise click.UsageError(f"--{named[0]} takes no sources: the study knows them.")
    if given["key_frames"] and given["every"] > 1:
        raise click.UsageError("--key-frames excludes --every.")
    if given["show_faces"] and given["report"] is None:
        raise click.UsageError("--show-faces needs --report.")


def _options(given: dict[str, Any]) -> "ArchiveOptions":
    from maskdet.archive.options import ArchiveOptions, WorkOptions
    from maskdet.stream import StreamOptions

    sources = tuple(
        # Whole paths, so that the study can be gone on with from any folder.
        text if "://" in text or text.startswith("~") else str(Path(text).absolute())
        for text in given["sources"]
    )
    return ArchiveOptions(
        sources,
        given["output"] or given["resume"],
        WorkOptions(
            given["networks"],
            StreamOptions(
                track=not given["no_track"],
                min_confidence=given["min_confidence"],
                rotate=given["rotate"],
            ),
            every=given["every"],
            key_frames=given["key_frames"],
            piece_seconds=given["piece"] * 60,
            warm_up=given["warm_up"],
            max_pixels=round(given["max_megapixels"] * 1e6),
        ),
        given["workers"],
        given["address"],
        given["dashboard"],
    )


def _given_again(work: "WorkOptions") -> dict[str, Any]:
    """Returns the options of the work that were given in so many words."""
    context = click.get_current_context()

    def is_given(name: str) -> bool:
        return context.get_parameter_source(name) is not ParameterSource.DEFAULT

    again = {name: getattr(work.networks, name) for name in _OF_NETWORKS if is_given(name)}
    fields = (
        ("every", "every", work.every),
        ("key_frames", "key_frames", work.key_frames),
        ("piece", "piece_seconds", work.piece_seconds),
        ("warm_up", "warm_up", work.warm_up),
        ("rotate", "rotate", work.stream.rotate),
        ("max_megapixels", "max_pixels", work.max_pixels),
        ("no_track", "track", work.stream.track),
        ("min_confidence", "min_confidence", work.stream.min_confidence),
    )
    return again | {field: value for name, field, value in fields if is_given(name)}


@contextmanager
def _nothing() -> Iterator[Callable[[float, str], None]]:
    yield lambda _, __: None


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """Shows a bar on a terminal; elsewhere a line now and then."""
    if on_terminal():
        with share_bar() as show:
            yield show
        return
    said = time.monotonic()

    def tell(share: float, line: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SECONDS_BETWEEN_LINES and share < 1:
            said = now
            log(line)

    yield tell


def _summarise(tally: "Tally", output: str) -> None:
    from maskdet.wording import label_text

    if tally.files == 0:
        return
    click.echo(f"{output}: {tally.line()}")
    for label, count in sorted(tally.people.items()):
        click.echo(f"  {label_text(label)}: {count}")


def _report(given: dict[str, Any]) -> None:
    from maskdet.archive.reporting.report import write_report

    for path in write_report(given["report"], log=log, show_faces=given["show_faces"]):
        click.echo(f"wrote {path}")
