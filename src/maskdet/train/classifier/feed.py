"""Hands pictures to the network in batches: read, altered and scaled in parallel by `tf.data`.

Files are read again in every pass: decoding is a twentieth of the work of a training step, and no
more than a few batches are ever in memory. What a pass contains depends on the seed, the number of
the pass and the position of a picture alone, so that a resumed run sees what it would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.class_folders.listing import Picture
from maskdet.detections import FloatArray
from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.train.classifier.augmentation import Augmentation, augmented_view
from maskdet.train.classifier.passes.sharing import filled, targets
from maskdet.vision.preprocessing import UInt8Array

# A second stream of random numbers beside the order's, both grown from one seed.
_ORDER, _VIEWS = 0, 1


@dataclass(frozen=True)
class Feed:
    """N pictures with what training needs to know about them.

    Attributes:
        pictures: N of them.
        labels: (N,) class indices.
        weights: (N,) float32, how much each counts in the loss.
        classes: number of classes.
        margin: the card's margin around face boxes.
        seed: of order and augmentation.
    """

    pictures: Sequence[Picture]
    labels: NDArray[np.intp]
    weights: FloatArray
    classes: int
    margin: float
    seed: int

    def __len__(self) -> int:
        return len(self.pictures)

    def order(self, epoch: int) -> NDArray[np.intp]:
        """Returns the (N,) order of the pictures in a pass."""
        return np.random.default_rng((self.seed, _ORDER, epoch)).permutation(len(self))

    def view(self, index: int, *, size: int, epoch: int, how: Augmentation) -> UInt8Array:
        """Draws the (size, size, 3) uint8 RGB view of a picture that belongs to a pass.

        Args:
            index: of the picture.
            size: side of the view in pixels.
            epoch: number of the pass.
            how: augmentation.

        Raises:
            DatasetError: the file has gone or changed since it was listed.
        """
        picture = self.pictures[index]
        try:
            pixels = read_picture(picture.path)
        except SourceError as error:
            raise DatasetError(f"{error}; it could be read before") from None
        random = np.random.default_rng((self.seed, _VIEWS, epoch, index))
        return augmented_view(
            pixels, picture.box, margin=self.margin, size=size, how=how, random=random
        )

    def plain(self, index: int, *, size: int) -> UInt8Array:
        """Returns the (size, size, 3) uint8 RGB input that the runtime would make."""
        return self.view(index, size=size, epoch=0, how=Augmentation())

    def subset(self, indices: NDArray[np.intp]) -> "Feed":
        """Returns the feed of some of the pictures."""
        return Feed(
            [self.pictures[index] for index in indices],
            self.labels[indices],
            self.weights[indices],
            self.classes,
            self.margin,
            self.seed,
        )


def batches(
    feed: Feed,
    *,
    size: int,
    batch_size: int,
    how: Augmentation | None = None,
    epoch: int = 0,
    shuffle: bool = False,
    devices: int = 1,
) -> Any:
    """Returns a `tf.data.Dataset` of one pass.

    Args:
        feed: the pictures.
        size: side of the input in pixels.
        batch_size: pictures a batch; the last one may be smaller.
        how: augmentation; ``None`` gives the runtime's own input.
        epoch: number of the pass, which decides views and order.
        shuffle: whether to take the pictures in `Feed.order` instead of their own.
        devices: for how many the last batch is filled up; see `maskdet.train.classifier.passes
            .sharing`.

    Returns:
        Batches of (B, size, size, 3) float32 RGB in [-1, 1], (B, C + 1) float32 one-hot labels and
        shares of the loss, (B,) float32 weights.
    """
    cv2.setNumThreads(1)  # the pictures are worked on side by side already
    order = feed.order(epoch) if shuffle else np.arange(len(feed))
    order, shares = filled(order, batch_size, devices=devices)
    wanted = targets(feed.labels[order], shares, feed.classes)

    def draw(index: np.int64) -> UInt8Array:
        return feed.view(int(index), size=size, epoch=epoch, how=how or Augmentation())

    def read(index: Any, target: Any, weight: Any) -> tuple[Any, Any, Any]:
        view = tf.numpy_function(draw, [index], tf.uint8)
        return tf.ensure_shape(view, (size, size, 3)), target, weight

    def scale(views: Any, wanted: Any, weights: Any) -> tuple[Any, Any, Any]:
        return tf.cast(views, tf.float32) / 127.5 - 1.0, wanted, weights

    options = tf.data.Options()
    # Shards by file make no sense for a list of indices, should several machines share it.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return (
        tf.data.Dataset.from_tensor_slices((order, wanted, feed.weights[order]))
        .map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size)
        .map(scale)
        .prefetch(2)
        .with_options(options)
    )
