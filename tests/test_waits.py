"""Waits before another attempt."""

from maskdet.waits import JITTER, varied, wait_before


def test_waits_double_up_to_the_longest() -> None:
    """However many attempts a night brings."""
    waits = [wait_before(attempt, 0.5, 30) for attempt in (1, 2, 3, 6, 7, 8, 100_000)]
    assert waits == [0.5, 1, 2, 16, 30, 30, 30]


def test_waits_vary() -> None:
    """Two who were cut off together come back one after the other."""
    waits = {varied(8) for _ in range(100)}
    assert len(waits) > 50
    assert 8 * (1 - JITTER) <= min(waits) < 7.5
    assert 8.5 < max(waits) <= 8 * (1 + JITTER)
