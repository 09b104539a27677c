"""Recordings whose run was killed: found by the next one, finished, and never written over."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from maskdet.errors import OutputError
from maskdet.files.holding import BusyError, Hold
from maskdet.media.files import beside, unused
from maskdet.media.recording.codecs import WRITABLE_VIDEOS
from maskdet.media.recording.finish import finish, has_pictures

# How the file of a recording under way is called, beside the one it becomes.
PARTIAL = "partial"
_DATED = re.compile(r"-\d{4}-\d\d-\d\d-\d{6}(-\d+)?$")
# So little of a recording that cannot be read is no more than its head. Bytes.
_HEAD = 16 << 10


def held(partial: Path) -> Hold:
    """Tells other runs that a recording is under way.

    Raises:
        BusyError: another process holds it.
        OSError: it cannot be opened.
    """
    return Hold(partial, f"{partial}: is being recorded by another run")


class Interrupted:
    """A recording that broke off, put aside.

    Args:
        partial: where it is.
        path: the name it is to have.
        hold: keeps other runs from finishing it, too.
    """

    def __init__(self, partial: Path, path: Path, hold: Hold) -> None:
        self._partial = partial
        self._path = path
        self._hold = hold

    def finish(self, log: Callable[[str], None]) -> None:
        """Makes a whole file of it, and says so; one without a picture is removed.

        Args:
            log: told where it is.
        """
        partial, path = self._partial, self._path
        try:
            if has_pictures(partial):
                finish(partial, path, log, repair=True)
                log(f"{path}: was interrupted in an earlier run, and is finished now")
            elif partial.stat().st_size <= _HEAD:
                partial.unlink()
            else:
                partial.replace(path)
                log(f"{path}: was interrupted in an earlier run, and cannot be read")
        except (OSError, OutputError) as error:
            # Nothing that should keep this run from its own work.
            reason = error if isinstance(error, OutputError) else error.strerror
            log(f"{partial}: was interrupted in an earlier run, and cannot be finished ({reason})")
        finally:
            self._hold.release()


def put_aside(partial: Path, *, keep_name: bool = False) -> Interrupted | None:
    """Takes a recording that broke off out of the way of a new one.

    Args:
        partial: its file.
        keep_name: whether it may have the name it was meant for, as nothing else will; else its
            name says when it ended.

    Returns:
        It, to be finished; ``None`` where there is none.

    Raises:
        BusyError: another process is writing it.
        OSError: it cannot be renamed.
    """
    try:
        written = partial.stat()
    except FileNotFoundError:
        return None
    hold = held(partial)
    try:
        stem = partial.name.removeprefix(".").removesuffix(f".{PARTIAL}{partial.suffix}")
        path = partial.with_name(stem + partial.suffix)
        if _DATED.search(stem) or (keep_name and not path.exists()):
            return Interrupted(partial, unused(path), hold)
        date = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(written.st_mtime))
        path = unused(path.with_name(f"{stem}-{date}{partial.suffix}"))
        aside = path.with_name(f".{path.stem}.{PARTIAL}{path.suffix}")
        partial.rename(aside)
    except BaseException:
        hold.release()
        raise
    return Interrupted(aside, path, hold)


def put_all_aside(folder: Path, *, keep_names: bool = False) -> list[Interrupted]:
    """Takes all recordings in a folder that broke off out of the way; those under way stay.

    Args:
        folder: looked into, not below it.
        keep_names: see `put_aside`.
    """
    found = []
    for suffix in sorted(WRITABLE_VIDEOS):
        for partial in sorted(folder.glob(f".*.{PARTIAL}{suffix}")):
            with suppress(BusyError, OSError):
                recording = put_aside(partial, keep_name=keep_names)
                if recording is not None:
                    found.append(recording)
    return found


def put_earlier_aside(file: Path) -> list[Interrupted]:
    """Takes a recording of one file that broke off out of the way of a new one.

    Args:
        file: what it was to be called.

    Returns:
        It, if there is one.

    Raises:
        OutputError: another process is writing it, or it cannot be renamed.
    """
    try:
        recording = put_aside(beside(file, PARTIAL))
    except BusyError:
        raise OutputError(f"{file}: is being recorded by another run") from None
    except OSError as error:
        raise OutputError(f"{file}: cannot be written ({error.strerror})") from None
    return [] if recording is None else [recording]


def finish_beside(
    recordings: Sequence[Interrupted], log: Callable[[str], None]
) -> threading.Thread:
    """Finishes recordings beside the run: a long one takes a while, in which a door is watched.

    Args:
        recordings: put aside.
        log: told of each.

    Returns:
        The thread that does it, to be waited for.
    """

    def finish_all() -> None:
        for recording in recordings:
            recording.finish(log)

    thread = threading.Thread(target=finish_all, daemon=True)
    thread.start()
    return thread
