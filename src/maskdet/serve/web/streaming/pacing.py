"""How often, how large and how well pictures are sent to one viewer: as the connection lets them.

What a viewer's connection cannot take is noticed by sending, which then waits. Whoever waits long
gets smaller pictures, then fewer; whoever never waits gets better ones again, up to what was asked
for.
"""

from dataclasses import dataclass

# Sending may take up this share of the time between two pictures; where it takes less than the
# second for so many pictures on end, better ones are tried.
_BUSY, _EASY = 0.6, 0.15
_PATIENCE = 20
# After better ones failed within so many pictures, twice as many pass before the next trial.
_TRIAL = 40
_SHYEST = 16 * _PATIENCE


@dataclass(frozen=True)
class Level:
    """What pictures are sent.

    Attributes:
        size: share of the width asked for.
        quality: of the JPEG, 1 to 100.
        rate: share of the pictures a second asked for.
    """

    size: float
    quality: int
    rate: float


LEVELS = (
    Level(1.0, 80, 1.0),
    Level(1.0, 65, 1.0),
    Level(0.75, 60, 1.0),
    Level(0.75, 50, 0.6),
    Level(0.5, 50, 0.6),
    Level(0.5, 40, 0.3),
    Level(0.35, 35, 0.2),
)
_FIRST = 1


class Pacing:
    """Follows one viewer.

    Args:
        rate: pictures a second asked for.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._number = _FIRST
        self._easy = 0
        self._patience = _PATIENCE
        self._on_trial = 0

    @property
    def level(self) -> Level:
        """What to send next."""
        return LEVELS[self._number]

    @property
    def interval(self) -> float:
        """From the beginning of one picture to that of the next. Seconds."""
        return 1.0 / (self._rate * self.level.rate)

    def sent(self, seconds: float) -> None:
        """Takes note of how long sending a picture took."""
        share = seconds / self.interval
        self._on_trial = max(0, self._on_trial - 1)
        if share > _BUSY:
            self._worse()
        elif share < _EASY:
            self._easy += 1
            if self._easy >= self._patience and self._number > 0:
                self._number -= 1
                self._easy, self._on_trial = 0, _TRIAL
        else:
            self._easy = 0

    def _worse(self) -> None:
        self._easy = 0
        if self._number == len(LEVELS) - 1:
            return
        self._number += 1
        self._patience = min(self._patience * 2, _SHYEST) if self._on_trial else _PATIENCE
        self._on_trial = 0
