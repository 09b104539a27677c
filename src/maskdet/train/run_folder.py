"""The folder of a training run."""

import contextlib
from pathlib import Path

from maskdet.errors import OutputError


def new_folder(wanted: Path | None, command: str) -> Path:
    """Makes a run's folder, never one that is there already.

    Args:
        wanted: the folder asked for; ``None`` takes the next free ``runs/<command>/<n>``.
        command: name of the command.

    Raises:
        OutputError: it is there already or cannot be made.
    """
    try:
        if wanted is not None:
            wanted.mkdir(parents=True)
            return wanted
        number = 1
        while True:
            folder = Path("runs") / command / str(number)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(parents=True)
                return folder
            number += 1
    except FileExistsError:
        raise OutputError(f"{wanted}: is there already; --resume goes on with it") from None
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be made ({error.strerror})") from None
