"""The import rules of the design, held over the syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import maskdet

PACKAGE = Path(maskdet.__file__).parent
COMMANDS = {"archive", "dataset", "detect", "evaluate", "heatmap", "info", "serve", "train"}
GROUND = {
    "addresses",
    "annotations",
    "assets",
    "boxes",
    "cards",
    "class_folders",
    "detections",
    "duplicates",
    "errors",
    "extras",
    "files",
    "limits",
    "metrics",
    "pace",
    "processor",
    "signals",
    "standard_error",
    "suffixes",
    "summaries",
    "waits",
    "wording",
}

# What each part may import, besides itself.
ALLOWED = {
    **dict.fromkeys(("api", "cli"), COMMANDS | GROUND | {"alerts", "media", "stream", "vision"}),
    **{
        command: GROUND | {"alerts", "media", "results", "stream", "vision"} for command in COMMANDS
    },
    **dict.fromkeys(("alerts", "results"), GROUND | {"media"}),
    "stream": GROUND | {"media", "vision"},
    "vision": GROUND,
    "media": GROUND,
    **dict.fromkeys(GROUND, GROUND),
}

# Inside a part: what each of its rooms may import of the others. "" is the part's own files.
ROOMS = {
    "train": {
        "": set(),
        "classifier": {"", "classifier.passes", "classifier.reporting", "others"},
        "classifier.passes": {""},
        "classifier.reporting": set(),
        "others": {""},
        "faces": {"", "faces.networks"},
        "faces.networks": {""},
    },
    "media": {
        "": {"inputs", "recording"},
        "inputs": set(),
        "recording": {"inputs"},
    },
    "archive": {"": set(), "reporting": {""}},
    "heatmap": {
        "": {"drawing", "methods"},
        "drawing": {"methods"},
        "evidence": {"drawing", "methods"},
        "methods": set(),
    },
    "serve": {
        "site": set(),
        "showing": {"site"},
        "storing": {"site"},
        "telling": {"site", "storing"},
        "recording": {"site", "storing"},
        "watching": {"recording", "showing", "site", "storing", "telling"},
        "": {"showing", "site", "storing", "watching"},
        "web.access": {"site"},
        "web.streaming": {"", "showing"},
        "web.content": {"showing", "storing", "web.access"},
        "web.routes": {
            *("", "showing", "site", "storing"),
            *("web.access", "web.content", "web.streaming"),
        },
        "web": {"", "site", "web.access", "web.routes", "web.streaming"},
        "running": {"", "recording", "showing", "site", "storing", "telling", "watching", "web"},
    },
}
# A part's own files that its rooms stand upon; these import none of the rooms.
ROOTS = {"media": {"files", "frames", "sound"}}
LARGEST_FOLDER = 20

# Outside the trainer: gradients are Keras's to compute. Imported inside the function that asks for
# them, which the test below holds.
HEAVY_MODULES = {PACKAGE / "heatmap" / "methods" / "gradients.py"}


def part_of(path: Path) -> str:
    """Returns the folder or module a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    """Returns a file's syntax tree."""
    return ast.parse(path.read_text())


def imported_modules(path: Path) -> Iterator[list[str]]:
    """Yields what a file imports of maskdet, anywhere in it, as the words below ``maskdet``."""
    for node in ast.walk(tree_of(path)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            words = name.split(".")
            if words[0] == "maskdet" and len(words) > 1 and words[1] != "__version__":
                yield words[1:]


def imported_parts(path: Path) -> set[str]:
    """Returns the parts of maskdet that a file imports."""
    return {words[0] for words in imported_modules(path)}


def room_of(words: list[str]) -> str:
    """Returns the room, below its part, of an imported module or of a name in it."""
    folder = PACKAGE.joinpath(*words)
    while not folder.is_dir():
        folder = folder.parent
    return ".".join(folder.relative_to(PACKAGE).parts[1:])


SOURCES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or "__" not in path.name
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    """A file imports its own part and those below it, and it says what it is for."""
    part = part_of(path)
    assert imported_parts(path) <= ALLOWED[part] | {part}
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if part_of(path) in ROOMS],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_rooms_stand_one_above_the_other(path: Path) -> None:
    """Inside a part, too, a file imports its own room and those below it."""
    part = part_of(path)
    room = room_of(list(path.relative_to(PACKAGE).parts))
    roots = ROOTS.get(part, set())
    imported = [words for words in imported_modules(path) if words[0] == part]
    others = {room_of(words) for words in imported if words[1] not in roots}
    assert others <= ROOMS[part][room] | {room}
    assert path.stem not in roots or room or not others


def test_nothing_stands_on_the_python_api() -> None:
    """What commands need and the Python API has, too, lies below both."""
    assert not [
        path for path in SOURCES if part_of(path) != "api" and "api" in imported_parts(path)
    ]


def test_the_first_stage_knows_nothing_of_the_second() -> None:
    """What finds faces stands on the runtime, its files and the preprocessing alone."""
    for path in (PACKAGE / "vision" / "faces").glob("*.py"):
        for words in imported_modules(path):
            if words[0] == "vision":
                assert words[1] in ("faces", "precision", "preprocessing", "runtime", "trust"), (
                    path.name
                )


def test_no_folder_outgrows_reading() -> None:
    """A folder with more files than this wants rooms."""
    for folder in [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]:
        assert len(list(folder.glob("*.py"))) <= LARGEST_FOLDER, folder.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_tensorflow_stays_in_train(path: Path) -> None:
    """Only the trainer names TensorFlow or Keras, and one module for heat maps by gradients."""
    names = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    heavy = {name for name in names if name.split(".")[0] in ("keras", "tensorflow")}
    assert not heavy or part_of(path) == "train" or path in HEAVY_MODULES
