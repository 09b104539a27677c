"""Who does what next: tasks handed to workers, tried again where one dies, given up after three."""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from maskdet.archive.cutting import Piece
from maskdet.archive.parts import Part, length_of
from maskdet.archive.places import Store, name_of
from maskdet.archive.study import WORK
from maskdet.archive.tasks import Failure, GivenUp, Job, Outcome, Task, work_file
from maskdet.errors import OutputError

# A piece that has killed so many workers is left alone.
MOST_TRIES = 3
# Short videos are handed out together, about so many seconds of them: few enough that the workers
# end together, and that little is lost with one of them.
_TOGETHER = 10.0
# How long nothing may happen until one looks whether to stop. Seconds.
_WAIT = 0.5


class Crew(Protocol):
    """Workers, each of which does a task at a time.

    Attributes:
        size: how many there are to be.
    """

    size: int

    @property
    def idle(self) -> int:
        """How many could begin a task now."""
        ...

    def submit(self, task: Task) -> None:
        """Gives a task to an idle worker."""
        ...

    def wait(self, timeout: float) -> list[tuple[Task, Outcome | Failure]]:
        """Returns the tasks that have ended since, waiting for one, but for `timeout` seconds.

        Raises:
            MaskdetError: no task could be done, as a disk is full or a network is missing.
        """
        ...


@dataclass
class _Open:
    """A part at work."""

    part: Part
    jobs: tuple[Job, ...] = ()
    missing: set[tuple[int, int]] = field(default_factory=set)
    given_up: dict[tuple[int, int], GivenUp] = field(default_factory=dict)
    tries: Counter[tuple[int, int]] = field(default_factory=Counter)


# Of a task that concerns a whole part: where its tries are counted.
_CUT, _JOIN = (0, -1), (0, -2)


class Dispatcher:
    """Sees a study through.

    Args:
        store: the study.
        crew: who does the work.
        piece_seconds: longer videos are cut.
        told: called with the outcome of each task.
        log: told what had to be given up.
    """

    def __init__(
        self,
        store: Store,
        crew: Crew,
        piece_seconds: float,
        told: Callable[[Task, Outcome], None],
        log: Callable[[str], None],
    ) -> None:
        self._store, self._crew, self._piece_seconds = store, crew, piece_seconds
        self._told, self._log = told, log
        self._ready: deque[Task] = deque()
        self._open: dict[str, _Open] = {}
        self._running = 0

    def run(self, parts: Iterable[Part], stop: threading.Event) -> None:
        """Does all parts, or those that are done when `stop` is set.

        No more parts are begun than keep the workers busy, so that memory stays flat.

        Raises:
            MaskdetError: the work cannot go on.
        """
        waiting = iter(parts)
        more = True
        while not stop.is_set():
            while more and len(self._ready) < max(1, self._crew.idle):
                part = next(waiting, None)
                if part is None:
                    more = False
                else:
                    self._begin(part)
            while self._ready and self._crew.idle:
                self._crew.submit(self._ready.popleft())
                self._running += 1
            if not (self._running or self._ready or more):
                return
            for task, outcome in self._crew.wait(_WAIT):
                self._running -= 1
                if isinstance(outcome, Failure):
                    self._failed(task, outcome)
                else:
                    self._told(task, outcome)
                    self._did(task, outcome)

    def _begin(self, part: Part) -> None:
        opened = self._open[part.name] = _Open(part)
        if not part.is_cut(self._piece_seconds):
            jobs = [
                (place, Piece()) for place, entry in enumerate(part.entries) if not entry.hopeless
            ]
            self._plan(opened, jobs)
        elif self._store.exists(f"{WORK}/{part.name}/cuts.json"):
            cuts = json.loads(self._store.read(f"{WORK}/{part.name}/cuts.json"))
            self._plan(opened, [(0, Piece(**cut)) for cut in cuts])
        else:
            self._ready.append(Task("cut", part))

    def _plan(self, opened: _Open, jobs: list[Job]) -> None:
        """Sets out the pieces of a part that an earlier run has not done already."""
        opened.jobs = tuple(jobs)
        missing = self._undone(opened.part, jobs)
        opened.missing = {(place, piece.number) for place, piece in missing}
        if not missing:
            self._ready.append(Task("join", opened.part, opened.jobs))
        elif opened.part.is_cut(self._piece_seconds):
            self._ready.extend(Task("look", opened.part, (job,)) for job in missing)
        else:
            self._ready.extend(
                Task("look", opened.part, jobs) for jobs in _shared_out(opened.part, missing)
            )

    def _undone(self, part: Part, jobs: Iterable[Job]) -> list[Job]:
        done = set(self._store.names(f"{WORK}/{part.name}"))
        return [
            (place, piece)
            for place, piece in jobs
            if work_file(part.name, place, piece.number).rsplit("/", 1)[-1] not in done
        ]

    def _did(self, task: Task, outcome: Outcome) -> None:
        opened = self._open[task.part.name]
        if task.kind == "cut":
            self._plan(opened, [(0, piece) for piece in outcome.pieces])
        elif task.kind == "look":
            self._settle(opened, task.jobs)
        else:
            del self._open[task.part.name]

    def _settle(self, opened: _Open, jobs: Iterable[Job]) -> None:
        opened.missing -= {(place, piece.number) for place, piece in jobs}
        if not opened.missing:
            # Before others: what is joined is safe, and its pieces take no more room.
            self._ready.appendleft(Task("join", opened.part, opened.jobs, dict(opened.given_up)))

    def _failed(self, task: Task, failure: Failure) -> None:
        opened = self._open[task.part.name]
        if task.kind == "look" and len(task.jobs) > 1:
            # One of them is to blame, and is found by trying each alone.
            missing = self._undone(task.part, task.jobs)
            self._ready.extendleft(Task("look", task.part, (job,)) for job in reversed(missing))
            self._settle(opened, [job for job in task.jobs if job not in missing])
            return
        key = {"cut": _CUT, "join": _JOIN}.get(task.kind)
        if key is None:
            ((place, piece),) = task.jobs
            key = place, piece.number
        opened.tries[key] += failure.counts
        if opened.tries[key] < MOST_TRIES:
            self._ready.appendleft(task)
            return
        reason = f"given up after {MOST_TRIES} attempts: {failure.reason}"
        if task.kind == "join":
            raise OutputError(f"{self._store.name}: {task.part.name} cannot be joined ({reason})")
        self._log(f"{name_of(task.part.entries[max(0, key[0])].source)}: {reason}")
        if task.kind == "cut":
            opened.jobs = ((0, Piece()),)
            key = (0, 0)
        opened.given_up[key] = GivenUp(reason, MOST_TRIES, failure.away)
        self._settle(opened, [job for job in opened.jobs if (job[0], job[1].number) == key])


def _shared_out(part: Part, jobs: Iterable[Job]) -> Iterator[tuple[Job, ...]]:
    """Divides the short videos of a part among tasks, the longest first: the last ones even out."""
    together: list[Job] = []
    seconds = 0.0
    for job in sorted(jobs, key=lambda job: -length_of(part.entries[job[0]])):
        length = length_of(part.entries[job[0]])
        if together and seconds + length > _TOGETHER:
            yield tuple(together)
            together, seconds = [], 0.0
        together.append(job)
        seconds += length
    if together:
        yield tuple(together)
