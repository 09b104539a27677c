"""Who watches a pass: how long it takes, and whether to go on after each batch."""

import math
import time
from collections.abc import Callable

import keras

from maskdet.train.journal import Diverged

# Between two drawings of the plot, which take half a second; passes on cached features take less.
PLOT_SECONDS = 5.0


class Clock:
    """Tells from the last pass of a phase how long the others will take."""

    def __init__(self) -> None:
        self._began = 0.0
        self._seconds: float | None = None
        self._plotted = time.monotonic()

    def start(self) -> None:
        """A pass begins."""
        self._began = time.monotonic()

    def end(self) -> None:
        """It is done."""
        self._seconds = time.monotonic() - self._began

    def reset(self) -> None:
        """Another phase begins, whose passes take another time."""
        self._seconds = None

    def plot_is_due(self) -> bool:
        """Tells whether the last plot is older than `PLOT_SECONDS`; then the next one is drawn."""
        now = time.monotonic()
        if now - self._plotted < PLOT_SECONDS:
            return False
        self._plotted = now
        return True

    def left(self, passes: int) -> float | None:
        """Returns the seconds that so many passes will take, ``None`` before the first is done."""
        return None if self._seconds is None else passes * self._seconds


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Looks after each batch: at the loss, then at progress and at a wish to stop.

    Args:
        tick: takes the share of the pass that is done and a short text; may end the pass.
        title: of the pass.
    """

    def __init__(self, tick: Callable[[float, str], None], title: str) -> None:
        super().__init__()
        self._tick, self._title = tick, title

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Shows progress, or ends the pass."""
        loss = (logs or {}).get("mean_loss", 0.0)
        if not math.isfinite(loss):
            raise Diverged
        steps = self.params.get("steps") or 0
        self._tick((batch + 1) / steps if steps else 0.0, f"{self._title} loss {loss:.4f}")
