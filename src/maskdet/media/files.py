"""Where results go: fresh run folders, and files that are whole or not there."""

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskdet.errors import OutputError

_LONGEST_NAME = 255  # bytes


def printable(text: str, encoding: str = "utf-8") -> str:
    """Returns a text with what an encoding lacks as escapes, as of a file name in another one."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def next_run_folder(command: str, root: Path = Path("runs")) -> Path:
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
        OutputError: the file exists, and is not to be replaced.
    """
    if path.exists() and not overwrite:
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
    stem = path.stem
    # 255 bytes is what file systems take of a name.
    while stem and len(os.fsencode(f".{stem}.{word}{path.suffix}")) > _LONGEST_NAME:
        stem = stem[:-1]
    return path.with_name(f".{stem}.{word}{path.suffix}")


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
