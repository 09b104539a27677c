"""What one process does of a study: cuts videos, looks at pieces, joins and writes parts."""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from maskdet import __version__
from maskdet.archive.cutting import Piece, cut_video
from maskdet.archive.inventory import Entry
from maskdet.archive.joining import Joiner
from maskdet.archive.looking import FACTS, Facts, look_at
from maskdet.archive.models import fingerprints
from maskdet.archive.places import Store, name_of
from maskdet.archive.study import WORK, Study
from maskdet.archive.tables import (
    FACES,
    PIECES,
    TRACKS,
    faces_schema,
    pieces_schema,
    tracks_schema,
    work_schema,
)
from maskdet.archive.tasks import Failure, Outcome, Task, waiting_file, work_file
from maskdet.errors import ModelError, SourceError, UnreachableError
from maskdet.vision.networks import load_detector
from maskdet.vision.pipeline import MaskDetector


class Worker:
    """Does tasks, one after another; the networks are loaded once.

    Args:
        root: folder of the study, or its address.
        study: what is done.
    """

    def __init__(self, root: str, study: Study) -> None:
        self._store, self._study = Store(root), study
        self._detector: MaskDetector | None = None

    def begin(self) -> None:
        """Makes sure that this machine has what it needs.

        Raises:
            ModelError: its networks are other ones than the study was begun with.
        """
        found = fingerprints(self._study.work.networks, lambda _: None)
        if found != list(self._study.models):
            host = Facts().host
            raise ModelError(f"{host}: has other networks than the study was begun with")

    def do(self, task: Task) -> Outcome | Failure:
        """Does a task, or says why it could not be done: a server or disk may come back.

        Raises:
            OutputError: a result cannot be written.
            ModelError: a network cannot be loaded.
        """
        try:
            return {"cut": self._cut, "look": self._look, "join": self._join}[task.kind](task)
        except UnreachableError as error:
            reason = str(error)
            for entry in task.part.entries:
                reason = reason.removeprefix(f"{name_of(entry.source)}: ")
            return Failure(reason, away=True)

    def _cut(self, task: Task) -> Outcome:
        (entry,) = task.part.entries
        try:
            pieces = cut_video(entry.source, self._study.work)
        except UnreachableError:
            raise
        except SourceError:
            # Found out, and noted, when it is looked at.
            pieces = [Piece()]
        # A file that grows would be cut otherwise by whoever goes on.
        cuts = json.dumps([asdict(piece) for piece in pieces])
        self._store.write(f"{WORK}/{task.part.name}/cuts.json", cuts.encode())
        return Outcome(tuple(pieces))

    def _look(self, task: Task) -> Outcome:
        seconds, frames = 0.0, 0
        for place, piece in task.jobs:
            entry = task.part.entries[place]
            name = work_file(task.part.name, place, piece.number)
            with self._store.writing(name) as path:
                facts = look_at(entry, piece, self._networks(), self._study.work, path)
            seconds, frames = seconds + facts.video_seconds, frames + facts.frames
        return Outcome(video_seconds=seconds, frames=frames)

    def _networks(self) -> MaskDetector:
        if self._detector is None:
            # A worker is one of several on its machine: a core each.
            self._detector = load_detector(self._study.work.networks, lanes=1)
        return self._detector

    def _join(self, task: Task) -> Outcome:
        import pyarrow as pa
        import pyarrow.parquet as pq

        labels, part = self._study.labels, task.part
        name = f"{part.name}.parquet"
        people: Counter[str] = Counter()
        failures = []
        rows: list[dict[str, Any]] = []
        with ExitStack() as stack:
            writers = {}
            for folder, schema in (
                (FACES, faces_schema(labels)),
                (TRACKS, tracks_schema()),
            ):
                path = stack.enter_context(self._store.writing(f"{folder}/{name}"))
                writers[folder] = stack.enter_context(
                    pq.ParquetWriter(path, schema, compression="zstd")
                )
            for place, entry in enumerate(part.entries):
                source = name_of(entry.source)
                joiner = Joiner(source, labels, entry.start, follows=self._study.work.follows)
                if entry.hopeless:
                    rows.append(self._row(entry, Facts(reason=entry.reason, attempts=0), None))
                    failures.append(f"{source}: {entry.reason}")
                    continue
                for piece in (piece for at, piece in task.jobs if at == place):
                    given_up = task.given_up.get((place, piece.number))
                    if given_up is not None:
                        facts = Facts(piece.number, piece.first, reason=given_up.reason)
                        facts.attempts = given_up.attempts
                        agreeing = None
                    else:
                        facts, agreeing = self._join_piece(
                            joiner, work_file(part.name, place, piece.number), writers[FACES]
                        )
                    rows.append(self._row(entry, facts, agreeing))
                    if facts.reason is not None:
                        failures.append(f"{source}: {_in_piece(piece)}{facts.reason}")
                tracks = joiner.tracks()
                writers[TRACKS].write_table(tracks)
                people.update(
                    row["label"] for row in tracks.select(["label", "person"]).to_pylist()
                    if row["person"]
                )  # fmt: skip
        away = [place for (place, _), one in task.given_up.items() if one.away]
        if away:
            names = sorted({name_of(part.entries[place].source) for place in away})
            self._store.write(waiting_file(part.name), json.dumps(names).encode())
        # Last: what is in this table is done.
        with self._store.writing(f"{PIECES}/{name}") as path:
            pq.write_table(pa.Table.from_pylist(rows, pieces_schema()), path)
        if not away:
            self._store.remove(f"{WORK}/{part.name}")
        return Outcome(people=people, failures=tuple(failures), away=len(away))

    def _join_piece(self, joiner: Joiner, name: str, writer: Any) -> tuple[Facts, float | None]:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        with self._store.opened(name) as file:
            table = pq.ParquetFile(file)
            facts = Facts(**json.loads(table.metadata.metadata[FACTS]))
            groups = range(table.num_row_groups)
            parts = [work_schema(self._study.labels).empty_table()]
            for group in groups:
                rows = table.read_row_group(group)
                before = rows.filter(pc.invert(rows["own"]))
                parts.append(before)
                # The warm-up comes first.
                if before.num_rows < rows.num_rows:
                    break
            own = (rows.filter(rows["own"]) for rows in map(table.read_row_group, groups))
            agreeing: float | None = None
            for faces, share in joiner.join(pa.concat_tables(parts), own):
                writer.write_table(faces)
                agreeing = share
        return facts, agreeing

    def _row(self, entry: Entry, facts: Facts, agreeing: float | None) -> dict[str, Any]:
        wall = None
        if entry.start is not None:
            wall = entry.start + timedelta(seconds=facts.begin)
        row = asdict(facts)
        row["finished"] = datetime.fromisoformat(facts.finished) if facts.finished else None
        return {
            **row,
            "source": name_of(entry.source),
            "begin_wall_time": wall,
            "at_cut": agreeing,
            "size": entry.size if facts.size is None else facts.size,
            "version": __version__,
            "models": list(self._study.models),
        }


def _in_piece(piece: Piece) -> str:
    return "" if piece.last and piece.number == 0 else f"piece {piece.number}: "
