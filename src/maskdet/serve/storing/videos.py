"""What is known of recordings and clips; the files are written by `maskdet.serve.recording`."""

import sqlite3
from datetime import datetime
from pathlib import Path

from maskdet.serve.storing.database import Database
from maskdet.serve.storing.records import Video


def begin_video(
    database: Database, file: str, camera: str, start: datetime, event: str | None
) -> int:
    """Notes a video before its file is made, and returns its number."""
    with database.writing() as connection:
        number = connection.execute(
            "INSERT INTO videos (file, camera, event, start) VALUES (?, ?, ?, ?)",
            (file, camera, event, start.timestamp()),
        ).lastrowid
    assert number is not None
    return number


def end_video(database: Database, number: int, seconds: float, size: int) -> None:
    """Notes that a video is finished."""
    with database.writing() as connection:
        connection.execute(
            "UPDATE videos SET seconds = ?, bytes = ?, is_whole = 1 WHERE number = ?",
            (seconds, size, number),
        )


def drop_video(database: Database, number: int) -> None:
    """Forgets a video, and deletes its file."""
    path = video_file(database, number)
    with database.writing() as connection:
        connection.execute("DELETE FROM videos WHERE number = ?", (number,))
    if path is not None:
        path.unlink(missing_ok=True)


def unfinished(database: Database) -> list[tuple[Video, Path]]:
    """Returns the videos that an earlier run did not finish, with their files."""
    with database.reading() as connection:
        rows = connection.execute("SELECT * FROM videos WHERE NOT is_whole").fetchall()
    return [(_video(row), database.folder / row["file"]) for row in rows]


def known_files(database: Database) -> set[str]:
    """Returns the files of all videos, below the site's folder."""
    with database.reading() as connection:
        return {row["file"] for row in connection.execute("SELECT file FROM videos")}


def clip_number(database: Database, event: str) -> int | None:
    """Returns the number of an event's finished clip, ``None`` where there is none."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT number FROM videos WHERE event = ? AND is_whole", (event,)
        ).fetchone()
    return None if row is None else int(row["number"])


def video_file(database: Database, number: int) -> Path | None:
    """Returns a video's file, ``None`` where there is no such video."""
    with database.reading() as connection:
        row = connection.execute("SELECT file FROM videos WHERE number = ?", (number,)).fetchone()
    return None if row is None else database.folder / row["file"]


def find_videos(
    database: Database,
    start: datetime | None,
    end: datetime | None,
    camera: str | None,
    limit: int,
) -> list[Video]:
    """Returns recordings, which are no clips, the newest first."""
    conditions = [
        ("start + seconds >= ?", None if start is None else start.timestamp()),
        ("start < ?", None if end is None else end.timestamp()),
        ("camera = ?", camera),
    ]
    given = [(text, value) for text, value in conditions if value is not None]
    where = " AND ".join(["event IS NULL", *(text for text, _ in given)])
    with database.reading() as connection:
        rows = connection.execute(
            f"SELECT * FROM videos WHERE {where} ORDER BY start DESC LIMIT ?",
            [*(value for _, value in given), limit],
        )
        return [_video(row) for row in rows]


def _video(row: sqlite3.Row) -> Video:
    return Video(
        row["number"],
        row["camera"],
        row["event"],
        datetime.fromtimestamp(row["start"]).astimezone(),
        row["seconds"],
        row["bytes"],
        bool(row["is_whole"]),
    )
