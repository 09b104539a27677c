"""Files that records are added to: whole lines alone, also after a crash or on a full disk."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from maskdet.errors import OutputError
from maskdet.media.files import make_folder

STANDARD_OUTPUT = Path("-")

# How much of a file is looked through at a time. Bytes.
_CHUNK = 1 << 16
# No record is longer. Bytes.
_LONGEST_LINE = 1 << 24


class RecordFile:
    """A file that records are added to, each of them whole or not at all.

    They reach the file as they come, so that another program can follow a long run.

    Args:
        path: the file.
        append: whether to go on behind what it holds; else that is dropped.

    Attributes:
        is_empty: whether it held nothing when it was opened.

    Raises:
        OSError: it cannot be opened.
    """

    encoding = "utf-8"

    def __init__(self, path: Path, *, append: bool) -> None:
        self.name = str(path)
        # Always at its end, also after a program that rotates logs has emptied it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if append else os.O_TRUNC)
        self._descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
        self._is_regular = path.is_file()
        self.is_empty = os.fstat(self._descriptor).st_size == 0

    def write(self, text: str) -> int:
        """Adds text: all of it, or what a full disk has taken of it is taken away again.

        Raises:
            OSError: it cannot be written.
        """
        left = memoryview(text.encode(self.encoding))
        begin = os.fstat(self._descriptor).st_size
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            if self._is_regular:
                os.ftruncate(self._descriptor, begin)
            raise
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


@contextmanager
def open_records(
    path: Path, *, overwrite: bool, append: bool = False, header: str | None = None
) -> Iterator[TextIO | RecordFile]:
    """Opens a file for records, or standard output for ``-``.

    Args:
        path: the file.
        overwrite: whether one that exists may be replaced.
        append: whether to go on with one that exists; what a crash has left of its last record is
            taken away.
        header: the first line of such a file, without its end; ``None`` where each line is a JSON
            object.

    Raises:
        OutputError: the file exists, holds something else, or cannot be written.
    """
    if path == STANDARD_OUTPUT:
        yield sys.stdout
        return
    if path.exists() and not (overwrite or append):
        raise OutputError(
            f"{path}: exists already; --append goes on with it, --overwrite replaces it"
        )
    make_folder(path.parent)
    try:
        if append and path.is_file():
            _check_begin(path, header)
            _mend_end(path, header)
        stream = RecordFile(path, append=append)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield stream
    finally:
        # Every record has been written, or its failure been said.
        with suppress(OSError):
            stream.close()


def _check_begin(path: Path, header: str | None) -> None:
    """Makes sure that a file holds records, of the kind that is to be added.

    Raises:
        OutputError: it does not.
    """
    with path.open("rb") as file:
        line = file.readline(_LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    # What a crash has left of the first line alone says little; a power cut leaves zeros.
    half = not line.endswith(b"\n")
    line = line.rstrip(b"\r\n\0")
    if header is None:
        if line and not line.startswith(b"{"):
            raise OutputError(f"{path}: does not hold JSON lines; write to another file")
    elif line != header.encode() and not (half and header.encode().startswith(line)):
        raise OutputError(f"{path}: has other columns than {header}; write to another file")


def _mend_end(path: Path, header: str | None) -> None:
    """Takes away what a crash has left of the last record: all that stay can be read.

    A JSON object that lacks no more than the end of its line, as an editor saves it, is given it.
    """
    with path.open("r+b") as file:
        end = kept = file.seek(0, os.SEEK_END)
        while kept:
            start = max(0, kept - _CHUNK)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            kept = start + newline + 1
            if newline >= 0:
                break
        if kept == end:
            return
        file.seek(kept)
        if header is None and _is_object(file.read()):
            file.write(b"\n")
        else:
            file.truncate(kept)


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False
