"""Steps of work in threads of their own, in order, so that a run uses every core.

Decoding, face detection and classification release the GIL; chained through `in_thread` they work
on several frames at a time. A frame is handed from thread to thread as rarely as can be: that takes
as long as a small part of the work does.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from queue import Empty, Full, Queue
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

# How often a blocked worker looks whether its consumer has gone, and a consumer whether the run is
# to stop, in seconds.
_POLL = 0.05
# So long the threads of a run may take to end, in seconds. One that waits for a pipe or for a disk
# of the network cannot be ended, and is left behind.
_PATIENCE = 5.0


class _End:
    """The last thing a worker sends: that it has finished, and why if it failed."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _put(queue: Queue[In], item: In, stopped: threading.Event) -> bool:
    """Puts an item as soon as there is room; returns False once the consumer has gone."""
    while not stopped.is_set():
        try:
            queue.put(item, timeout=_POLL)
        except Full:
            continue
        return True
    return False


def _close(iterator: Iterator[In]) -> None:
    """Closes a generator in the thread that ran it; other iterators hold nothing open."""
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


def waited_for(work: Callable[[], Out]) -> Out:
    """Does something in a thread of its own, so that a signal can end the wait for it.

    Of what the system does not answer, such as a question to a disk of the network that is gone,
    no signal is heard in the main thread.
    """
    results: Queue[Out | _End] = Queue()

    def run() -> None:
        try:
            results.put(work())
        except BaseException as raised:  # noqa: BLE001 - handed to who waits, and raised there
            results.put(_End(raised))

    threading.Thread(target=run, daemon=True).start()
    result = _take(results)
    if isinstance(result, _End):
        raise result.error or AssertionError("ended without a result")
    return result


def _take(queue: Queue[In | _End], stop: threading.Event | None = None) -> In | _End:
    """Takes what comes next; the end, where the run is to stop and nothing has come."""
    while True:
        try:
            # Without a limit no signal is heard on Windows.
            return queue.get(timeout=_POLL)
        except Empty:
            if stop is not None and stop.is_set():
                return _End(None)


def in_thread(
    step: Callable[[In], Out],
    items: Iterable[In],
    *,
    ahead: int = 2,
    workers: int = 1,
    waiting: int = 0,
    stop: threading.Event | None = None,
) -> Generator[Out]:
    """Applies a step to items in a thread of its own, a little ahead of the consumer.

    Args:
        step: the work; with one worker called in order and never twice at a time.
        items: consumed (and closed, if a generator) in a thread of their own, which with one worker
            and none waiting is the worker's.
        ahead: how many finished results may wait, which bounds memory and delay.
        workers: on how many items the step works at a time; results keep their order.
        waiting: how many more may be taken while the first of these is not done yet, so that an
            item that takes long keeps no worker idle.
        stop: ends the results when set, though the items may be waiting for something that never
            comes.

    Yields:
        The results, in the items' order. What `step` or `items` raise is raised here. Closing the
        generator stops the workers and whatever they consume.
    """
    together = workers + waiting
    # Beside these the consumer waits for one, and the thread that cannot put it yet holds one.
    results: Queue[Future[Out] | _End] = Queue(maxsize=max(ahead, together - 2))
    stopped = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            with ExitStack() as stack:
                iterator = iter(items)
                stack.callback(_close, iterator)
                begin: Callable[[Callable[[In], Out], In], Future[Out]] = _done
                if together > 1:
                    pool = ThreadPoolExecutor(workers)
                    stack.callback(lambda: pool.shutdown(cancel_futures=stopped.is_set()))
                    begin = pool.submit
                while not stopped.is_set():
                    try:
                        item = next(iterator)
                    except StopIteration:
                        break
                    if not _put(results, begin(step, item), stopped):
                        break
        except BaseException as raised:  # noqa: BLE001 - handed to the consumer, which raises it
            error = raised
        finally:
            # Whatever happened: the consumer waits for it.
            _put(results, _End(error), stopped)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while True:
            result = _take(results, stop)
            if isinstance(result, _End):
                if result.error is not None:
                    raise result.error
                return
            yield _result_of(result)
    finally:
        stopped.set()
        try:
            while True:
                results.get_nowait()
        except Empty:
            pass
        worker.join(_PATIENCE)


def _done(step: Callable[[In], Out], item: In) -> Future[Out]:
    """Does at once what a pool would do later."""
    future: Future[Out] = Future()
    try:
        future.set_result(step(item))
    except BaseException as raised:  # noqa: BLE001 - raised where the result is wanted
        future.set_exception(raised)
    return future


def _result_of(future: Future[Out]) -> Out:
    """Waits for a result, or what is raised in its place."""
    # Without a limit no signal is heard on Windows.
    while not future.done():
        wait([future], timeout=_POLL)
    return future.result()


def in_turn(step: Callable[[In], Out], items: Iterable[In]) -> Generator[Out]:
    """Applies a step to items in the consumer's own thread, one when it is asked for.

    Where each process has a core to itself, threads would only hand work to and fro.

    Args:
        step: the work.
        items: consumed, and closed, if a generator.

    Yields:
        The results, in the items' order.
    """
    iterator = iter(items)
    try:
        for item in iterator:
            yield step(item)
    finally:
        _close(iterator)


def merged(feeds: Sequence[Iterable[In]], stop: threading.Event | None = None) -> Generator[In]:
    """Reads several iterables at once, each in a thread, and yields items as they come.

    Items of one iterable keep their order. What one of them raises is raised here; `stop` is as
    for `in_thread`.
    """
    if len(feeds) == 1:
        yield from feeds[0]
        return
    arrivals: Queue[In | _End] = Queue(maxsize=1)
    stopped = threading.Event()

    def forward(feed: Iterable[In]) -> None:
        error: BaseException | None = None
        try:
            with ExitStack() as stack:
                iterator = iter(feed)
                stack.callback(_close, iterator)
                for item in iterator:
                    if not _put(arrivals, item, stopped):
                        break
        except BaseException as raised:  # noqa: BLE001 - handed to the consumer, which raises it
            error = raised
        finally:
            _put(arrivals, _End(error), stopped)

    threads = [threading.Thread(target=forward, args=(feed,), daemon=True) for feed in feeds]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            item = _take(arrivals, stop)
            if not isinstance(item, _End):
                yield item
                continue
            if item.error is not None:
                raise item.error
            running = 0 if stop is not None and stop.is_set() else running - 1
    finally:
        stopped.set()
        until = time.monotonic() + _PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
