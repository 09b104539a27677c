"""Folders in the making: they take their name when they are whole, or leave nothing behind."""

import itertools
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from maskdet.errors import OutputError
from maskdet.media.files import make_folder, printable

PROBLEMS_FILE = "problems.txt"

_PARTIAL = ".partial"
_LONGEST = 200  # bytes: most file systems take 255, and a number or a suffix may be added


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Gives a folder to fill, which takes the name `target` at the end and vanishes after an error.

    Raises:
        OutputError: there is something at `target` already, or it cannot be written.
    """
    check_free(target)
    final = target.resolve()
    # One that is there is filled, not replaced: it may be somebody's working directory, or a disk.
    filled = final.is_dir()
    partial = final / _PARTIAL if filled else final.with_name(f".{final.name}{_PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    try:
        yield partial
        if filled:
            for path in partial.iterdir():
                path.replace(final / path.name)
        else:
            partial.replace(final)
    except OutputError as error:
        # The user knows the folder by its final name.
        raise OutputError(str(error).replace(str(partial), str(target))) from None
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_free(target: Path) -> None:
    """Makes sure that a folder to be written is not there, or is empty.

    Raises:
        OutputError: it is there and holds something, or is a file.
    """
    try:
        # What a run that was killed has left inside does not count.
        held = target.is_dir() and any(path.name != _PARTIAL for path in target.iterdir())
    except OSError as error:
        raise OutputError(f"{target}: cannot be read ({error.strerror})") from None
    if held:
        raise OutputError(f"{target}: is there already and not empty: name a new folder")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: is a file, not a folder")


def write_problems(folder: Path, problems: Sequence[str]) -> None:
    """Writes what was left out or set right to the folder's `PROBLEMS_FILE`, if anything was."""
    if problems:
        text = printable("\n".join(problems))
        (folder / PROBLEMS_FILE).write_text(text + "\n", encoding="utf-8")


def safe_name(text: str) -> str:
    """Returns a text as a file name: no separators, no leading dot, never empty, not too long.

    Of a long one the end is kept, as that is the file's own name where it was a path.
    """
    name = re.sub(r"[^\w.+ -]+", "_", text).strip(". ")
    return name.encode()[-_LONGEST:].decode(errors="ignore").strip(". ") or "_"


class FreeNames:
    """Gives out paths none of which is another's, not even where capitals do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, path: str) -> str:
        """Returns a path as it is, or with a number before its suffix if it is taken."""
        plain = PurePosixPath(path)
        numbers = itertools.count(2)
        while path.casefold() in self._taken:
            path = plain.with_name(f"{plain.stem}~{next(numbers)}{plain.suffix}").as_posix()
        self._taken.add(path.casefold())
        return path
