"""Whether answers depend on the picture: a network that learned nothing gives all the same one."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

# Standard deviation of a probability over pictures below which answers are as good as the same.
SAME_SPREAD = 0.003
SPREAD = "val_spread"  # the figure's name in the history


class Spread(keras.metrics.Metric):  # type: ignore[misc]
    """The largest standard deviation of a class's probability over the pictures of a pass.

    From sums, which add up over devices as a lowest and a highest value would not.

    Args:
        classes: number of classes.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(name="spread")
        self._middle = 1 / classes  # sums of what is left keep small differences
        self._count = self.add_variable((), "zeros", name="count")
        self._sum = self.add_variable((classes,), "zeros", name="sum")
        self._squares = self.add_variable((classes,), "zeros", name="squares")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch of targets, see `maskdet.train.classifier.passes.sharing`, and answers."""
        del sample_weight
        counted = tf.cast(y_true[:, -1:] > 0, tf.float32)
        off = (tf.cast(y_pred, tf.float32) - self._middle) * counted
        self._count.assign_add(tf.reduce_sum(counted))
        self._sum.assign_add(tf.reduce_sum(off, axis=0))
        self._squares.assign_add(tf.reduce_sum(off**2, axis=0))

    def result(self) -> Any:
        """Returns it, zero before the first picture."""
        mean = tf.math.divide_no_nan(self._sum.value, self._count.value)
        squares = tf.math.divide_no_nan(self._squares.value, self._count.value)
        return tf.sqrt(tf.reduce_max(tf.nn.relu(squares - mean**2)))


def same_answers(history: Sequence[Mapping[str, Any]]) -> str:
    """Returns a warning where two passes in a row have begun to answer alike; else nothing.

    Args:
        history: one row a pass.
    """
    # Earlier versions' rows lack the figure.
    alike = [row.get(SPREAD, 1.0) < SAME_SPREAD for row in history]
    if alike[-2:] != [True, True] or alike[-3:-2] == [True]:
        return ""
    return (
        "the answers hardly depend on the picture (probabilities differ by "
        f"{history[-1][SPREAD]:.4f} over the validation pictures, two passes in a row): if that "
        "goes on, try another --learning-rate, pre-trained --weights, or more pictures"
    )
