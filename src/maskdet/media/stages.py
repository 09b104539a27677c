"""Steps of work in threads of their own, in order, so that a run uses every core.

Decoding, face detection and classification release the GIL; chained through `in_thread` they work
on three frames at a time.
"""

import threading
from collections.abc import Callable, Generator, Iterable
from queue import Empty, Full, Queue
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

# How often a blocked worker looks whether its consumer has gone, in seconds.
_POLL = 0.05


class _End:
    """The last thing a worker sends: that it has finished, and why if it failed."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def in_thread(step: Callable[[In], Out], items: Iterable[In], *, ahead: int = 2) -> Generator[Out]:
    """Applies a step to items in a thread of its own, a little ahead of the consumer.

    Args:
        step: the work; called in order, never twice at a time.
        items: consumed (and closed, if a generator) in the worker thread.
        ahead: how many finished results may wait, which bounds memory and delay.

    Yields:
        The results, in the items' order. What `step` or `items` raise is raised here. Closing the
        generator stops the worker and whatever it consumes.
    """
    results: Queue[Out | _End] = Queue(maxsize=ahead)
    stopped = threading.Event()

    def send(result: Out | _End) -> bool:
        while not stopped.is_set():
            try:
                results.put(result, timeout=_POLL)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        iterator = iter(items)
        error: BaseException | None = None
        try:
            while not stopped.is_set():
                try:
                    item = next(iterator)
                except StopIteration:
                    break
                if not send(step(item)):
                    break
        except BaseException as raised:  # noqa: BLE001 - handed to the consumer, which raises it
            error = raised
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        send(_End(error))

    worker = threading.Thread(target=work, name=getattr(step, "__name__", "stage"), daemon=True)
    worker.start()
    try:
        while True:
            result = results.get()
            if isinstance(result, _End):
                if result.error is not None:
                    raise result.error
                return
            yield result
    finally:
        stopped.set()
        try:
            while True:
                results.get_nowait()
        except Empty:
            pass
        worker.join()
