"""Hands boxed pictures to the network in batches: views and what each prior box is to learn.

What a pass contains depends on the seed, the number of the pass and the position of a picture
alone, so that a resumed run sees what it would have seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.annotations import BoxedPhotograph
from maskdet.boxes import clip_boxes, intersection_over_union
from maskdet.detections import FloatArray
from maskdet.train.faces.augmentation import NO_BOXES, Boxed, FaceAugmentation, draw_view
from maskdet.train.faces.decoded import DecodedPictures
from maskdet.train.faces.loss import BACKGROUND, FACE, IGNORED
from maskdet.vision.faces import prior_boxes
from maskdet.vision.preprocessing import UInt8Array

# A face this much lower than a prior box of its own is noise: neither taught nor held against the
# network. In pixels of the input.
SMALLEST_FACE = 6.0
MATCH_OVERLAP = 0.4  # small faces seldom overlap a prior by the paper's 0.5
_NOISE_OVERLAP = 0.05  # of a prior with a face too low to learn, from which on it is ignored
_IGNORED_OVERLAP = 0.2  # with a box that is to be ignored

# Streams of random numbers grown from one seed.
_ORDER, _VIEWS, _SIZES = 0, 1, 2


@dataclass(frozen=True)
class FaceFeed:
    """Boxed pictures of one or more sets.

    Attributes:
        photographs: N of them.
        sets: (N,) the number of the set each is of.
        per_set: most pictures of a set in a pass; others follow in the next passes.
        seed: of order and views.
        ignored_labels: classes that are no faces to learn, but nothing to unlearn either.
    """

    photographs: Sequence[BoxedPhotograph]
    sets: NDArray[np.intp]
    per_set: int | None
    seed: int
    ignored_labels: frozenset[str] = frozenset()
    _decoded: DecodedPictures = field(default_factory=DecodedPictures, repr=False)

    def __len__(self) -> int:
        return len(self.photographs)

    def order(self, epoch: int) -> NDArray[np.intp]:
        """Returns the indices of a pass's pictures in their order; fewer than N with `per_set`."""
        random = np.random.default_rng((self.seed, _ORDER, epoch))
        chosen = []
        for number in np.unique(self.sets):
            members = np.flatnonzero(self.sets == number)
            count = len(members) if self.per_set is None else min(self.per_set, len(members))
            # In turn through one shuffle of the set, so that all get the same number of views.
            shuffled = np.random.default_rng((self.seed, _ORDER)).permutation(members)
            chosen.append(np.roll(shuffled, -count * epoch)[:count])
        return random.permutation(np.concatenate(chosen))

    def read(self, index: int) -> Boxed:
        """Returns a picture and its boxes, clipped to it and none of them empty.

        Raises:
            DatasetError: the file has gone or is no longer a picture.
        """
        photograph = self.photographs[index]
        picture = self._decoded.read(photograph.path)
        height, width = picture.shape[:2]
        boxes = clip_boxes(photograph.xyxy(width, height), width, height)
        left = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        ignored = np.array([label in self.ignored_labels for label in photograph.labels], bool)
        return Boxed(picture, boxes[left & ~ignored], boxes[left & ignored])

    def view(self, index: int, *, size: int, epoch: int, how: FaceAugmentation) -> Boxed:
        """Draws the view of a picture that belongs to a pass.

        Args:
            index: of the picture.
            size: side of the view in pixels.
            epoch: number of the pass.
            how: augmentation.

        Returns:
            The view, (size, size, 3), and the boxes in it, xyxy in its pixels.

        Raises:
            DatasetError: a file has gone or is no longer a picture.
        """
        random = np.random.default_rng((self.seed, _VIEWS, epoch, index))
        first = True

        def pick() -> Boxed:
            nonlocal first
            chosen = index if first else int(random.integers(len(self)))
            first = False
            return self.read(chosen)

        return draw_view(pick, size, how, random)


def prior_targets(
    boxes: FloatArray,
    priors: FloatArray,
    variances: tuple[float, float, float, float],
    ignored: FloatArray = NO_BOXES,
) -> tuple[NDArray[np.int32], FloatArray]:
    """Says what each prior box is to learn from a view.

    Args:
        boxes: (N, 4) xyxy of its faces in pixels of the input.
        priors: (P, 4) cxcywh.
        variances: see `maskdet.vision.faces.prior_boxes.PriorBoxSpec`.
        ignored: (M, 4) xyxy of what is neither a face to learn nor background.

    Returns:
        (P,) int32 out of `FACE`, `BACKGROUND`, `IGNORED`, and (P, 4) float32 encoded offsets, 0
        where there is no face.
    """
    tall = (boxes[:, 3] - boxes[:, 1] >= SMALLEST_FACE) & (boxes[:, 2] - boxes[:, 0] >= 2)
    matches = prior_boxes.match(priors, boxes[tall], MATCH_OVERLAP)
    kinds = np.full(len(priors), BACKGROUND, np.int32)
    corners = prior_boxes.to_xyxy(priors)
    for some, most in ((boxes[~tall], _NOISE_OVERLAP), (ignored, _IGNORED_OVERLAP)):
        if len(some):
            overlaps = intersection_over_union(some, corners)
            kinds[overlaps.max(axis=0) > most] = IGNORED
    faces = matches != prior_boxes.BACKGROUND
    kinds[faces] = FACE
    targets = np.zeros((len(priors), 4), np.float32)
    targets[faces] = prior_boxes.encode(boxes[tall][matches[faces]], priors[faces], variances)
    return kinds, targets


def batches(
    feed: FaceFeed,
    priors: Mapping[int, FloatArray],
    variances: tuple[float, float, float, float],
    *,
    batch_size: int,
    epoch: int,
    how: FaceAugmentation,
) -> Any:
    """Returns a `tf.data.Dataset` of one pass.

    Args:
        feed: the pictures.
        priors: input side to its (P, 4) prior boxes; each batch takes one of the sides.
        variances: see `maskdet.vision.faces.prior_boxes.PriorBoxSpec`.
        batch_size: pictures a batch at the smallest side; fewer at larger ones, so that a step
            takes about as long.
        epoch: number of the pass, which decides views, order and sides.
        how: augmentation.

    Returns:
        Batches of (B, S, S, 3) uint8 BGR, (B, P) int32 kinds, (B, P, 4) float32 offsets.
    """
    cv2.setNumThreads(1)  # the views are drawn side by side already
    plan = _plan(feed, sorted(priors), batch_size, epoch)

    def draw(number: np.int64) -> tuple[UInt8Array, NDArray[np.int32], FloatArray]:
        size, indices = plan[int(number)]
        views, kinds, targets = [], [], []
        for index in indices:
            view = feed.view(int(index), size=size, epoch=epoch, how=how)
            kind, target = prior_targets(view.faces, priors[size], variances, view.ignored)
            views.append(view.picture)
            kinds.append(kind)
            targets.append(target)
        return np.stack(views), np.stack(kinds), np.stack(targets)

    types = (tf.uint8, tf.int32, tf.float32)
    return (
        tf.data.Dataset.range(len(plan))
        .map(
            lambda number: tf.numpy_function(draw, [number], types),
            num_parallel_calls=2,
            deterministic=True,
        )
        .prefetch(2)
    )


def _plan(
    feed: FaceFeed, sizes: Sequence[int], batch_size: int, epoch: int
) -> list[tuple[int, NDArray[np.intp]]]:
    """Divides a pass into full batches, each with its input side.

    What is left over waits for another pass: a batch of another shape would be compiled anew.
    """
    order = feed.order(epoch)
    random = np.random.default_rng((feed.seed, _SIZES, epoch))
    plan: list[tuple[int, NDArray[np.intp]]] = []
    start = 0
    while True:
        size = int(random.choice(sizes))
        count = max(1, round(batch_size * (sizes[0] / size) ** 2))
        if start + count > len(order):
            break
        plan.append((size, order[start : start + count]))
        start += count
    return plan or [(sizes[0], order)]


def steps(feed: FaceFeed, sizes: Sequence[int], batch_size: int, epoch: int) -> int:
    """Returns how many batches of `batches` a pass has, given the same input sides."""
    return len(_plan(feed, sorted(sizes), batch_size, epoch))
