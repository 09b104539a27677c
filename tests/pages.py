"""The pages of the documentation as tests see them: blocks of code, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from command_line import ROOT

# Before a block of Python or commands that is only looked at, since it needs what no test has.
NOT_RUN = "<!-- not run -->"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
_INDENT = "    "
_CONTINUED = re.compile(r"\s*\\\n\s*")
# Before a command in a workflow's step, a job's manifest and the like.
_YAML_KEY = re.compile(r"^\s*(- )?\w+: ")
# Behind a command: what it does, in a column of its own.
_COLUMN = re.compile(r"\s{3,}")


def pages() -> list[Path]:
    """Returns every page: README and its like, and all below `docs/`."""
    others = ("dataset", "face_detector", "face_detector/original", "models", "samples")
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    files += [ROOT / folder / "README.md" for folder in others]
    return [*files, *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """Returns a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: such as ``python``; empty for one that is only indented.
        text: without the indentation.
        run: whether it may be run, as nothing before it says otherwise.
    """

    language: str
    text: str
    run: bool


def blocks(page: Path) -> Iterator[Block]:
    """Yields a page's blocks of code, fenced and indented ones."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    said = ""  # The last line of prose.
    indented: list[str] = []
    for line in lines:
        fence = _FENCE.match(line)
        if not fence and line.startswith(_INDENT):
            indented.append(line.removeprefix(_INDENT))
            continue
        if indented:
            yield Block("", "\n".join(indented), NOT_RUN not in said)
            indented = []
        if fence:
            inside = []
            for text in lines:
                if text.strip() == "```":
                    break
                inside.append(text.removeprefix(fence["indent"]))
            yield Block(fence["language"], "\n".join(inside), NOT_RUN not in said)
            said = ""
        elif line.strip():
            said = line
    if indented:
        yield Block("", "\n".join(indented), NOT_RUN not in said)


@dataclass(frozen=True)
class Command:
    """A command line of a page.

    Attributes:
        words: after ``maskdet``.
        shown: the output that the page shows below it; empty where it shows none.
        run: whether it may be run.
    """

    words: tuple[str, ...]
    shown: str
    run: bool


def commands(page: Path) -> list[Command]:
    """Returns the command lines in a page's blocks."""
    return [
        command
        for block in blocks(page)
        if block.language in ("", "sh", "bash", "console", "yaml")
        for command in _commands_in(block)
    ]


def _commands_in(block: Block) -> Iterator[Command]:
    """Yields the lines that call ``maskdet``; a ``$`` before one says that its output follows."""
    lines = _CONTINUED.sub(" ", block.text).splitlines()
    for number, line in enumerate(lines):
        if block.language == "yaml":
            line = _YAML_KEY.sub("", line)
        is_shown = line.startswith("$ ")
        # What reads from another program is called with what comes behind the pipe.
        called, _, piped = line.removeprefix("$ ").partition(" | ")
        if not called.startswith("maskdet") and not piped.startswith("maskdet"):
            continue
        text = _COLUMN.split((piped or called).strip())[0]
        words = shlex.split(text, comments=True)
        if words[0] != "maskdet":
            continue
        shown = "\n".join(lines[number + 1 :]) if is_shown else ""
        yield Command(tuple(words[1:]), shown, block.run and not piped)


def spans(page: Path) -> set[str]:
    """Returns what a page's prose sets as code, as between two backticks."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)}
