"""Makes the channels of a network's maps reach as far as one another, before 8 bits are made of it.

Eight bits give all channels of a map steps of one size, those of its widest channel, and what a
narrow one says is lost between two steps. But a channel may be made wider by any factor where it is
computed, and as much narrower by the weights that read it: the network computes what it did, since
a ReLU, the largest of some values and a sum let factors through. In TFLite weights have steps of
their own for each channel that they compute, so that those which make a channel wider lose nothing,
nor do depthwise ones that read it; those that mix channels lose a little, and less than is gained.
Where there is no ReLU a channel may be turned round, too: if all reach further upwards than
downwards, steps are finer.

Reference: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction"
(ICCV 2019), section 4.1, here by what the channels hold on pictures instead of by their weights.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.train.faces.networks.layers import Doubling

# No channel is made wider by more: one that said next to nothing here may say more elsewhere, and
# must not be cut off then. One that said nothing at all stays as it is.
_MOST = 100.0
_TINY = float(np.finfo(np.float32).tiny)
_PASSING = (
    keras.layers.MaxPooling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Add,
    Doubling,
)


def equalise(model: keras.Model, pictures: Iterable[NDArray[np.uint8]]) -> None:
    """Changes a network's weights, and nothing of what it computes.

    Args:
        model: a Keras graph of convolutions that take and give each map once; changed in place.
        pictures: (H, W, 3) of the size that it takes, that show what it will see.
    """
    maps = _Maps(model)
    lowest, highest = _extremes(model, maps, pictures)
    factors = {}
    for root, members in maps.free.items():
        reaches = [np.maximum(-lowest[one], highest[one]) for one in members]
        shares = [reach / max(float(reach.max()), _TINY) for reach in reaches]
        share = np.max(shares, axis=0)
        factors[root] = np.where(share > 0, 1 / np.maximum(share, 1 / _MOST), 1)
        if root in maps.linear:
            factors[root] *= np.where(-lowest[root] > highest[root], -1, 1)
    for layer in maps.convolutions:
        # One map in, one out; either may be free, or both.
        weights = layer.get_weights()
        # Channels out are a kernel's last axis, channels in the one before, which a depthwise
        # kernel has alone.
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        given = factors.get(maps.root(layer.output))
        if given is not None:
            weights[0] = weights[0] * (given[:, np.newaxis] if depthwise else given)
            weights[1:] = [bias * given for bias in weights[1:]]
        taken = factors.get(maps.root(layer.input))
        if taken is not None:
            weights[0] = weights[0] / taken[:, np.newaxis]
        layer.set_weights(weights)


class _Maps:
    """A network's maps, those together whose channels have to grow alike.

    Attributes:
        convolutions: the layers that can make a channel wider, and read a wider one.
        free: the maps, by number, that are together under their root's number, if nothing but
            those layers reads or makes them.
        linear: numbers of those of them that are alone and come from a convolution without ReLU.
    """

    def __init__(self, model: keras.Model) -> None:
        self.convolutions: list[Any] = []
        self._parents: dict[int, int] = {}
        bound = [*model.inputs, *model.outputs]
        for layer in model.layers:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            if _is_plain(layer):
                self.convolutions.append(layer)
            elif _passes(layer):
                for one in inputs:
                    self._parents[self.root(one)] = self.root(layer.output)
            else:
                bound += [*inputs, layer.output]
        roots = {self.root(one) for one in bound}
        self.free: dict[int, list[int]] = defaultdict(list)
        for layer in model.layers:
            root = self.root(layer.output)
            if root not in roots:
                self.free[root].append(id(layer.output))
        self.linear = {
            id(layer.output)
            for layer in self.convolutions
            if layer.activation is keras.activations.linear
            and self.free.get(id(layer.output)) == [id(layer.output)]
        }

    def root(self, tensor: Any) -> int:
        """Returns the number under which a map is together with others."""
        number = id(tensor)
        while number in self._parents and self._parents[number] != number:
            number = self._parents[number]
        return number


def _passes(layer: Any) -> bool:
    """Tells whether what a layer gives of a channel grows as the channel does."""
    if isinstance(layer, keras.layers.ReLU):
        return layer.max_value is None and layer.threshold == 0
    return isinstance(layer, _PASSING)


def _is_plain(layer: Any) -> bool:
    """Tells whether a layer is a convolution that lets factors through, but for its weights."""
    if type(layer) not in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D):
        return False
    alone = layer.groups == 1 if type(layer) is keras.layers.Conv2D else layer.depth_multiplier == 1
    return alone and layer.activation in (keras.activations.linear, keras.activations.relu)


def _extremes(
    model: keras.Model, maps: _Maps, pictures: Iterable[NDArray[np.uint8]]
) -> tuple[dict[int, FloatArray], dict[int, FloatArray]]:
    """Returns how far down and up each channel of each free map reaches, (C,) for each."""
    free = {number for members in maps.free.values() for number in members}
    outputs = [layer.output for layer in model.layers if id(layer.output) in free]
    numbers = [id(one) for one in outputs]
    lowest, highest = (
        {id(one): np.zeros(one.shape[-1], np.float32) for one in outputs} for _ in range(2)
    )
    if not outputs:
        return lowest, highest
    look = keras.Model(model.input, {str(id(one)): one for one in outputs})
    for picture in pictures:
        seen = look(picture[np.newaxis].astype(np.float32), training=False)
        for number in numbers:
            values = seen[str(number)].numpy()
            np.minimum(lowest[number], values.min(axis=(0, 1, 2)), out=lowest[number])
            np.maximum(highest[number], values.max(axis=(0, 1, 2)), out=highest[number])
    return lowest, highest
