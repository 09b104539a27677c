"""Lets a training run end in good order when it is asked to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(Exception):  # noqa: N818 - a wish, not an error
    """The user asked the run to stop."""


class Diverged(Exception):  # noqa: N818 - ends a phase, not the run
    """The loss is no longer a number."""


class Stop:
    """Remembers that the user asked to stop."""

    asked = False


@contextmanager
def graceful_stop() -> Iterator[Stop]:
    """Turns the first Ctrl-C, or a cluster's SIGTERM, into a wish; a second one acts at once."""
    stop = Stop()
    kept: dict[int, Any] = {}

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        signal.signal(number, kept[number])

    try:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            kept[wanted] = signal.signal(wanted, ask)
    except ValueError:
        pass  # not in the main thread, where signals do not arrive
    try:
        yield stop
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
