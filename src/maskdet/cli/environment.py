"""What a process may have been started without: standard streams, a home, a console of UTF-8."""

import io
import os
import sys
import tempfile
from pathlib import Path

from maskdet.media.quiet import hush

_STANDARD_OUTPUT = 1
# Standard streams that were closed when the process began.
_closed: set[int] = set()


def prepare() -> None:
    """Makes up for what is missing; the first thing a command does."""
    hush()
    _open_streams()
    _give_home()


def output_is_closed() -> bool:
    """Tells whether nobody can read the process's standard output."""
    return _STANDARD_OUTPUT in _closed


def _open_streams() -> None:
    """Opens the standard streams that are closed, on nothing.

    Else the next file that is opened would take the place of one, and get what libraries have to
    say.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _closed.add(number)
            # The lowest number that is free is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        # What a console cannot show, such as a name in another script, is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _give_home() -> None:
    """Gives libraries a folder for what they keep, where the user has none, or none to write to.

    Containers run as users that the system does not know.
    """
    try:
        home = Path.home()
    except RuntimeError:
        home = None
    if home is not None and os.access(home, os.W_OK):
        return
    try:
        folder = _own_temporary_folder()
    except OSError:
        # Nothing can be written anywhere; who needs to will say so.
        return
    if home is None:
        os.environ["HOME"] = str(folder)
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))


def _own_temporary_folder() -> Path:
    """Makes the user's folder among the temporary ones, the same at each run."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir(), f"maskdet-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    # Anybody could have made a folder of that name.
    if folder.is_symlink() or folder.stat().st_uid != user:
        folder = Path(tempfile.mkdtemp(prefix="maskdet-"))
    return folder
