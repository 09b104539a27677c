"""A study begun or gone on with: what there is, what is missing of it, and workers to do that."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from maskdet.archive.cluster import answering, ray_started
from maskdet.archive.crews import RayCrew
from maskdet.archive.dispatch import Crew, Dispatcher
from maskdet.archive.finding import STUDY_FILE, FoundFile, find_files
from maskdet.archive.inventory import lists_of, read_inventory, write_inventory
from maskdet.archive.models import fingerprints
from maskdet.archive.options import ArchiveOptions
from maskdet.archive.parts import Part, parts_of
from maskdet.archive.places import Store, name_of
from maskdet.archive.study import WORK, Study, begin_study, locked, read_study, refuse_other
from maskdet.archive.tables import PIECES
from maskdet.archive.tasks import Outcome, Task, waiting_file
from maskdet.errors import SourceError
from maskdet.extras import require
from maskdet.signals import stopping_on_signals
from maskdet.wording import counted

# Given nothing, gives what to call with the share done, from 0 to 1, and a line on how it goes.
Progress = Callable[[], AbstractContextManager[Callable[[float, str], None]]]
# Makes workers of their number, the study's folder and what is done.
CrewMaker = Callable[[int, str, Study], Crew]
# Of failures so many are kept for the end; all are in the tables.
_MOST_FAILURES = 1000


@dataclass
class Tally:
    """How far a run is.

    Attributes:
        files: how many there are to do, and in how many parts.
        seconds_to_do: of video.
        files_done: of those.
        seconds_done: of video.
        frames: that were looked at.
        people: by label.
        failures: a line for each video that could not be read.
        failed: how many there were.
        away: how many pieces were out of reach; going on with the study tries them again.
        stopped: whether the run was asked to stop before its end.
    """

    files: int = 0
    seconds_to_do: float = 0.0
    files_done: int = 0
    seconds_done: float = 0.0
    frames: int = 0
    people: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    away: int = 0
    stopped: bool = False
    began: float = field(default_factory=time.monotonic)

    def add(self, task: Task, outcome: Outcome) -> None:
        """Counts what came of a task."""
        self.seconds_done += outcome.video_seconds
        self.frames += outcome.frames
        self.people.update(outcome.people)
        self.failed += len(outcome.failures)
        self.away += outcome.away
        self.failures += outcome.failures[: _MOST_FAILURES - len(self.failures)]
        if task.kind == "join":
            self.files_done += len(task.part.entries)

    @property
    def share(self) -> float:
        """The share of the run that is done, by the length of the videos."""
        if self.seconds_to_do <= 0:
            return self.files_done / max(1, self.files)
        # Until the last file is joined it is not whole.
        most = 1.0 if self.files_done >= self.files else 0.999
        return min(most, self.seconds_done / self.seconds_to_do)

    def line(self) -> str:
        """Says how it goes."""
        rate = self.frames / max(1e-6, time.monotonic() - self.began)
        left = max(0.0, self.seconds_to_do - self.seconds_done) / 3600
        return (
            f"{self.files_done} of {counted(self.files, 'file')}, {self.seconds_done / 3600:.2f} h "
            f"of video done, {left:.2f} h left, {rate:.1f} frames a second, "
            f"{self.people.total()} people"
        )


def begin(
    options: ArchiveOptions, *, log: Callable[[str], None], progress: Progress,
    make_crew: CrewMaker | None = None,
) -> Tally:  # fmt: skip
    """Begins a study and sees it through.

    Args:
        options: what to do.
        log: told, a line at a time, what the user should know while it runs.
        progress: shows how far the run is.
        make_crew: makes the workers; ``None`` for those of Ray.

    Raises:
        MaskdetError: something the user can mend; what was finished before it stays.
    """
    options = _checked(options)
    store = Store(options.output)
    with locked(store):
        study = begin_study(store, options, log)
        return _see_through(store, study, options, log, progress, make_crew)


def resume(
    options: ArchiveOptions, given: dict[str, Any], *, log: Callable[[str], None],
    progress: Progress, make_crew: CrewMaker | None = None,
) -> Tally:  # fmt: skip
    """Goes on with a study: does what is missing, and what came since.

    Args:
        options: where it is, and with which workers.
        given: the options of the work that the user has given this time, which must be the study's.
        log: see `begin`, as the others.
        progress: likewise.
        make_crew: likewise.

    Raises:
        MaskdetError: likewise; or the study was begun with other options or networks.
    """
    options = _checked(options)
    store = Store(options.output)
    study = read_study(store)
    refuse_other(store, study, given, fingerprints(study.work.networks, log))
    with locked(store):
        return _see_through(store, study, options, log, progress, make_crew)


def _checked(options: ArchiveOptions) -> ArchiveOptions:
    """Makes sure, before anything is written, that the work can begin."""
    require("archive", "maskdet archive")
    if options.address is None:
        return options
    return replace(options, address=answering(options.address))


def _see_through(
    store: Store, study: Study, options: ArchiveOptions, log: Callable[[str], None],
    progress: Progress, make_crew: CrewMaker | None,
) -> Tally:  # fmt: skip
    done, away = _done(store)
    gone = {name for names in away.values() for name in names}
    back = _list_files(store, study, gone, log)
    if gone - back:
        log(f"{counted(len(gone - back), 'video')} that could not be reached: not there now either")
    done -= {name for name, names in away.items() if back & names}
    tally = Tally()
    for part in _parts(store, study, done):
        tally.files += len(part.entries)
        tally.seconds_to_do += sum(one.seconds for one in part.entries if not one.hopeless)
    if tally.files == 0:
        log(f"{store.name}: all {'else ' if gone else ''}is done")
        return tally
    stop = threading.Event()
    with ExitStack() as stack:
        if make_crew is None:
            size = stack.enter_context(
                ray_started(options.address, options.workers, log, dashboard=options.dashboard)
            )
            crew: Crew = RayCrew(size, store.root, study, log)
        else:
            crew = make_crew(options.workers or 1, store.root, study)
        stack.enter_context(stopping_on_signals(stop))
        show = stack.enter_context(progress())
        log(
            f"{counted(tally.files, 'file')}, {tally.seconds_to_do / 3600:.2f} h of video, "
            f"{counted(crew.size, 'worker')}"
        )

        def told(task: Task, outcome: Outcome) -> None:
            tally.add(task, outcome)
            show(tally.share, tally.line())

        tally.began = time.monotonic()
        dispatcher = Dispatcher(store, crew, study.work.piece_seconds, told, log)
        dispatcher.run(_parts(store, study, done), stop)
    tally.stopped = stop.is_set()
    return tally


def _done(store: Store) -> tuple[set[str], dict[str, set[str]]]:
    """Returns the parts that are written, and of those that are not whole the videos out of reach.

    A part that is not written, though begun, is in neither.
    """
    done = {name.removesuffix(".parquet") for name in store.names(PIECES)}
    away = {}
    for name in done & set(store.names(WORK)):
        if store.exists(waiting_file(name)):
            away[name] = set(json.loads(store.read(waiting_file(name))))
        else:
            # Whoever wrote it ended before this.
            store.remove(f"{WORK}/{name}")
    return done, away


def _list_files(store: Store, study: Study, away: set[str], log: Callable[[str], None]) -> set[str]:
    """Writes the inventory, or a further one of what has come since.

    Args:
        store: the study.
        study: what is looked for.
        away: names of videos that were out of reach before.
        log: told what there is more than before.

    Returns:
        Those of them that are there again; what was deleted for good is not looked for for ever.
    """
    back: set[str] = set()

    def new() -> Iterator[FoundFile]:
        for one in find_files(study.sources, log):
            if one.source not in known:
                yield one
            elif away and (name := name_of(one.source)) in away:
                back.add(name)

    numbers = lists_of(store)
    known = {entry.source for number in numbers for entry in read_inventory(store, number)}
    number = max(numbers, default=-1) + 1
    try:
        count = write_inventory(store, number, new(), study.work.max_pixels)
    except SourceError as error:
        if not numbers:
            # Nothing was begun: what the user names next may be right.
            store.remove(STUDY_FILE)
            raise
        # What is gone since is told of; what was listed before is done all the same.
        log(str(error))
        return back
    if numbers and count:
        log(f"{counted(count, 'file')} more than before")
    return back


def _parts(store: Store, study: Study, done: set[str]) -> Iterator[Part]:
    """Yields the parts of the study that are still to be done."""
    for number in lists_of(store):
        entries = read_inventory(store, number)
        for part in parts_of(number, entries, study.work.piece_seconds):
            if part.name not in done:
                yield part
