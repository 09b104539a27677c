"""What a study shows, counted by DuckDB over its tables, however many rows they have."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maskdet.archive.places import Store
from maskdet.archive.tables import (
    FACES,
    PIECES,
    TRACKS,
    faces_schema,
    pieces_schema,
    tracks_schema,
)
from maskdet.detections import MASK_LABEL, UNCERTAIN_LABEL

if TYPE_CHECKING:
    import duckdb

# Below, little is seen of a face. Mean level of a video, from 0 to 255.
DARK = 40.0
# Faces lower than this are often overlooked, and their masks misread. Pixels.
SMALL = 40.0
# A picture that stood still for so many seconds came from no camera that works.
FROZEN = 10.0


@dataclass(frozen=True)
class Table:
    """Rows for a page and for a CSV file.

    Attributes:
        name: of the file, without an ending.
        title: above it.
        columns: heads.
        rows: cells.
        note: what to know of it.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class FaceSpot:
    """A face in a video, to be cut out of it.

    Attributes:
        source: path or address.
        time: seconds since its first frame.
        box: left, top, right, bottom in pixels.
        label: that it was given.
        confidence: how sure that is.
    """

    source: str
    time: float
    box: tuple[float, float, float, float]
    label: str
    confidence: float


class Figures:
    """Asks a study's tables.

    Args:
        connection: DuckDB's, in which they are ``faces``, ``tracks`` and ``pieces``.
        labels: of the classifier.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection", labels: tuple[str, ...]) -> None:
        self._connection = connection
        self.labels = labels
        uncertain = self._one("SELECT count(*) FROM faces WHERE label = ?", UNCERTAIN_LABEL)
        if uncertain:
            self.labels = (*labels, UNCERTAIN_LABEL)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query, list(values)).fetchall()
        return rows

    def _one(self, query: str, *values: object) -> Any:
        return self._rows(query, *values)[0][0]

    def totals(self) -> dict[str, float]:
        """Returns the figures of the whole study."""
        files, hours, frames, faces, worked = self._rows(
            "SELECT count(DISTINCT source), coalesce(sum(video_seconds), 0) / 3600,"
            " coalesce(sum(frames), 0), coalesce(sum(faces), 0),"
            " coalesce(sum(processor_seconds), 0) / 3600"
            " FROM pieces"
        )[0]
        missing = self._one(
            "SELECT count(DISTINCT source) FROM pieces WHERE reason IS NOT NULL AND frames = 0"
        )
        people = self._one("SELECT count(*) FROM tracks WHERE person")
        return {
            "files": files,
            "files_missing": missing,
            "hours": hours,
            "frames": frames,
            "faces": faces,
            "people": people,
            "core_hours": worked,
        }

    def _counts(self, table: str) -> str:
        """Returns the part of a query that counts rows by label, and the share with a mask."""
        each = ", ".join(
            f"count(*) FILTER (label = {_quoted(label)}) AS {_named(label)}"
            for label in self.labels
        )
        return (
            f"{each}, round(count(*) FILTER (label = {_quoted(MASK_LABEL)}) / nullif(count(*)"
            f" FILTER (label <> {_quoted(UNCERTAIN_LABEL)}), 0), 4) AS share_{table}"
        )

    def by(self, name: str, title: str, key: str, note: str = "") -> Table:
        """Counts hours, faces and people by something.

        Args:
            name: of the table.
            title: likewise.
            key: DuckDB's expression of ``source`` and ``wall``, a moment or none.
            note: what to know of it.
        """
        query = f"""
            WITH video AS (
                SELECT {key} AS key, sum(video_seconds) / 3600 AS hours
                FROM (SELECT source, begin_wall_time AS wall, video_seconds FROM pieces)
                GROUP BY 1),
            seen AS (
                SELECT {key} AS key, {self._counts("faces")}
                FROM (SELECT source, wall_time AS wall, label FROM faces) GROUP BY 1),
            known AS (
                SELECT {key} AS key, count(*) AS people,
                    count(*) FILTER (label = {_quoted(MASK_LABEL)}) AS masked,
                    count(*) FILTER (label <> {_quoted(UNCERTAIN_LABEL)}) AS certain
                FROM (SELECT source, first_wall_time AS wall, label FROM tracks WHERE person)
                GROUP BY 1)
            SELECT key, round(hours, 4), coalesce(people, 0), round(masked / nullif(certain, 0), 4),
                {", ".join(f"coalesce({_named(label)}, 0)" for label in self.labels)}, share_faces
            FROM video FULL JOIN seen USING (key) FULL JOIN known USING (key)
            WHERE key IS NOT NULL ORDER BY key
        """
        columns = (name, "hours", "people", "share of people", *self.labels, "share of faces")
        return Table(name, title, columns, self._rows(query), note)

    def quality(self) -> Table:
        """Lists the videos that cannot be trusted, each with what is wrong with it."""
        rows = self._rows(
            """
            WITH video AS (
                SELECT source, avg(brightness) AS level, sum(frozen_seconds) AS frozen,
                    bool_or(changed) AS changed,
                    count(*) FILTER (reason IS NOT NULL) AS missing, any_value(reason) AS reason,
                    count(*) FILTER (len(failures) > 0) AS damaged,
                    any_value(failures[1]) AS failure
                FROM pieces GROUP BY 1),
            height AS (SELECT source, median(bottom - top) AS height FROM faces GROUP BY 1)
            SELECT source, level, frozen, height, missing, reason, damaged, failure, changed
            FROM video LEFT JOIN height USING (source) ORDER BY source
            """
        )
        return Table("quality", "Quality notes", ("file", "note"), list(_notes(rows)))

    def spots(self, count: int, *, surest: bool) -> list[FaceSpot]:
        """Returns the most or the least certain faces, one of each track."""
        order = "DESC" if surest else "ASC"
        rows = self._rows(
            f"""
            WITH one AS (
                SELECT source, any_value(time ORDER BY confidence {order}) AS time,
                    arg_{"max" if surest else "min"}(
                        {{'l': "left", 't': top, 'r': "right", 'b': bottom, 'time': time,
                          'label': label}}, confidence) AS face,
                    {"max" if surest else "min"}(confidence) AS confidence
                FROM faces GROUP BY source, coalesce(track, frame))
            SELECT source, face.time, face.l, face.t, face.r, face.b, face.label, confidence
            FROM one ORDER BY confidence {order}, source, face.time LIMIT ?
            """,
            count,
        )
        return [
            FaceSpot(source, time, (left, top, right, bottom), label, confidence)
            for source, time, left, top, right, bottom, label, confidence in rows
        ]


def _notes(rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    for source, level, frozen, height, missing, reason, damaged, failure, changed in rows:
        if missing:
            yield source, reason
        if damaged:
            yield source, failure
        if level is not None and level < DARK:
            yield source, f"too dark: mean level {level:.0f} of 255"
        if frozen is not None and frozen >= FROZEN:
            yield source, f"the picture stood still for {frozen:.0f} s"
        if height is not None and height < SMALL:
            yield source, f"faces too small: half are lower than {height:.0f} pixels"
        if changed:
            yield source, "has changed since the inventory"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@contextmanager
def asked(store: Store, labels: tuple[str, ...]) -> Iterator[Figures]:
    """Gives what to ask a study's tables.

    Args:
        store: the study.
        labels: of the classifier.
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    with duckdb.connect() as connection:
        # Times of day are told in UTC.
        connection.execute("SET TimeZone = 'UTC'")
        for name, schema in (
            (FACES, faces_schema(labels)),
            (TRACKS, tracks_schema()),
            (PIECES, pieces_schema()),
        ):
            files = [store.path(f"{name}/{file}") for file in store.names(name)]
            # Read as they are asked for: of the faces a laptop has no room for all.
            table = (
                ds.dataset(files, schema, format="parquet", filesystem=store.system)
                if files
                else pa.Table.from_pylist([], schema)
            )
            connection.register(name, table)
        yield Figures(connection, labels)
