"""What is in a folder: the user's own files, without what systems leave there."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maskdet.wording import counted

# Thumbnails, settings, a Mac's half of a zip.
_SYSTEM_NAMES = frozenset({"__macosx", "@eadir", "desktop.ini", "thumbs.db"})
_MOST_ENDINGS = 5  # in a message


def is_hidden(name: str) -> bool:
    """Tells whether a file or folder is none of the user's own, by its name."""
    return name.startswith(".") or name.casefold() in _SYSTEM_NAMES


def folders_in(folder: Path) -> list[Path]:
    """Lists the folders in a folder, hidden ones left out, in their names' order.

    Raises:
        OSError: it cannot be read.
    """
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def files_below(folder: Path) -> list[Path]:
    """Lists the files of a folder and of those in it, hidden ones left out, in their names' order.

    Raises:
        OSError: a folder cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    found: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not is_hidden(name)]
        found += [Path(root, name) for name in names if not is_hidden(name)]
    # A pipe or a device would be waited for.
    return sorted(path for path in found if path.is_file())


def endings(files: Sequence[Path]) -> str:
    """Returns how many files there are of the commonest endings: ".heic 3, .mts 2"."""
    kinds = Counter(path.suffix.lower() or "no ending" for path in files)
    named = [f"{kind} {count}" for kind, count in kinds.most_common(_MOST_ENDINGS)]
    return ", ".join([*named, "others"] if len(kinds) > _MOST_ENDINGS else named)


def kinds_of(files: Sequence[Path]) -> str:
    """Returns how many files there are, and of which endings: "5 files (.heic 3, .mts 2)"."""
    return f"{counted(len(files), 'file')} ({endings(files)})"
