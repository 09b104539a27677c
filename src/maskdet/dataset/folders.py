"""Folders in the making: they take their name when they are whole, or leave nothing behind."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskdet.errors import OutputError
from maskdet.media.files import make_folder


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Gives a folder to fill, which takes the name `target` at the end and vanishes after an error.

    Raises:
        OutputError: there is something at `target` already, or it cannot be written.
    """
    check_free(target)
    make_folder(target.parent)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    try:
        yield partial
        if target.is_dir():
            target.rmdir()
        partial.replace(target)
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
    if target.is_dir():
        if any(target.iterdir()):
            raise OutputError(f"{target}: is there already and not empty: name a new folder")
    elif target.exists():
        raise OutputError(f"{target}: is a file, not a folder")


def safe_name(text: str) -> str:
    """Returns a text as a file name: no separators, no leading dot, never empty."""
    return re.sub(r"[^\w.+ -]+", "_", text).strip(". ") or "_"
