"""Forgets: what is too old, and the oldest files where all of them take too much."""

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maskdet.serve.site.settings import RetentionSettings
from maskdet.serve.storing import videos
from maskdet.serve.storing.store import Store

_DAY, _GIGABYTE = 86400.0, 1e9
# A file that nothing names, as of a write that was cut short, is deleted when so old. Seconds.
_STRAY = 3600.0
# So many at a time, or counting and alerting would wait. Number.
_BATCH = 200
FOLDERS = ("snapshots", "clips", "recordings")


@dataclass(frozen=True)
class Swept:
    """What a sweep has found.

    Attributes:
        is_full: whether the disk has less room than is to be left.
        stored_bytes: what is left of files.
    """

    is_full: bool
    stored_bytes: int


class Retention:
    """Keeps a site's folder within its limits.

    Args:
        store: the site's memory.
        settings: for how long, and how much.
    """

    def __init__(self, store: Store, settings: RetentionSettings) -> None:
        self._store = store
        self.settings = settings

    def find_again(self) -> list[str]:
        """Takes up what an earlier run did not finish; returns what is to be said of it."""
        said = []
        for video, path in videos.unfinished(self._store.database):
            seconds = _seconds(path) if video.event is None else 0.0
            if seconds > 0:
                size = path.stat().st_size
                videos.end_video(self._store.database, video.number, seconds, size)
                said.append(f"{path}: was cut short and plays ({seconds:.0f} s)")
            else:
                videos.drop_video(self._store.database, video.number)
        for path in self._files():
            # Only what is written beside its name; all else may be a file of this minute.
            if ".partial" in path.name:
                path.unlink(missing_ok=True)
        return said

    def sweep(self) -> Swept:
        """Deletes what is too old or too much.

        Raises:
            OutputError: the database cannot be written.
        """
        now, settings = time.time(), self.settings
        self._forget_before(now - settings.days * _DAY)
        with self._store.database.writing() as connection:
            oldest = now - settings.statistics_days * _DAY
            for table in ("counts", "crossings"):
                connection.execute(f"DELETE FROM {table} WHERE start < ?", (oldest,))
        self._delete_strays(now)
        stored = self._total()
        while stored > settings.gigabytes * _GIGABYTE and self._drop_oldest():
            stored = self._total()
        free = shutil.disk_usage(self._store.folder).free
        return Swept(free < settings.free_gigabytes * _GIGABYTE, stored)

    def _forget_before(self, moment: float) -> None:
        database = self._store.database
        with database.reading() as connection:
            old = connection.execute(
                "SELECT number FROM videos WHERE start + seconds < ? AND is_whole LIMIT ?",
                (moment, _BATCH),
            ).fetchall()
            snapshots = connection.execute(
                "SELECT snapshot FROM events WHERE time < ? AND snapshot IS NOT NULL LIMIT ?",
                (moment, _BATCH),
            ).fetchall()
        for row in old:
            videos.drop_video(database, row["number"])
        for row in snapshots:
            self._unlink(database.folder / row["snapshot"])
        with database.writing() as connection:
            connection.execute(
                "DELETE FROM events WHERE number IN "
                "(SELECT number FROM events WHERE time < ? ORDER BY number LIMIT ?)",
                (moment, _BATCH),
            )

    def _drop_oldest(self) -> bool:
        """Deletes the oldest video or, if there is none, picture; tells whether there was one."""
        database = self._store.database
        with database.reading() as connection:
            video = connection.execute(
                "SELECT number FROM videos WHERE is_whole ORDER BY start LIMIT 1"
            ).fetchone()
            picture = connection.execute(
                "SELECT number, snapshot FROM events WHERE snapshot IS NOT NULL "
                "ORDER BY number LIMIT 1"
            ).fetchone()
        if video is not None:
            videos.drop_video(database, video["number"])
            return True
        if picture is None:
            return False
        self._unlink(database.folder / picture["snapshot"])
        with database.writing() as connection:
            connection.execute(
                "UPDATE events SET snapshot = NULL WHERE number = ?", (picture["number"],)
            )
        return True

    def _delete_strays(self, now: float) -> None:
        """Deletes files that no row names: their rows were never written, or are gone."""
        with self._store.database.reading() as connection:
            known = {row["file"] for row in connection.execute("SELECT file FROM videos")}
            known |= {
                row["snapshot"]
                for row in connection.execute(
                    "SELECT snapshot FROM events WHERE snapshot IS NOT NULL"
                )
            }
        for path in self._files():
            name = path.relative_to(self._store.folder).as_posix()
            with suppress(OSError):
                if name not in known and now - path.stat().st_mtime > _STRAY:
                    self._unlink(path)

    def _files(self) -> list[Path]:
        return [
            path
            for folder in FOLDERS
            for path in (self._store.folder / folder).rglob("*")
            if path.is_file()
        ]

    def _total(self) -> int:
        total = 0
        for path in self._files():
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def _unlink(self, path: Path) -> None:
        """Deletes a file, and the folder of its day when it was the last."""
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()


def _seconds(path: Path) -> float:
    """Returns how long a video plays, 0 where it does not."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            last = 0.0
            for packet in container.demux(stream):
                if packet.pts is not None and packet.time_base is not None:
                    last = max(
                        last, float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    )
            return last
    except (av.FFmpegError, OSError, IndexError):
        return 0.0
