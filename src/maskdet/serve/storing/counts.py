"""Counts a minute and an hour, and their sums over longer times."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from maskdet.serve.storing.database import Database
from maskdet.serve.storing.records import Bucket, Span

# By line, the numbers of those who went in and out, by label.
Crossed = dict[str, tuple[dict[str, int], dict[str, int]]]

_MINUTE, _HOUR = 60, 3600
_ADD_COUNTS = """
INSERT INTO counts (span, start, camera, label, faces, people) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET faces = faces + excluded.faces, people = people + excluded.people
"""
_ADD_CROSSINGS = """
INSERT INTO crossings (span, start, camera, line, label, inward, outward)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET inward = inward + excluded.inward, outward = outward + excluded.outward
"""


@dataclass
class Tally:
    """What was seen of one camera in one minute, still to be added to the database.

    Attributes:
        camera: its name.
        minute: its beginning, seconds since 1970.
        frames: how many were looked at.
        faces: by label, summed over frames.
        people: who came, by label.
        inward: by line and label.
        outward: likewise.
    """

    camera: str
    minute: int
    frames: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    inward: Counter[tuple[str, str]] = field(default_factory=Counter)
    outward: Counter[tuple[str, str]] = field(default_factory=Counter)


def add_tallies(database: Database, tallies: Iterable[Tally]) -> None:
    """Adds what was seen, in one transaction.

    Raises:
        OutputError: it cannot be written.
    """
    counts: list[tuple[object, ...]] = []
    crossings: list[tuple[object, ...]] = []
    for tally in tallies:
        for span in (_MINUTE, _HOUR):
            place = span, tally.minute // span * span, tally.camera
            counts.append((*place, "", tally.frames, 0))
            counts += [
                (*place, label, tally.faces[label], tally.people[label])
                for label in sorted(tally.faces.keys() | tally.people.keys())
            ]
            crossings += [
                (*place, line, label, tally.inward[line, label], tally.outward[line, label])
                for line, label in sorted(tally.inward.keys() | tally.outward.keys())
            ]
    with database.writing() as connection:
        connection.executemany(_ADD_COUNTS, counts)
        connection.executemany(_ADD_CROSSINGS, crossings)


def statistics(
    database: Database, start: datetime, end: datetime, by: Span, camera: str | None
) -> list[Bucket]:
    """Returns what was seen from a moment to another, spans without a frame left out.

    Args:
        database: where.
        start: the first span is the one it lies in.
        end: not included.
        by: how long each span is; days, weeks and months are those of the machine's zone.
        camera: of which camera; ``None`` for all together.
    """
    span = _MINUTE if by == "minute" else _HOUR
    first = int(_beginning(start.astimezone(), by).timestamp()) // span * span
    where = "span = ? AND start >= ? AND start < ?"
    values: list[object] = [span, first, end.timestamp()]
    if camera is not None:
        where += " AND camera = ?"
        values.append(camera)
    with database.reading() as connection:
        counts = connection.execute(
            "SELECT start, label, SUM(faces) AS faces, SUM(people) AS people FROM counts "
            f"WHERE {where} GROUP BY start, label ORDER BY start",
            values,
        ).fetchall()
        crossings = connection.execute(
            "SELECT start, line, label, SUM(inward) AS inward, SUM(outward) AS outward "
            f"FROM crossings WHERE {where} GROUP BY start, line, label ORDER BY start",
            values,
        ).fetchall()
    return _summed(counts, crossings, by, camera)


def people_since(database: Database, start: datetime, camera: str) -> dict[str, int]:
    """Returns the people of a camera since a moment, by label."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT label, SUM(people) AS people FROM counts WHERE span = ? AND start >= ? "
            "AND camera = ? AND label != '' GROUP BY label",
            (_MINUTE, start.timestamp(), camera),
        )
        return {row["label"]: row["people"] for row in rows if row["people"]}


def crossings_since(database: Database, start: datetime, camera: str) -> Crossed:
    """Returns who crossed a camera's lines since a moment: inward and outward, by line and label.

    Args:
        database: where.
        start: to the minute.
        camera: its name.
    """
    crossed: Crossed = {}
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT line, label, SUM(inward) AS inward, SUM(outward) AS outward FROM crossings "
            "WHERE span = ? AND start >= ? AND camera = ? GROUP BY line, label",
            (_MINUTE, start.timestamp(), camera),
        )
        for row in rows:
            inward, outward = crossed.setdefault(row["line"], ({}, {}))
            if row["inward"]:
                inward[row["label"]] = row["inward"]
            if row["outward"]:
                outward[row["label"]] = row["outward"]
    return crossed


def _summed(
    counts: list[sqlite3.Row], crossings: list[sqlite3.Row], by: Span, camera: str | None
) -> list[Bucket]:
    tallies: dict[datetime, Tally] = {}

    def tally_of(row: sqlite3.Row) -> Tally:
        moment = datetime.fromtimestamp(row["start"]).astimezone()
        return tallies.setdefault(_beginning(moment, by), Tally("", 0))

    for row in counts:
        tally = tally_of(row)
        if row["label"] == "":
            tally.frames += row["faces"]
        else:
            tally.faces[row["label"]] += row["faces"]
            tally.people[row["label"]] += row["people"]
    for row in crossings:
        tally = tally_of(row)
        tally.inward[row["line"], row["label"]] += row["inward"]
        tally.outward[row["line"], row["label"]] += row["outward"]
    return [
        Bucket(
            start,
            camera,
            tally.frames,
            dict(+tally.faces),
            dict(+tally.people),
            _by_line(tally.inward),
            _by_line(tally.outward),
        )
        for start, tally in sorted(tallies.items())
    ]


def _by_line(crossed: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    lines: dict[str, dict[str, int]] = {}
    for (line, label), number in crossed.items():
        if number:
            lines.setdefault(line, {})[label] = number
    return lines


def _beginning(moment: datetime, by: Span) -> datetime:
    """Returns the beginning of the span that a moment of the machine's zone lies in."""
    moment = moment.replace(second=0, microsecond=0)
    if by == "minute":
        return moment
    moment = moment.replace(minute=0)
    if by == "hour":
        return moment
    day = moment.replace(hour=0, tzinfo=None)
    if by == "week":
        day -= timedelta(days=day.weekday())
    elif by == "month":
        day = day.replace(day=1)
    # Its offset then, which another season's is not.
    return day.astimezone()
