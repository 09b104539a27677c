"""Ctrl-C and its like as a request to finish."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A signal within so many seconds of the first was not sent for impatience.
DOUBLED = 0.3


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Sets an event on Ctrl-C, SIGTERM and a lost terminal: a run can end with its files whole.

    A second Ctrl-C or SIGTERM has its usual effect, for a run that does not come to its end. One
    that follows at once is the first again: `timeout` and `uv run` pass on what came to all. Of a
    lost terminal the kernel tells and then the shell, and nothing can be written to it: further
    SIGHUPs are ignored, and what would be said goes nowhere. Signals that are ignored stay so, as
    `nohup` asks.

    Args:
        stop: what to set; the run looks at it, and so do its live sources.
    """
    # Windows has no SIGHUP.
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    watched = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in watched}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}

    hang_up = getattr(signal, "SIGHUP", None)
    # Found out now: a terminal that is lost does not say any more that it was one.
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def restore() -> None:
        for number, handler in before.items():
            if number != hang_up:
                signal.signal(number, handler)

    first: float | None = None

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal first
        stop.set()
        if number != hang_up:
            now = time.monotonic()
            if first is None:
                first = now
            elif now - first > DOUBLED:
                restore()
                signal.raise_signal(number)
            return
        # For good: files are still to be finished when the run has left this context.
        signal.signal(number, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for terminal in terminals:
            os.dup2(nowhere, terminal)
        os.close(nowhere)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
        for number, handler in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)
