"""The frozen phase's short cut: backbone features of each view, computed once.

While the backbone is frozen, the same view gives the same features. So a few augmented views of
each picture go through it once, and the passes over the head take the views in turn.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.train.classifier.augmentation import AUGMENTATIONS, Augmentation
from maskdet.train.classifier.feed import Feed, batches
from maskdet.train.classifier.model import Networks
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.passes.sharing import devices, filled, targets
from maskdet.train.classifier.passes.trunk import Trunk, runnable


class Views:
    """Pooled features of augmented training views and of plain validation pictures.

    Args:
        options: of the run.
        networks: with the trunk whose features are taken.
        train: pictures to learn from.
        validation: pictures to validate on.
        show: takes the fraction that is done and a short text.
    """

    def __init__(
        self,
        options: TrainOptions,
        networks: Networks,
        train: Feed,
        validation: Feed,
        show: Callable[[float, str], None],
    ) -> None:
        self._options, self._show = options, show
        self._train, self._validation = train, validation
        self._networks = networks
        # float16 holds features of 0 to 6 to three digits: 10 MB for 4,000 views.
        self._features: dict[int, NDArray[np.float16]] = {}
        self._plain: NDArray[np.float16] | None = None

    @functools.cached_property
    def _trunk(self) -> Trunk:
        # When it is first wanted: it takes seconds, and a run that goes on may need none.
        return runnable(self._networks.trunk, self._options.input_size)

    def epoch_data(self, epoch: int) -> dict[str, Any]:
        """Returns the arguments of `fit` for a pass over the head."""
        view = epoch % self._options.views
        if view not in self._features:
            how = AUGMENTATIONS[self._options.augmentation]
            title = f"features of view {view + 1}/{self._options.views}"
            self._features[view] = self._compute(self._train, view, how, title)
        if self._plain is None:
            title = "features for validation"
            self._plain = self._compute(self._validation, 0, Augmentation(), title)
        train, validation, batch_size = self._train, self._validation, self._options.batch_size
        order, shares = filled(train.order(epoch), batch_size, devices=devices())
        plain, of_plain = filled(np.arange(len(validation)), batch_size, devices=devices())
        return {
            "x": self._features[view][order],
            "y": targets(train.labels[order], shares, train.classes),
            "sample_weight": train.weights[order],
            "batch_size": batch_size,
            "validation_data": (
                self._plain[plain],
                targets(validation.labels[plain], of_plain, validation.classes),
                validation.weights[plain],
            ),
        }

    def _compute(
        self, feed: Feed, epoch: int, how: Augmentation, title: str
    ) -> NDArray[np.float16]:
        size, batch_size = self._options.input_size, self._options.batch_size
        self._show(0.0, title)
        rows = []
        for pixels, _, _ in batches(feed, size=size, batch_size=batch_size, how=how, epoch=epoch):
            rows.append(self._trunk(pixels).astype(np.float16))
            self._show(len(rows) * batch_size / len(feed), title)
        return np.concatenate(rows)
