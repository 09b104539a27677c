"""What a path is, asked before anything is read of it."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from maskdet.addresses import MARK, looks_like_address, public_mistake
from maskdet.errors import SourceError


def look(path: Path) -> os.stat_result | None:
    """Returns what the system knows of a file; ``None`` where there is none.

    Raises:
        SourceError: it cannot tell.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG and looks_like_address(str(path)):
            return None
        raise SourceError(
            f"{public_mistake(str(path))}: cannot be read ({error.strerror})"
        ) from None


def is_folder(text: str) -> bool:
    """Tells whether a text is the path of a folder."""
    status = look(Path(text))
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_camera(text: str) -> bool:
    """Tells whether a text is a camera's number, or the path of a device."""
    if MARK in text:
        return False
    status = look(Path(text))
    return text.isdecimal() if status is None else stat.S_ISCHR(status.st_mode)


def local_path(text: str) -> str:
    """Makes a path of what file managers and shells write for one."""
    if text.lower().startswith("file://"):
        return url2pathname(urlsplit(text).path)
    if text.startswith("~") and look(Path(text)) is None:
        # A shell does so only at the begin of a word.
        return os.path.expanduser(text)  # noqa: PTH111 - Path's raises for an unknown user
    return text


def is_regular(path: Path, log: Callable[[str], None]) -> bool:
    """Tells whether a file of a folder can be read to its end; says of a pipe that it is none."""
    try:
        mode = path.stat().st_mode
    except OSError:
        # Found out, and told, when it is read.
        return True
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        log(f"{path}: is no regular file, and passed over")
    return stat.S_ISREG(mode)
