"""How pictures follow a viewer's connection."""

from itertools import pairwise

from maskdet.serve.web.streaming.pacing import LEVELS, Pacing


def test_a_quick_connection_gets_the_best() -> None:
    """Who never waits gets better pictures, up to the best."""
    pacing = Pacing(10)
    assert pacing.level is not LEVELS[0]
    for _ in range(100):
        pacing.sent(0.001)
    assert pacing.level is LEVELS[0]
    assert pacing.interval == 0.1


def test_a_slow_connection_gets_smaller_ones_then_fewer() -> None:
    """Each picture that takes too long makes the next a lesser one, down to the least."""
    pacing = Pacing(10)
    levels = [pacing.level]
    for _ in range(20):
        pacing.sent(10.0)
        levels.append(pacing.level)
    assert levels[-1] is LEVELS[-1]
    assert pacing.interval > 0.3
    sizes = [(level.size, level.quality, level.rate) for level in levels]
    assert sizes == sorted(sizes, reverse=True)


def test_a_connection_in_between_is_not_tried_again_and_again() -> None:
    """What better pictures were too much for is tried ever more seldom."""
    pacing = Pacing(10)
    too_much = pacing.level.quality
    tried = []
    for number in range(3000):
        is_better = pacing.level.quality >= too_much
        pacing.sent(0.09 if is_better else 0.001)
        if is_better:
            tried.append(number)
    waits = [second - first for first, second in pairwise(tried)]
    assert len(tried) < 15
    assert waits[-1] > 4 * waits[0]
