"""The folder of a training run, and the options in it that repeat or resume it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.errors import OutputError
from maskdet.media.files import next_run_folder
from maskdet.train import config

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def new_folder(wanted: Path | None, command: str, options: "DataclassInstance") -> Path:
    """Makes a run's folder, never one that is there already, and writes its options into it.

    Args:
        wanted: the folder asked for; ``None`` takes the next free ``runs/<command>/<n>``.
        command: name of the command.
        options: of the run.

    Raises:
        OutputError: it is there already or cannot be made.
    """
    try:
        if wanted is not None:
            wanted.mkdir(parents=True)
        folder = wanted or next_run_folder(command)
        config.write(folder / config.FILE, options)
    except FileExistsError:
        raise OutputError(f"{wanted}: is there already; --resume goes on with it") from None
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be made ({error.strerror})") from None
    return folder


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Makes what goes wrong in writing a run's files the user's to mend.

    Raises:
        OutputError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None
