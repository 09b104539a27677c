"""The command lines of the documentation, read out of its pages: those that can be run are."""

import re
import shutil
from pathlib import Path

import click
import cv2
import pytest

from command_line import ROOT, SAMPLES, Cli
from maskdet.cli import cli
from maskdet.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from pages import Command, commands, name_of, pages, spans
from site_notebooks import notebook_page

PAGES = [page for page in pages() if page.is_file() and (commands(page) or spans(page))]

# Others need a network, a port, or more time than a test has: they are only parsed.
RUN = {"dataset check", "dataset import", "detect", "evaluate", "heatmap", "info"}
# Words that stand for what the reader has: IMAGES, DATA/valid, models/mine.json is there.
PLACEHOLDER = re.compile(r"^[A-Z]{3,}\b|^\.\./")
CAMERA = re.compile(r"(\w+=)?\d+$|/dev/|-$|.*\.txt$")
# Options of heat maps that need Keras.
HEAVY = {"--layer", "--method", "--resolution"}
# Of numbers only that there is one.
NUMBER = re.compile(r"\d[\d.]*")
# What is fastest depends on the processor.
PRECISION = re.compile(r"\b(float|int)\d+\b")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of eight frames."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    size = (320, 320)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 8, size)  # type: ignore[attr-defined]
    picture = cv2.resize(cv2.imread(str(SAMPLES / "astronaut_masked.jpg")), size)
    for _ in range(8):
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def desk(tmp_path: Path, film: Path) -> Path:
    """A folder with all that the pages name, as their reader has it."""
    masked, bare = SAMPLES / "astronaut_masked.jpg", SAMPLES / "astronaut.jpg"
    shutil.copy(masked, tmp_path / "photo.jpg")
    shutil.copy(film, tmp_path / "film.mp4")
    shutil.copy(film, tmp_path / "lobby.mp4")
    for folder in ("dataset", "faces", "other-day"):
        for label, picture in (("with_mask", masked), ("without_mask", bare)):
            (tmp_path / folder / label).mkdir(parents=True)
            shutil.copy(picture, tmp_path / folder / label)
    boxes = {"a": (masked, "0 0.44 0.24 0.2 0.19"), "b": (bare, "1 0.44 0.24 0.2 0.19")}
    for folder in ("photos", "labels", "must-be-masked"):
        (tmp_path / folder).mkdir()
    shutil.copy(masked, tmp_path / "must-be-masked")
    for name, (picture, row) in boxes.items():
        shutil.copy(picture, tmp_path / "photos" / f"{name}.jpg")
        (tmp_path / "labels" / f"{name}.txt").write_text(row + "\n")
    (tmp_path / "labels" / "classes.txt").write_text("with_mask\nwithout_mask\n")
    (tmp_path / "samples").symlink_to(SAMPLES)
    (tmp_path / "models").mkdir()
    for file in (ROOT / "models").iterdir():
        (tmp_path / "models" / file.name).symlink_to(file)
    (tmp_path / "models" / "mine.json").symlink_to(ROOT / "models" / "mask_detector.json")
    return tmp_path


def may_run(command: Command) -> bool:
    """Tells whether a command needs nothing that a test has not."""
    words = command.words
    if not command.run or not RUN.intersection((words[0], " ".join(words[:2]))):
        return False
    if HEAVY.intersection(words) or any(map(PLACEHOLDER.match, words)) or "://" in str(words):
        return False
    given = parsed(words).params
    if "sources" not in given:
        return True
    sources = sources_of(words)
    return bool(given.get("evaluate") or sources) and not any(map(CAMERA.match, sources))


def sources_of(words: tuple[str, ...]) -> list[str]:
    """Returns what a command looks at."""
    given = parsed(words).params
    return [*given.get("sources", ()), *given.get("more", ())]


def lay_out(desk: Path, source: str) -> None:
    """Puts a picture, a video or a folder of the name that a page gives it onto the desk."""
    path = desk / source
    if path.exists() or "*" in source:
        return
    if path.suffix in VIDEO_SUFFIXES:
        shutil.copy(desk / "film.mp4", path)
    elif path.suffix in PICTURE_SUFFIXES:
        shutil.copy(desk / "photo.jpg", path)
    elif not path.suffix:
        shutil.copytree(desk / "photos", path)


def parsed(words: tuple[str, ...]) -> click.Context:
    """Parses a command as click does; its files need not be there.

    Raises:
        UsageError: an option is not known, or its value is wrong.
    """
    context = click.Context(cli, info_name="maskdet")
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        inner = command.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no such command: {name}")
        command = inner
        context = (
            click.Context(command, parent=context, info_name=name)
            if isinstance(command, click.Group)
            else command.make_context(name, rest, parent=context)
        )
    return context


@pytest.fixture
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets click take files and programs that are not there."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, *_: Path(value))
    monkeypatch.setattr(shutil, "which", lambda name: name)


@pytest.mark.usefixtures("_no_files")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_have_the_options_that_pages_give_them(page: Path) -> None:
    """Each command line is one that click understands, whether or not it is run below."""
    for command in commands(page):
        parsed(command.words)


def to_run(page: Path) -> list[Command]:
    """Returns the commands to run of a page: those of earlier pages are not run again.

    But for what has an output, which a later command of the page may read.
    """
    earlier = {command for other in PAGES[: PAGES.index(page)] for command in commands(other)}
    return [
        command
        for command in commands(page)
        if command.run and ("--output" in command.words or command not in earlier)
    ]


def masked_numbers(text: str) -> list[str]:
    """Returns a text's lines without what differs from run to run and processor to processor."""
    plain = PRECISION.sub("a precision", text)
    lines = [" ".join(NUMBER.sub("#", line).split()) for line in plain.splitlines()]
    return [line for line in lines if line]


@pytest.mark.usefixtures("_no_files")
@pytest.mark.parametrize("page", [page for page in PAGES if to_run(page)], ids=name_of)
def test_commands_run(page: Path, desk: Path, maskdet: Cli) -> None:
    """Those that need neither camera, network nor training end well and print what pages show."""
    for command in to_run(page):
        words = command.words
        if not may_run(command):
            continue
        if words[0] == "dataset":
            # A page shows them for one folder after another.
            for option in ("--fix", "--output"):
                if option in words:
                    shutil.rmtree(desk / words[words.index(option) + 1], ignore_errors=True)
        for source in sources_of(words):
            lay_out(desk, source)
        done = maskdet(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        if command.shown:
            printed = iter(masked_numbers(done.stdout))
            # One after another, though a page may leave lines out.
            assert all(line in printed for line in masked_numbers(command.shown)), done.stdout


def options_of(words: list[str]) -> set[str]:
    """Returns the options of the command that some words begin with; of all, if with none."""
    found: set[str] = set()

    def gather(command: click.Command, rest: list[str]) -> None:
        if not isinstance(command, click.Group):
            for parameter in command.params:
                found.update((*parameter.opts, *parameter.secondary_opts))
            return
        context = click.Context(command)
        names = command.list_commands(context)
        for name in rest[:1] if rest and rest[0] in names else names:
            inner = command.get_command(context, name)
            assert inner is not None
            gather(inner, rest[1:])

    gather(cli, words)
    return found | {"--help", "--version"}


def test_options_in_prose_exist() -> None:
    """An option that a sentence names is one of the command beside it, or of any command."""
    programs = [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "tools").glob("*.py")]
    others = set(re.findall(r'"(--[a-z-]+)"', "".join(path.read_text() for path in programs)))
    # Of pytest and pip, which CONTRIBUTING names.
    others |= {"--light"}
    known = options_of([])
    for page in PAGES:
        for span in spans(page):
            words = span.split()
            named = set(re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", span))
            if words[0] == "maskdet":
                assert named <= options_of(words[1:]), f"{name_of(page)}: {span}"
            elif words[0].startswith("--"):
                hint = "of another program? Name it: `pip --user`, not `--user`"
                assert named <= known | others, f"{name_of(page)}: {span}: {hint}"


@pytest.mark.usefixtures("_no_files")
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_commands_in_notebooks_exist(path: Path, tmp_path: Path) -> None:
    """The command lines beside a notebook's cells are such that click understands."""
    page = tmp_path / "page.md"
    page.write_text(notebook_page(path)[0], encoding="utf-8")
    for command in commands(page):
        parsed(command.words)
