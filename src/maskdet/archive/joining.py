"""Pieces of a video joined to one: tracks that go on over a cut keep their number.

A piece sees the seconds before it, too, to warm up; there its tracks lie upon those of the piece
before, in the same frames, and by that each is known.
"""

import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from maskdet.archive.tables import BOX, faces_schema, tracks_schema
from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.summaries import MIN_SIGHTINGS

if TYPE_CHECKING:
    import pyarrow as pa

# Boxes of one face in one frame, found by two runs that began at different frames.
_SAME_FACE = 0.5
# Of a track's frames before a cut its last ones say which track of the other piece it is.
_LAST_FRAMES = 12


@dataclass
class _Track:
    """A followed face, so far."""

    first_seen: float
    last_seen: float
    frames: int = 0
    label: str = ""
    labels: Counter[str] = field(default_factory=Counter)
    best: float = -1.0
    best_frame: int = 0
    best_time: float = 0.0


@dataclass(frozen=True)
class _Sighting:
    """The faces of one frame: their boxes and the numbers of their tracks."""

    boxes: FloatArray
    tracks: list[int]


class Joiner:
    """Joins the pieces of one video, in order.

    Args:
        source: what its rows call it.
        labels: of the classifier.
        start: when its first frame was taken, if it tells.
        follows: whether faces are followed.
    """

    def __init__(
        self, source: str, labels: tuple[str, ...], start: datetime | None, *, follows: bool
    ) -> None:
        self._source, self._labels, self._start, self._follows = source, labels, start, follows
        self._tracks: dict[int, _Track] = {}
        self._next = 1
        # The last frames of the piece before, by their numbers, with the video's own track numbers.
        self._tail: dict[int, _Sighting] = {}

    def join(
        self, warm_up: "pa.Table", own: Iterable["pa.Table"]
    ) -> Iterator[tuple["pa.Table", float | None]]:
        """Takes the next piece.

        Args:
            warm_up: faces before the piece; see `maskdet.archive.tables.work_schema`.
            own: its own faces, a few rows at a time, in order.

        Yields:
            The faces as rows of ``faces/``, and the share of the faces before the cut that both
            pieces see alike, ``None`` where none is seen there.
        """
        known, agreeing = self._known(warm_up)
        keep = _Tail(self._tail)
        for table in own:
            numbers = self._numbered(table, known)
            keep.add(table, numbers)
            yield self._rows(table, numbers), agreeing
        self._tail = keep.frames

    def _known(self, warm_up: "pa.Table") -> tuple[dict[int, int], float | None]:
        """Returns which track of the video each track of a new piece is."""
        seen: defaultdict[int, deque[tuple[int, int]]] = defaultdict(
            lambda: deque(maxlen=_LAST_FRAMES)
        )
        alike = count = 0
        for frame, sighting in _sightings(warm_up):
            before = self._tail.get(frame)
            count += len(sighting.boxes)
            if before is None or len(before.boxes) == 0:
                continue
            overlaps = intersection_over_union(sighting.boxes, before.boxes)
            alike += int((overlaps.max(axis=1) > 1 - 1e-6).sum())
            for at, row in enumerate(overlaps):
                best = int(row.argmax())
                # Each is the other's best.
                if row[best] >= _SAME_FACE and int(overlaps[:, best].argmax()) == at:
                    seen[sighting.tracks[at]].append((before.tracks[best], frame))
        votes = Counter((track, other) for track, others in seen.items() for other, _ in others)
        known: dict[int, int] = {}
        taken: set[int] = set()
        for (track, other), _ in votes.most_common():
            if track not in known and other not in taken:
                known[track] = other
                taken.add(other)
        return (known if self._follows else {}), (alike / count if count else None)

    def _numbered(self, table: "pa.Table", known: dict[int, int]) -> list[int | None]:
        numbers: list[int | None] = []
        for track in table["track"].to_pylist():
            if track is None:
                numbers.append(None)
                continue
            if track not in known:
                known[track] = self._next
            numbers.append(known[track])
            self._next = max(self._next, known[track] + 1)
        return numbers

    def _rows(self, table: "pa.Table", numbers: Sequence[int | None]) -> "pa.Table":
        import pyarrow as pa

        schema = faces_schema(self._labels)
        times = table["time"].to_pylist()
        heights = (table["bottom"].to_numpy() - table["top"].to_numpy()).tolist()
        scores, frames = table["face_score"].to_pylist(), table["frame"].to_pylist()
        for at, (number, label) in enumerate(zip(numbers, table["label"].to_pylist(), strict=True)):
            if number is None:
                continue
            track = self._tracks.setdefault(number, _Track(times[at], times[at]))
            track.frames += 1
            track.last_seen, track.label = times[at], label
            track.labels[label] += 1
            # Large and surely a face: what a person would pick it out by.
            worth = heights[at] * scores[at]
            if worth > track.best:
                track.best, track.best_frame, track.best_time = worth, frames[at], times[at]
        walls = [self._wall(moment) for moment in times]
        columns = {name: table[name] for name in table.column_names if name != "own"}
        columns |= {
            "source": pa.array([self._source] * table.num_rows, pa.string()),
            "wall_time": pa.array(walls, schema.field("wall_time").type),
            "track": pa.array(numbers, pa.int64()),
        }
        return pa.table({name: columns[name] for name in schema.names}, schema)

    def _wall(self, moment: float) -> datetime | None:
        return None if self._start is None else self._start + timedelta(seconds=moment)

    def tracks(self) -> "pa.Table":
        """Returns the rows of ``tracks/``, once all pieces are joined."""
        import pyarrow as pa

        rows: list[dict[str, Any]] = [
            {
                "source": self._source,
                "track": number,
                "person": track.frames >= MIN_SIGHTINGS,
                "first_seen": track.first_seen,
                "last_seen": track.last_seen,
                "first_wall_time": self._wall(track.first_seen),
                "last_wall_time": self._wall(track.last_seen),
                "frames": track.frames,
                "label": track.label,
                "longest_label": track.labels.most_common(1)[0][0],
                "best_frame": track.best_frame,
                "best_time": track.best_time,
            }
            for number, track in sorted(self._tracks.items())
        ]
        return pa.Table.from_pylist(rows, tracks_schema())


class _Tail:
    """The last frames of a piece, by which the next one is joined to it.

    Args:
        before: those of the piece before, which a short piece does not push out.
    """

    # More frames than the longest warm-up has that is not worth less.
    _MOST = 2000

    def __init__(self, before: dict[int, _Sighting]) -> None:
        self.frames = dict(before)

    def add(self, table: "pa.Table", numbers: Sequence[int | None]) -> None:
        """Takes the next rows of the piece, with the video's track numbers."""
        import pyarrow as pa

        renumbered = table.set_column(
            table.column_names.index("track"), "track", pa.array(numbers, pa.int64())
        )
        for frame, sighting in _sightings(renumbered):
            self.frames[frame] = sighting
        for frame in list(self.frames)[: -self._MOST]:
            del self.frames[frame]


def _sightings(table: "pa.Table") -> Iterator[tuple[int, _Sighting]]:
    """Yields the number of each frame with faces, and its faces."""
    if table.num_rows == 0:
        return
    boxes = np.stack([table[side].to_numpy() for side in BOX], axis=1).astype(np.float32)
    tracks = [-1 if number is None else number for number in table["track"].to_pylist()]
    frames = table["frame"].to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(frames)) + 1).tolist(), len(frames)]
    for begin, end in itertools.pairwise(edges):
        yield int(frames[begin]), _Sighting(boxes[begin:end], tracks[begin:end])
