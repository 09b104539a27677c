"""When the frames of a video that is being written are shown."""

from fractions import Fraction

# For so long a picture stands still where the next is late: after an outage of a night nobody wants
# to wait till morning. Seconds.
LONGEST_GAP = 60.0


class FrameClock:
    """Gives each frame its moment: cameras and phones do not keep the frame rate they report.

    Args:
        rate: frames a second.
        ticks: moments in a frame's time at which the next may be shown.

    Attributes:
        has_jumped: whether a gap was cut short, or a clock that was set back overruled.
    """

    def __init__(self, rate: Fraction, ticks: int) -> None:
        self.tick = 1 / (rate * ticks)  # seconds
        self.ticks = ticks
        self._position: int | None = None
        self._time = 0.0
        # By how much the times of the frames are ahead of the video's. Seconds.
        self._ahead = 0.0
        self.has_jumped = False

    @property
    def end(self) -> float:
        """When the last frame has been shown for its time, in seconds from the video's begin."""
        return 0.0 if self._position is None else float((self._position + self.ticks) * self.tick)

    def position(self, time: float | None) -> int:
        """Returns where a frame stands, in ticks from the video's begin; behind all before it.

        Args:
            time: seconds of its source, counted from anywhere; ``None`` for one frame's time after
                the frame before.
        """
        usual = float(self.tick) * self.ticks
        if self._position is None:
            self._time = self._ahead = time or 0.0
            self._position = 0
            return 0
        if time is None:
            time = self._time + usual
        step = time - self._time
        # A clock that was set back goes on from where it was.
        taken = min(step if step > 0 else usual, LONGEST_GAP)
        self.has_jumped |= taken != step
        self._ahead += step - taken
        self._time = time
        wanted = round((time - self._ahead) / float(self.tick))
        self._position = max(wanted, self._position + 1)
        return self._position
