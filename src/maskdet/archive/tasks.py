"""What is to be done of a study, piece by piece, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field

from maskdet.archive.cutting import Piece
from maskdet.archive.parts import Part
from maskdet.archive.study import WORK

# Place of a video in its part, and a piece of it.
Job = tuple[int, Piece]


@dataclass(frozen=True)
class GivenUp:
    """Why a piece is missing.

    Attributes:
        reason: in a line.
        attempts: how often it was tried.
        away: whether the video was out of reach: whoever goes on with the study tries again.
    """

    reason: str
    attempts: int
    away: bool


@dataclass(frozen=True)
class Task:
    """Something to do.

    Attributes:
        kind: ``cut``, ``look`` or ``join``.
        part: of which part.
        jobs: pieces to look at, or all pieces of the part, to join.
        given_up: place of a video and number of a piece to why it is missing.
    """

    kind: str
    part: Part
    jobs: tuple[Job, ...] = ()
    given_up: dict[tuple[int, int], GivenUp] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        pieces: of a video that was cut.
        video_seconds: that were looked at.
        frames: likewise.
        people: by label, of a part that was joined.
        failures: a line for each video that could not be read, of such a part.
        away: how many pieces of such a part were out of reach.
    """

    pieces: tuple[Piece, ...] = ()
    video_seconds: float = 0.0
    frames: int = 0
    people: Counter[str] = field(default_factory=Counter)
    failures: tuple[str, ...] = ()
    away: int = 0


@dataclass(frozen=True)
class Failure:
    """A task that was not done.

    Attributes:
        reason: in a line.
        counts: whether the task may be to blame; a machine that was lost says nothing of it.
        away: whether its video was out of reach.
    """

    reason: str
    counts: bool = True
    away: bool = False


def waiting_file(part: str) -> str:
    """Returns the name in the study of the list of a part's videos that were out of reach.

    Such a part is written and yet not whole; its other pieces wait beside that list.
    """
    return f"{WORK}/{part}/away.json"


def work_file(part: str, place: int, piece: int) -> str:
    """Returns the name in the study of a piece that waits to be joined."""
    return f"{WORK}/{part}/{place:04d}-{piece:05d}.parquet"
