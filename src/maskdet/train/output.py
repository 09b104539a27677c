"""Whether a model can be written where it is wanted: asked before anything heavy is imported."""

import os
from collections.abc import Iterable
from pathlib import Path

from maskdet.errors import OutputError


def check_output(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """Finds out before hours of training that a model could not be written.

    Makes nothing: what else is wrong should not leave an empty folder.

    Args:
        folder: where the model will be written.
        names: of its files.
        overwrite: whether they may be there already.

    Raises:
        OutputError: the folder cannot be written to, or one of the files is there.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise OutputError(f"{folder}: cannot be made, {there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be written to")
    for name in names:
        if (folder / name).exists() and not overwrite:
            raise OutputError(f"{folder / name}: exists already; --overwrite replaces it")
