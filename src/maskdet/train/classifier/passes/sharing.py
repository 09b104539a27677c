"""Batches that several devices share: a picture counts the same whichever of them gets it.

Keras averages over the pictures of each device, then over devices. Where a batch does not divide,
a picture would count for more on the device that has fewer, and a device without any ends the run:
not every operation takes an empty batch. So each picture carries its share of the loss in a column
beside its label, and the last batch of a pass is filled up with pictures of it whose share is zero.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.detections import FloatArray


def devices() -> int:
    """Returns how many devices share a batch."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def filled(
    order: NDArray[np.intp], batch_size: int, *, devices: int
) -> tuple[NDArray[np.intp], FloatArray]:
    """Fills up the last batch of a pass where several devices share it.

    Args:
        order: (N,) pictures of a pass, at least one.
        batch_size: pictures a batch.
        devices: how many share a batch; with one, the last batch stays as small as it is.

    Returns:
        (M,) pictures and their (M,) shares of the loss of their batch, zero for those that fill.
    """
    shares = np.full(len(order), 1 / batch_size, np.float32)
    last = len(order) % batch_size
    if not last:
        return order, shares
    shares[-last:] = 1 / last
    if devices == 1:
        return order, shares
    # The batch's own, in turn: its batch norms see nothing else.
    filling = np.resize(order[-last:], batch_size - last)
    return np.concatenate([order, filling]), np.pad(shares, (0, len(filling)))


def targets(labels: NDArray[np.intp], shares: FloatArray, classes: int) -> FloatArray:
    """Returns (N, C + 1) one-hot labels and, in the last column, shares."""
    one_hot = keras.utils.to_categorical(labels, classes)
    return np.concatenate([one_hot, shares[:, np.newaxis]], axis=1, dtype=np.float32)


class SharedLoss(keras.losses.Loss):  # type: ignore[misc]
    """Crossentropy of a batch, each picture by its share.

    Args:
        smoothing: share of a label that is spread over all classes.
    """

    def __init__(self, smoothing: float) -> None:
        super().__init__(name="shared_loss", reduction="sum")
        self._smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns (B,) losses of (B, C + 1) `targets` and (B, C) probabilities."""
        return y_true[:, -1] * _crossentropy(y_true, y_pred, self._smoothing)


class MeanLoss(keras.metrics.Mean):  # type: ignore[misc]
    """The weighted crossentropy over a pass, by pictures; those that fill a batch are left out.

    Args:
        smoothing: as that of the loss.
    """

    def __init__(self, smoothing: float) -> None:
        super().__init__(name="mean_loss")
        self._smoothing = smoothing

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        losses = _crossentropy(y_true, y_pred, self._smoothing)
        if sample_weight is not None:
            losses *= tf.reshape(tf.cast(sample_weight, losses.dtype), (-1,))
        super().update_state(losses, _counted(y_true))


class Accuracy(keras.metrics.Mean):  # type: ignore[misc]
    """The share of pictures that are labelled right; those that fill a batch are left out."""

    def __init__(self) -> None:
        super().__init__(name="accuracy")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; weights are of the loss alone."""
        del sample_weight
        right = tf.argmax(y_true[:, :-1], axis=1) == tf.argmax(y_pred, axis=1)
        super().update_state(tf.cast(right, tf.float32), _counted(y_true))


def _crossentropy(y_true: Any, y_pred: Any, smoothing: float) -> Any:
    return keras.losses.categorical_crossentropy(y_true[:, :-1], y_pred, label_smoothing=smoothing)


def _counted(y_true: Any) -> Any:
    return tf.cast(y_true[:, -1] > 0, tf.float32)
