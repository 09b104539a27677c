"""What the user should know while something runs: to a callable, or to the logger "maskdet"."""

import logging
from collections.abc import Callable

LOGGER = logging.getLogger("maskdet")
# Without a handler Python itself would print warnings.
LOGGER.addHandler(logging.NullHandler())

Log = Callable[[str], None]


def teller(log: Log | None) -> Log:
    """Returns what is told of things that matter: the user's own callable, or the logger.

    Raises:
        TypeError: it cannot be called.
    """
    if log is not None and not callable(log):
        raise TypeError(f"log: expected a callable that takes a line, got {type(log).__name__}")
    return log or LOGGER.warning


def noter(log: Log | None) -> Log:
    """Returns what is told how it goes, likewise, as information; raises as `teller` does."""
    return LOGGER.info if log is None else teller(log)
