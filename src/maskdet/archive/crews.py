"""Workers on Ray: an actor a core, each with the networks loaded, replaced where one dies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maskdet.archive.study import Study
from maskdet.archive.tasks import Failure, Outcome, Task
from maskdet.archive.worker import Worker
from maskdet.errors import MaskdetError

# So many workers in a row that die before they have begun: it is not by chance.
_MOST_BAD_BEGINS = 3
# A cluster that has no free core for a worker is told of once, after so many seconds.
_PATIENCE = 30.0


class _Actor:
    """A `Worker` in a process of Ray's."""

    def __init__(self, worker: type[Worker], root: str, study: Study) -> None:
        import cv2

        # One core each: on a machine of many, each would start a thread for every one of them.
        cv2.setNumThreads(1)
        self._worker = worker(root, study)

    def begin(self) -> str:
        """Makes sure that it can work, and says on which node it is."""
        import ray

        self._worker.begin()
        return str(ray.get_runtime_context().get_node_id())

    def do(self, task: Task) -> Outcome | Failure:
        """Does a task."""
        return self._worker.do(task)


@dataclass
class _Member:
    """An actor: where it is, and what it does.

    Attributes:
        actor: Ray's handle.
        node: of the cluster, once it has begun.
        task: that it works on.
    """

    actor: Any
    node: str | None = None
    task: Task | None = None


class RayCrew:
    """See `maskdet.archive.dispatch.Crew`.

    Args:
        size: how many workers.
        root: folder of the study.
        study: what is done.
        log: told what becomes of workers.
        worker: what each does.
    """

    def __init__(
        self,
        size: int,
        root: str,
        study: Study,
        log: Callable[[str], None],
        worker: type[Worker] = Worker,
    ) -> None:
        self.size = size
        self._root, self._study, self._worker, self._log = root, study, worker, log
        self._bad_begins = 0
        self._waited = 0.0
        # What each actor is asked at the moment, by the reference to its answer.
        self._asked: dict[Any, _Member] = {}
        self._free: list[_Member] = []
        for _ in range(size):
            self._add()

    def _add(self) -> None:
        import ray

        # Not restarted by Ray: what killed it decides what is done next.
        actor = ray.remote(num_cpus=1, max_restarts=0)(_Actor).remote(
            self._worker, self._root, self._study
        )
        self._asked[actor.begin.remote()] = _Member(actor)

    @property
    def idle(self) -> int:
        """How many could begin a task now."""
        return len(self._free)

    def submit(self, task: Task) -> None:
        """Gives a task to an idle worker."""
        member = self._free.pop()
        member.task = task
        self._asked[member.actor.do.remote(task)] = member

    def wait(self, timeout: float) -> list[tuple[Task, Outcome | Failure]]:
        """Returns the tasks that have ended since; see `maskdet.archive.dispatch.Crew`."""
        import ray

        done, _ = ray.wait(list(self._asked), num_returns=1, timeout=timeout)
        if not done and not any(member.node for member in self._asked.values()):
            self._tell_of_waiting(timeout)
        ended: list[tuple[Task, Outcome | Failure]] = []
        for reference in done:
            member = self._asked.pop(reference)
            task, member.task = member.task, None
            answer = self._answer(reference, member)
            if task is None and isinstance(answer, str):
                member.node, self._bad_begins = answer, 0
                self._free.append(member)
            elif task is not None:
                assert not isinstance(answer, str)
                ended.append((task, answer))
        return ended

    def _answer(self, reference: Any, member: _Member) -> Outcome | Failure | str:
        """Returns what an actor says, and puts another one into the place of a dead one."""
        import ray
        from ray.exceptions import RayActorError, RayError, RayTaskError

        began = member.node is not None
        try:
            answer: Outcome | Failure | str = ray.get(reference)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, MaskdetError):
                raise cause from None
            failure = Failure(_first_line(f"{type(cause).__name__}: {cause}"))
            if began:
                self._free.append(member)
                return failure
        except RayActorError as error:
            lost = began and member.node not in _nodes()
            what = "its machine was lost" if lost else f"its worker died ({_words(error)})"
            failure = Failure(what, counts=not lost)
        except RayError as error:
            failure = Failure(_first_line(str(error)))
        else:
            if began:
                self._free.append(member)
            return answer
        ray.kill(member.actor)
        if not began:
            self._bad_begins += 1
            if self._bad_begins > _MOST_BAD_BEGINS:
                raise MaskdetError(f"workers cannot be started: {failure.reason}")
        self._add()
        return failure

    def _tell_of_waiting(self, seconds: float) -> None:
        before, self._waited = self._waited, self._waited + seconds
        if before < _PATIENCE <= self._waited:
            self._log("waits for free cores: others use the cluster, or its machines are starting")


def _nodes() -> set[str]:
    """Returns the nodes of the cluster that are there."""
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def _words(error: Exception) -> str:
    """Finds in Ray's page on a dead worker the line that says why."""
    for line in str(error).splitlines():
        for word in ("Worker exit type:", "exit_detail:", "Worker exit detail:"):
            if word in line:
                return line.split(word, 1)[1].strip(" .")[:200]
    return _first_line(str(error))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")[
        :300
    ]
