"""Steps in threads: order, bounds, errors and stopping."""

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from maskdet import signals
from maskdet.media import stages
from maskdet.media.stages import in_thread, merged, waited_for
from maskdet.signals import stopping_on_signals


def test_keeps_order_through_several_steps() -> None:
    """Results come in the order of the items, each through every step."""
    doubled = in_thread(lambda number: number * 2, range(50))
    assert list(in_thread(lambda number: number + 1, doubled)) == [2 * n + 1 for n in range(50)]


def test_runs_only_a_little_ahead() -> None:
    """A slow consumer bounds how many items are worked on."""
    begun: list[int] = []
    results = in_thread(lambda number: begun.append(number), range(100), ahead=2)
    next(results)
    time.sleep(0.2)
    # One was taken, two wait, one is held by the worker that cannot put it yet.
    assert len(begun) <= 4
    results.close()


@pytest.mark.parametrize("failing_side", ["step", "items"])
def test_raises_what_the_worker_raises(failing_side: str) -> None:
    """An error in a step or in the items reaches the consumer after the results before it."""

    def items() -> Iterator[int]:
        yield 1
        if failing_side == "items":
            raise ValueError("broken")
        yield 2

    def step(number: int) -> int:
        if number == 2:
            raise ValueError("broken")
        return number

    results = in_thread(step, items())
    assert next(results) == 1
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_closing_stops_the_threads_and_closes_the_items() -> None:
    """A consumer that leaves early leaves no thread and no open source behind."""
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    before = threading.active_count()
    results = in_thread(abs, in_thread(abs, endless()))
    assert next(results) == 0
    results.close()
    assert closed.wait(2)
    assert threading.active_count() == before


def test_several_workers_keep_the_order() -> None:
    """Items that take longer than those after them still come first, and work overlaps."""
    met = threading.Barrier(2, timeout=5)

    def step(number: int) -> int:
        # Passes only if two items are worked on at a time.
        met.wait()
        time.sleep(0.02 if number % 2 == 0 else 0)
        return number

    assert list(in_thread(step, range(20), workers=2)) == list(range(20))


def test_a_result_does_not_wait_for_the_next_item() -> None:
    """A camera's frame is told of when it is done, not when the next one comes."""
    told = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        # The next comes only once somebody has heard of the first.
        yield 2 if told.wait(5) else 0

    results = in_thread(abs, items(), workers=2, ahead=1)
    assert next(results) == 1
    told.set()
    assert list(results) == [2]


def test_what_was_begun_is_finished_at_the_end() -> None:
    """Items that wait for a worker when the last one was taken are not dropped."""
    results = in_thread(lambda n: time.sleep(0.01) or n, range(9), workers=2, waiting=6)
    assert list(results) == list(range(9))


def test_one_that_takes_long_keeps_no_worker_idle() -> None:
    """Those that wait behind it are worked on meanwhile, no more of them than may wait."""
    begun: list[int] = []
    others, first = threading.Semaphore(0), threading.Event()

    def step(number: int) -> int:
        begun.append(number)
        if number == 0:
            first.wait(5)
        else:
            others.release()
        return number

    results: list[int] = []
    work = in_thread(step, range(20), workers=2, waiting=3)
    consumer = threading.Thread(target=lambda: results.extend(work), daemon=True)
    consumer.start()
    assert all(others.acquire(timeout=5) for _ in range(4))
    assert not others.acquire(timeout=0.2)
    assert sorted(begun) == [0, 1, 2, 3, 4]
    first.set()
    consumer.join(5)
    assert results == list(range(20))


def test_several_workers_pass_on_errors() -> None:
    """An error comes after the results before it."""

    def step(number: int) -> int:
        if number == 3:
            raise ValueError("broken")
        return number

    results = in_thread(step, range(10), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_merged_gives_every_item_in_its_own_order() -> None:
    """Nothing is lost and each feed's order is kept."""
    pairs = list(merged([[("a", n) for n in range(20)], [("b", n) for n in range(5)]]))
    assert [n for name, n in pairs if name == "a"] == list(range(20))
    assert [n for name, n in pairs if name == "b"] == list(range(5))


def test_merged_passes_on_errors_and_stops() -> None:
    """One broken feed ends the whole, and no thread stays."""

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        list(merged([broken(), iter(range(10**9))]))
    assert threading.active_count() == before


class Unruly:
    """Items that cannot be begun, or cannot be ended."""

    def __init__(self, failing: str) -> None:
        self.failing = failing

    def __iter__(self) -> "Unruly":
        if self.failing == "iter":
            raise ValueError("broken")
        return self

    def __next__(self) -> int:
        raise StopIteration

    def close(self) -> None:
        """Fails as a device does that was pulled out."""
        raise ValueError("broken")


@pytest.mark.parametrize("failing", ["iter", "close"])
def test_the_consumer_never_waits_for_ever(failing: str) -> None:
    """Items that fail as they are begun or closed end the steps with their error."""
    errors: list[str] = []

    def consume() -> None:
        for results in (
            in_thread(lambda number: number, Unruly(failing)),
            merged([Unruly(failing), []]),
        ):
            try:
                list(results)
            except ValueError as error:
                errors.append(str(error))

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    consumer.join(timeout=5)
    assert errors == ["broken", "broken"]


def test_merged_closes_what_it_reads() -> None:
    """A feed that is left in the middle lets go of its device."""
    closed: list[int] = []

    def feed(number: int) -> Iterator[int]:
        try:
            while True:
                yield number
        finally:
            closed.append(number)

    # Kept, so that it is not the garbage collector that closes them.
    feeds = [feed(0), feed(1)]
    results = merged(feeds)
    next(results)
    results.close()
    assert sorted(closed) == [0, 1]


def test_ignored_signals_stay_ignored() -> None:
    """A run under nohup, or in the background of a script, is not ended by what those ignore."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        stop = threading.Event()
        with stopping_on_signals(stop):
            signal.raise_signal(signal.SIGINT)
            assert not stop.is_set()
            signal.raise_signal(signal.SIGTERM)
            assert stop.is_set()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("feeds", [1, 2])
def test_stopping_ends_the_wait_for_items_that_never_come(
    monkeypatch: pytest.MonkeyPatch, feeds: int
) -> None:
    """A disk of the network that is gone keeps its reader, but not the run."""
    monkeypatch.setattr(stages, "_PATIENCE", 0.2)
    answer, stop = threading.Event(), threading.Event()

    def stuck() -> Iterator[int]:
        yield 1
        answer.wait(30)
        yield 2

    items = merged([stuck() for _ in range(feeds)], stop)
    results = in_thread(abs, in_thread(abs, items, stop=stop), stop=stop)
    assert next(results) == 1
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    assert set(results) <= {1}
    assert time.monotonic() - start < 3
    answer.set()


def test_waiting_for_what_the_system_does_not_answer() -> None:
    """A signal ends the wait; what is answered or raised comes through."""
    assert waited_for(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        waited_for(lambda: 1 // 0)
    answer = threading.Event()
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        waited_for(lambda: answer.wait(30))
    answer.set()


def test_a_signal_twice_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that pass a signal on do not make it impatient; a later one has its usual effect."""
    stop = threading.Event()
    with stopping_on_signals(stop):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        monkeypatch.setattr(signals, "DOUBLED", 0.0)
        time.sleep(0.01)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
