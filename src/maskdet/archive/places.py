"""Where videos come from and results go: this machine's disk, or whatever fsspec reaches."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from maskdet.addresses import MARK, public_name
from maskdet.errors import (
    MaskdetError,
    MissingExtraError,
    OutputError,
    SourceError,
    UnreachableError,
)
from maskdet.media.files import replacing

# What is put there is whole or not there by itself; elsewhere it is written beside and renamed.
_PUTS_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "memory"})
# FFmpeg reads these itself, and nothing can be listed there.
READ_BY_FFMPEG = ("http://", "https://")
# A server that does not answer is asked again after so many seconds.
_WAITS = (0.5, 2.0, 8.0)
BLOCK = 4 << 20
"""Bytes asked of a server at a time by whoever reads on: fewer cost more waiting for answers."""


def is_address(text: str) -> bool:
    """Tells whether a text is an address, such as ``s3://bucket/2021``, rather than a path."""
    return MARK in text and not text.lower().startswith("file://")


def name_of(source: str) -> str:
    """Returns what messages and tables call a video: its path or address without a password.

    Buckets and paths in them may look like passwords, and are none.
    """
    if not is_address(source) or source.lower().startswith(READ_BY_FFMPEG):
        return public_name(source)
    scheme, rest = source.split(MARK, 1)
    server, slash, path = rest.partition("/")
    return f"{scheme}{MARK}{server.rpartition('@')[2]}{slash}{path}"


def file_system(address: str) -> tuple[Any, str]:
    """Returns fsspec's file system for an address, and the path in it.

    Raises:
        MissingExtraError: what reaches it is not installed.
        SourceError: there is no such kind of address, or it cannot be reached.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        scheme = address.split(MARK, 1)[0]
        needed = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "sftp": "paramiko"}
        needed |= {"ssh": "paramiko", "az": "adlfs", "abfs": "adlfs", "hdfs": "pyarrow"}
        said = str(error).splitlines()[0]
        what = f"pip install {needed[scheme]}" if scheme in needed else said
        raise MissingExtraError(f"{scheme}:// cannot be read yet: {what}") from None
    except ValueError as error:
        raise SourceError(f"{name_of(address)}: {error}") from None
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise UnreachableError(f"{name_of(address)}: cannot be reached ({reason})") from None
    return system, str(path)


def reason_of(error: Exception) -> str:
    """Returns in a line what a server, or the library that asks it, says."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0]


class PatientFile:
    """A file on a server, read in ranges; asked for again where the server breaks off.

    Args:
        address: as fsspec takes it.
        block: bytes asked for at a time.

    Raises:
        UnreachableError: it cannot be opened.
    """

    def __init__(self, address: str, block: int = BLOCK) -> None:
        self._address, self._block = address, block
        self._at = 0
        self._file: BinaryIO | None = None
        self.problem: str | None = None
        self._again(lambda file: file.tell())

    def _again(self, ask: Any) -> Any:
        """Asks of the file, and once more of it newly opened, a few times."""
        for wait in (*_WAITS, None):
            try:
                if self._file is None:
                    system, path = file_system(self._address)
                    self._file = cast(
                        "BinaryIO",
                        system.open(path, "rb", block_size=self._block, cache_type="readahead"),
                    )
                    self._file.seek(self._at)
                return ask(self._file)
            except MaskdetError:
                raise
            except FileNotFoundError:
                raise SourceError(f"{name_of(self._address)}: no such file") from None
            except PermissionError as error:
                name = name_of(self._address)
                raise SourceError(f"{name}: may not be read ({reason_of(error)})") from None
            except Exception as error:  # noqa: BLE001 - drivers raise their libraries' own kinds
                self._file = None
                if wait is None:
                    name = name_of(self._address)
                    raise UnreachableError(
                        f"{name}: cannot be read on ({reason_of(error)})"
                    ) from None
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes; none at the end."""
        data = cast("bytes", self._again(lambda file: file.read(size)))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place in the file, as `io.IOBase.seek`."""
        self._at = cast("int", self._again(lambda file: file.seek(offset, whence)))
        return self._at

    def tell(self) -> int:
        """Returns where in the file the next byte is read."""
        return self._at

    def close(self) -> None:
        """Gives the connection back."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Store:
    """The folder of a study, on this machine or elsewhere; files in it appear whole.

    Args:
        root: a path or an address.

    Attributes:
        name: what messages call it.
        local: the folder on this machine, ``None`` for one elsewhere.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.name = name_of(root)
        self.local: Path | None = None
        if is_address(root):
            self._system, path = file_system(root)
            self._path = path.rstrip("/")
        else:
            from fsspec.implementations.local import LocalFileSystem

            self.local = Path(root.removeprefix("file://")).absolute()
            self._system, self._path = LocalFileSystem(), str(self.local)

    @property
    def system(self) -> Any:
        """Its fsspec file system, as PyArrow takes it."""
        return self._system

    def path(self, name: str) -> str:
        """Returns the path, in its file system, of what is called `name` in the folder."""
        return f"{self._path}/{name}"

    def exists(self, name: str) -> bool:
        """Tells whether there is a file of that name."""
        with self._told(name):
            return bool(self._system.exists(self.path(name)))

    def names(self, folder: str) -> list[str]:
        """Lists the files of a folder in it, sorted, without what is hidden."""
        with self._told(folder):
            try:
                found = self._system.ls(self.path(folder), detail=False)
            except FileNotFoundError:
                return []
        names = (str(path).rstrip("/").rsplit("/", 1)[-1] for path in found)
        return sorted(name for name in names if not name.startswith("."))

    def read(self, name: str) -> bytes:
        """Reads a small file."""
        with self._told(name):
            return bytes(self._system.cat_file(self.path(name)))

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Opens a file for reading in ranges."""
        with self._told(name), self._system.open(self.path(name), "rb") as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Gives a path of this machine to write to; the file appears when it is whole.

        Raises:
            OutputError: it cannot be written.
        """
        if self.local is not None:
            with replacing(self.local / name) as temporary:
                yield temporary
            return
        with tempfile.TemporaryDirectory(prefix="maskdet-") as folder:
            temporary = Path(folder, name.rsplit("/", 1)[-1])
            yield temporary
            target = self.path(name)
            parent, _, last = target.rpartition("/")
            with self._told(name):
                if _PUTS_WHOLE.isdisjoint(_protocols(self._system)):
                    self._system.makedirs(parent, exist_ok=True)
                    self._system.put_file(str(temporary), f"{parent}/.{last}.partial")
                    self._system.mv(f"{parent}/.{last}.partial", target)
                else:
                    self._system.put_file(str(temporary), target)

    def write(self, name: str, data: bytes) -> None:
        """Writes a small file, whole or not at all."""
        with self.writing(name) as temporary:
            temporary.write_bytes(data)

    def remove(self, folder: str) -> None:
        """Removes a folder in it with all that it holds, where there is one."""
        with self._told(folder):
            try:
                self._system.rm(self.path(folder), recursive=True)
            except FileNotFoundError:
                return

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Says in one line what the disk or the server refuses."""
        try:
            yield
        except (FileNotFoundError, MaskdetError):
            raise
        except Exception as error:
            # Drivers raise their libraries' own kinds; what Python itself raises is a mistake here.
            if type(error).__module__ == "builtins" and not isinstance(error, OSError):
                raise
            raise OutputError(f"{self.name}/{name}: {reason_of(error)}") from None


def _protocols(system: Any) -> frozenset[str]:
    protocol = system.protocol
    return frozenset({protocol} if isinstance(protocol, str) else protocol)
