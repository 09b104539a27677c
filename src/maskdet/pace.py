"""How frames follow one another: steadily or not, after a gap, and no more of them than asked."""

from collections import deque

# What a source is taken to run at until it has shown how fast it is. Seconds between frames.
FIRST_INTERVAL = 1 / 25
# Frames further apart than this, and than so many usual intervals, have a gap between them: whoever
# is there after it may be somebody else. Shorter ones are a radio link's stutter. Seconds; number.
LONGEST_STUTTER, STUTTER_INTERVALS = 2.0, 3
# By the median of so many steps one knows how fast a source is. A gap is one step among them.
_STEPS = 31


class Pace:
    """The time of one source: never back, with the usual interval and the gaps told apart.

    Attributes:
        now: seconds since the first frame, by a clock that goes on from where it was when the
            source's own is set back.
        step: seconds from the frame before to the newest one; 0 for the first.
        usual: seconds that usually lie between two frames.
        has_gap: whether there was a gap before the newest frame.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0
        self.usual = FIRST_INTERVAL
        self.has_gap = False
        self._time: float | None = None
        self._steps: deque[float] = deque(maxlen=_STEPS)

    def advance(self, time: float | None) -> float:
        """Takes the next frame.

        Args:
            time: seconds of the source, counted from anywhere; ``None`` for one usual interval
                after the frame before.

        Returns:
            The time now.
        """
        if self._time is None:
            self._time = time or 0.0
            return self.now
        if time is None:
            time = self._time + self.usual
        step = time - self._time
        # A clock that was set back, or stands still.
        self.step = step if step > 0 else self.usual
        self.has_gap = self.step > max(LONGEST_STUTTER, STUTTER_INTERVALS * self.usual)
        self._time = time
        self.now += self.step
        self._steps.append(self.step)
        steps = sorted(self._steps)
        middle = len(steps) // 2
        # The median; the standard library's takes as long to load as a card to read.
        self.usual = (steps[middle] + steps[~middle]) / 2
        return self.now


class Rate:
    """Chooses so many frames a second among those that come.

    Args:
        rate: frames a second; ``None`` for all.
        early: frames may come before their time by this share of the time between two.
    """

    def __init__(self, rate: float | None, early: float) -> None:
        self._rate = rate
        self._early = early
        self._due = float("-inf")

    def takes(self, now: float) -> bool:
        """Tells whether a frame is taken that comes now, in seconds that never go back."""
        if self._rate is None:
            return True
        between = 1 / self._rate
        if now < self._due - self._early * between:
            return False
        # By the rate asked for, not by when it came: a late frame is followed by an early one.
        is_late = now - self._due >= between
        self._due = (now if is_late else self._due) + between
        return True
