"""The database in a site's folder: one writer, any number of readers, whole after a crash."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskdet.errors import OutputError
from maskdet.media.files import make_folder
from maskdet.serve.storing.schema import SCHEMA, VERSION

_FILE = "maskdet.sqlite3"
# For so long whoever writes may be waited for. Seconds.
_PATIENCE = 10.0


class Database:
    """SQLite with a write-ahead log.

    Args:
        folder: made where it is missing.

    Raises:
        OutputError: it cannot be written, or is of a newer maskdet.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder
        self.path = folder / _FILE
        self._lock = threading.RLock()
        try:
            self._writer = self._open()
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                self._writer.close()
                raise OutputError(f"{self.path}: was written by a newer maskdet")
            self._writer.executescript(SCHEMA)
            self._writer.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: cannot be written ({error})") from None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log a power cut can undo the last writes with NORMAL; alerts count.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Gives the connection for one transaction: all of it is written, or nothing.

        Raises:
            OutputError: the disk is full, or the database damaged.
        """
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                except BaseException:
                    self._writer.execute("ROLLBACK")
                    raise
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise OutputError(f"{self.path}: cannot be written ({error})") from None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Gives a connection of the caller's own, which sees what is committed."""
        with closing(self._open()) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection

    def close(self) -> None:
        """Writes the log into the database and closes it."""
        with self._lock:
            self._writer.close()
