"""The face detector's networks: what training, export and cards have to know of each."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import keras

from maskdet.train.faces.networks import light, res10
from maskdet.train.faces.networks.layers import BLOCK
from maskdet.vision.faces.prior_boxes import PriorBoxSpec

# Edges and blobs are the same on any face, and the first layers have the largest maps: learning
# them would cost more than any others.
_RES10_FROZEN = ("data_bn", "conv1_h", "layer_64")
_LIGHT_FROZEN = ("stride2", "stride4_a", "stride4_b")


@dataclass(frozen=True)
class SsdNetwork:
    """One of the networks.

    Attributes:
        title: for a card.
        build: makes it with fresh weights, its input's sides open or given.
        build_quantised: likewise, in the form that 8 bits compute fastest.
        spec: layout of its prior boxes.
        multiple_of: what its input's sides have to be multiples of.
        sizes: input sides `maskdet.vision.faces.size_choice` chooses from. The area doubles from
            one to the next, up to the last: beyond it more is lost of large faces than is found of
            small ones.
        frozen: beginnings of the names of layers that keep their weights in training.
        quantised: whether it runs in 8 bits by default, if they cost little. Large convolutions
            gain from them; small ones lose time where the processor has no step for them.
        equalised: whether 8 bits are made of it with channels that reach equally far; see
            `maskdet.train.faces.networks.equalising`. With large convolutions it was not tried.
        model_name: of the Keras model.
        own_layer: that it alone has; "" where it has none.
    """

    title: str
    build: Callable[..., keras.Model]
    build_quantised: Callable[..., keras.Model]
    spec: PriorBoxSpec
    multiple_of: int
    sizes: tuple[int, ...]
    frozen: tuple[str, ...]
    quantised: bool
    equalised: bool
    model_name: str
    own_layer: str


RES10 = SsdNetwork(
    title="SSD with a cut-down ResNet-10",
    build=res10.build_ssd,
    build_quantised=partial(res10.build_ssd, blocked=True),
    spec=res10.RES10_PRIOR_BOXES,
    multiple_of=BLOCK,
    sizes=(),
    frozen=_RES10_FROZEN,
    quantised=True,
    equalised=False,
    model_name=res10.RES10_NAME,
    own_layer="",
)
FINE = SsdNetwork(
    title="SSD with a cut-down ResNet-10 and heads for small faces",
    build=partial(res10.build_ssd, fine=True),
    build_quantised=partial(res10.build_ssd, fine=True, blocked=True),
    spec=res10.FINE_PRIOR_BOXES,
    multiple_of=res10.FINE_MULTIPLE,
    sizes=(304, 448, 608, 704),
    frozen=_RES10_FROZEN,
    quantised=True,
    equalised=False,
    model_name=res10.FINE_NAME,
    own_layer="fine_above",
)
LIGHT = SsdNetwork(
    title="SSD with YuNet's body, widened",
    build=light.build_light_ssd,
    build_quantised=light.build_light_ssd,
    spec=res10.FINE_PRIOR_BOXES,
    multiple_of=light.MULTIPLE,
    sizes=(320, 448, 640, 896),
    frozen=_LIGHT_FROZEN,
    quantised=False,
    equalised=True,
    model_name=light.LIGHT_NAME,
    own_layer="stride2_stem",
)
_NETWORKS = (RES10, FINE, LIGHT)


def network_of(model: keras.Model) -> SsdNetwork:
    """Returns which network a Keras model is."""
    return next(network for network in _NETWORKS if network.model_name == model.name)


def network_with(layers: Collection[str]) -> SsdNetwork:
    """Returns the network that would have layers of these names, `RES10` where none is known."""
    return next((one for one in (FINE, LIGHT) if one.own_layer in layers), RES10)
