"""Events, and what of them is still to be delivered: written together or not at all."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from maskdet.serve.storing.database import Database
from maskdet.serve.storing.records import Event

Kind = Literal["alert", "state"]

_EVENTS = """
SELECT events.*,
    (SELECT MAX(is_whole) FROM videos WHERE videos.event = events.id) AS clip
FROM events
"""


@dataclass(frozen=True)
class Delivery:
    """An event that one channel is still to be told of.

    Attributes:
        event: it.
        attempts: how many have failed.
        due: when it is to be tried, seconds since 1970.
    """

    event: Event
    attempts: int
    due: float


def add_event(
    database: Database,
    kind: Kind,
    record: dict[str, Any],
    moment: datetime,
    *,
    channels: Sequence[str] = (),
    snapshot: str | None = None,
) -> Event:
    """Adds an event and all its deliveries.

    Args:
        database: where to.
        kind: what it is.
        record: JSON-ready, with ``id``, ``camera`` and ``label``.
        moment: when it was.
        channels: who is to be told.
        snapshot: file of the picture, below the site's folder.

    Raises:
        OutputError: it cannot be written.
    """
    time = moment.timestamp()
    with database.writing() as connection:
        number = connection.execute(
            "INSERT INTO events (id, kind, camera, time, label, record, snapshot) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                record["id"],
                kind,
                record["camera"],
                time,
                record["label"],
                json.dumps(record, ensure_ascii=False),
                snapshot,
            ),
        ).lastrowid
        connection.executemany(
            "INSERT INTO deliveries (event, channel, due) VALUES (?, ?, ?)",
            [(number, channel, time) for channel in channels],
        )
    assert number is not None
    return Event(
        number,
        record["id"],
        kind,
        record["camera"],
        moment,
        record["label"],
        record,
        snapshot is not None,
    )


def find_events(
    database: Database,
    start: datetime | None,
    end: datetime | None,
    camera: str | None,
    limit: int,
    before: int | None,
    kind: Kind | None,
) -> list[Event]:
    """Returns events, the newest first."""
    conditions: list[tuple[str, Any]] = [
        ("time >= ?", None if start is None else start.timestamp()),
        ("time < ?", None if end is None else end.timestamp()),
        ("camera = ?", camera),
        ("kind = ?", kind),
        ("number < ?", before),
    ]
    given = [(text, value) for text, value in conditions if value is not None]
    where = f" WHERE {' AND '.join(text for text, _ in given)}" if given else ""
    query = f"{_EVENTS}{where} ORDER BY number DESC LIMIT ?"
    with database.reading() as connection:
        rows = connection.execute(query, [*(value for _, value in given), limit])
        return [_event(row) for row in rows]


def find_event(database: Database, identity: str) -> Event | None:
    """Returns the event of an id, ``None`` for none."""
    with database.reading() as connection:
        row = connection.execute(f"{_EVENTS} WHERE events.id = ?", (identity,)).fetchone()
        return None if row is None else _event(row)


def snapshot_file(database: Database, identity: str) -> Path | None:
    """Returns the file of an event's picture, ``None`` for none."""
    with database.reading() as connection:
        row = connection.execute("SELECT snapshot FROM events WHERE id = ?", (identity,)).fetchone()
    if row is None or row["snapshot"] is None:
        return None
    return database.folder / str(row["snapshot"])


def next_delivery(database: Database, channel: str) -> Delivery | None:
    """Returns what a channel is to be told next: the oldest, due or not; ``None`` for nothing."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT event, attempts, due FROM deliveries WHERE channel = ? ORDER BY event LIMIT 1",
            (channel,),
        ).fetchone()
        if row is None:
            return None
        found = connection.execute(f"{_EVENTS} WHERE events.number = ?", (row["event"],)).fetchone()
        return Delivery(_event(found), row["attempts"], row["due"])


def postpone(database: Database, delivery: Delivery, channel: str, due: float) -> None:
    """Notes that an attempt failed, and when the next is to be made."""
    with database.writing() as connection:
        connection.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due = ? "
            "WHERE event = ? AND channel = ?",
            (due, delivery.event.number, channel),
        )


def finish(database: Database, delivery: Delivery, channel: str) -> None:
    """Notes that a channel need not be told of an event any more."""
    with database.writing() as connection:
        connection.execute(
            "DELETE FROM deliveries WHERE event = ? AND channel = ?",
            (delivery.event.number, channel),
        )


def forget_channels(database: Database, channels: Sequence[str]) -> int:
    """Deletes what waits for channels that there are no more; returns how many."""
    marks = ", ".join("?" * len(channels))
    with database.writing() as connection:
        return connection.execute(
            f"DELETE FROM deliveries WHERE channel NOT IN ({marks})", tuple(channels)
        ).rowcount


def waiting(database: Database) -> dict[str, int]:
    """Returns how many deliveries wait, by channel."""
    with database.reading() as connection:
        rows = connection.execute("SELECT channel, COUNT(*) AS n FROM deliveries GROUP BY channel")
        return {row["channel"]: row["n"] for row in rows}


def _event(row: sqlite3.Row) -> Event:
    return Event(
        row["number"],
        row["id"],
        row["kind"],
        row["camera"],
        datetime.fromtimestamp(row["time"]).astimezone(),
        row["label"],
        json.loads(row["record"]),
        row["snapshot"] is not None,
        "none" if row["clip"] is None else "ready" if row["clip"] else "coming",
    )
