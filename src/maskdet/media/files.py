"""Where results go: fresh run folders, and files that are whole or not there."""

import hashlib
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskdet.errors import OutputError

RUNS = Path("runs")
# What has a folder of its own there.
_COMMANDS = frozenset({"check", "detect", "evaluate", "heatmap", "train", "train-faces"})

# What file systems take. Bytes.
LONGEST_NAME = 255


def printable(text: str, encoding: str = "utf-8") -> str:
    """Returns a text with what an encoding lacks as escapes, as of a file name in another one."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def shortened(stem: str, longest: int) -> str:
    """Cuts what is too long for a file name, and marks it so that it differs from its like.

    Args:
        stem: of a file name.
        longest: bytes it may have.
    """
    data = stem.encode("utf-8", "surrogateescape")
    if len(data) <= longest:
        return stem
    mark = f"-{hashlib.sha256(data).hexdigest()[:8]}"
    return data[: longest - len(mark)].decode("utf-8", "ignore") + mark


def is_run_folder(path: Path) -> bool:
    """Tells by its place whether a folder is what an earlier run wrote: ``runs/<command>/<n>``."""
    *_, root, command, number = ("", "", "", *path.resolve().parts)
    return root == RUNS.name and command in _COMMANDS and number.isdecimal()


def next_run_folder(command: str, root: Path = RUNS) -> Path:
    """Creates `root/command/<n>` with the first number that is free.

    Raises:
        OutputError: the folder cannot be created.
    """
    parent = root / command
    for number in itertools.count(1):
        folder = parent / str(number)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if parent.is_dir():
                continue
            raise OutputError(f"{parent}: is not a folder") from None
        except OSError as error:
            raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None
        return folder
    raise AssertionError("itertools.count ended")


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Makes sure that nothing is replaced which the user has not given up.

    Raises:
        OutputError: the file exists, and is not to be replaced, or could never be written.
    """
    try:
        exists = path.exists()
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    if exists and not overwrite:
        raise OutputError(f"{path}: exists already; --overwrite replaces it")


def unused(path: Path) -> Path:
    """Returns a path that does not exist: this one, or with a number at its end."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents where they are missing.

    Raises:
        OutputError: it cannot be created, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{folder}: is a file, not a folder") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None


def write_json(path: Path, content: object) -> None:
    """Writes a JSON file, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(printable(text) + "\n", encoding="utf-8")


def beside(path: Path, word: str) -> Path:
    """Returns a hidden name beside a file, of the same suffix, which says the format to writers.

    Args:
        path: the file.
        word: what the hidden one is: ``partial`` for ``.name.partial.mp4``.
    """
    end = f".{word}{path.suffix}"
    room = LONGEST_NAME - len(os.fsencode(f".{end}"))
    return path.with_name(f".{shortened(path.stem, room)}{end}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`, renamed to it at the end, removed after an error.

    The temporary name keeps the suffix, from which writers choose their format.

    Raises:
        OutputError: the file cannot be written.
    """
    make_folder(path.parent)
    temporary = beside(path, "partial")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        # Not where the disk may not be written to.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
