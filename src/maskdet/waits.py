"""How long to wait before something that failed is tried again."""

import random

# Waits vary by this share, so that many do not knock at a recovering server at once.
JITTER = 0.25
# Doubled so often any first wait is the longest; 2 to the power of a night's attempts is no float.
_MOST_DOUBLINGS = 16


def wait_before(attempt: int, first: float, longest: float) -> float:
    """Returns the wait before another attempt, doubled each time.

    Args:
        attempt: counts from 1.
        first: seconds before the first.
        longest: seconds that no wait exceeds.
    """
    return min(first * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS), longest)


def varied(wait: float) -> float:
    """Returns a wait that is a little longer or shorter."""
    return wait * (1 + random.uniform(-JITTER, JITTER))
