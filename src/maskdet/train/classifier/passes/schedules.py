"""How the learning rate goes in a phase."""

from typing import Any

import keras
import tensorflow as tf


class Warmed(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A rate that rises from zero in a straight line, then follows another schedule.

    Args:
        steps: in which it rises.
        peak: where the other one begins.
        then: takes the number of the step after that.
    """

    def __init__(self, steps: int, peak: float, then: Any) -> None:
        super().__init__()
        self._steps, self._peak, self._then = steps, peak, then

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        rising = self._peak * tf.cast(step, tf.float32) / self._steps
        after = self._then(tf.cast(step, tf.float32) - self._steps)
        return tf.where(step < self._steps, rising, after)


def schedule(name: str, *, rate: float, epochs: int, steps: int, warm: int) -> Any:
    """Returns the learning rate of a phase.

    - ``constant``: as it is;
    - ``inverse-time``: rate / (1 + decay * step) with decay = rate / epochs, as the usual scripts
      ask for (Keras's former ``decay``): after 20 passes of 35 steps at 1e-4 it has fallen by a
      third of a percent;
    - ``cosine``: to zero, along half a cosine.

    Args:
        name: one of `maskdet.train.classifier.options.SCHEDULES`.
        rate: at its peak.
        epochs: passes of the phase.
        steps: all of them.
        warm: of these, the first ones, in which it rises from zero.
    """
    left = max(1, steps - warm)
    schedules = keras.optimizers.schedules
    if name == "cosine":
        return schedules.CosineDecay(
            initial_learning_rate=0.0 if warm else rate,
            decay_steps=left,
            warmup_target=rate if warm else None,
            warmup_steps=warm,
        )
    if name == "inverse-time":
        falling = schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=rate / epochs)
    else:
        falling = schedules.PolynomialDecay(rate, 1, end_learning_rate=rate)
    return Warmed(warm, rate, falling) if warm else falling
