"""What batch norms know of the pictures, found out again before each validation.

At inference they go by running statistics, which follow weights that change with every step, and in
a deep network those of each layer follow the statistics before it. After the few dozen steps of a
small set a network from scratch that has learned every picture still gives all the same answer.
Statistics of the weights as they are (Wu and Johnson 2021, "Rethinking Batch in BatchNorm") say
what it has learned.
"""

from typing import Any

import keras

# More pictures hardly change a mean over so many; and this is a tenth of a pass over a thousand.
_BATCHES = 8


class FreshNorms(keras.callbacks.Callback):  # type: ignore[misc]
    """Estimates the statistics of batch norms again when a validation begins.

    Args:
        network: pictures to anything, through the batch norms.
        data: a `tf.data.Dataset` of the pass, as `maskdet.train.classifier.feed.batches` gives it.
    """

    def __init__(self, network: Any, data: Any) -> None:
        super().__init__()
        self._network, self._data = network, data
        self._norms = [
            layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)
        ]

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Estimates them over the first batches of the pass."""
        del logs
        if not self._norms:
            return
        usual = [norm.momentum for norm in self._norms]
        seen = 0
        for pixels, _, _ in self._data.take(_BATCHES):
            count = int(pixels.shape[0])
            for norm in self._norms:
                norm.momentum = seen / (seen + count)  # the mean over all pictures so far
            self._network(pixels, training=True)
            seen += count
        for norm, momentum in zip(self._norms, usual, strict=True):
            norm.momentum = momentum
