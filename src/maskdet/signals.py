"""Ctrl-C and its like as a request to finish."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Sets an event on Ctrl-C, SIGTERM and a lost terminal: a run can end with its files whole.

    A second signal has its usual effect, for a run that does not come to its end. Signals that are
    ignored stay so, as `nohup` asks.

    Args:
        stop: what to set; the run looks at it, and so do its live sources.
    """
    # Windows has no SIGHUP.
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    watched = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in watched}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(_: int, __: FrameType | None) -> None:
        stop.set()
        restore()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
