"""The detector's weights as training reads and writes them: arrays by layer, in 16 bits.

An ``.npz`` file read without pickle: loading runs nothing from the file. A TFLite file cannot be
trained on, and a Keras file of the network would be four times as large.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from maskdet.errors import ModelError
from maskdet.train.checkpoint import read_arrays
from maskdet.train.faces.networks.registry import FINE, RES10, network_of, network_with
from maskdet.vision.faces.card import read_face_card
from maskdet.vision.faces.loading import find_card

WEIGHTS_KEY = "weights"
"""Of the card's files, the one this module reads and writes."""


def arrays_of(network: keras.Model) -> dict[str, Any]:
    """Returns layer name and number to float16 array."""
    return {
        f"{layer.name}/{number}": np.asarray(value, np.float16)
        for layer in network.layers
        for number, value in enumerate(layer.get_weights())
    }


def load(path: Path) -> keras.Model:
    """Builds the network whose weights a file holds.

    Raises:
        ModelError: the file is missing, damaged, or of another network.
    """
    try:
        arrays = {name: array.astype(np.float32) for name, array in read_arrays(path).items()}
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError:
        raise ModelError(f"{path}: is not a weights file of maskdet, or is damaged") from None
    network = network_with({name.rpartition("/")[0] for name in arrays}).build()
    for layer in network.layers:
        count = len(layer.weights)
        try:
            layer.set_weights([arrays.pop(f"{layer.name}/{number}") for number in range(count)])
        except (KeyError, ValueError):
            raise ModelError(f"{path}: is of another network than the face SSD") from None
    if arrays:
        raise ModelError(f"{path}: is of another network than the face SSD")
    return network


def load_from(place: Path) -> keras.Model:
    """Builds the network of a face detector.

    Args:
        place: see `maskdet.vision.faces.loading.load_face_detector`.

    Raises:
        ModelError: it holds no face detector, or one that cannot be trained on.
    """
    card_path = find_card(place)
    if card_path is None:
        raise ModelError(f"{place}: holds no face detector that can be trained on")
    card = read_face_card(card_path)
    if WEIGHTS_KEY not in card.files:
        raise ModelError(f"{card_path}: names no weights file, so it cannot be trained on")
    return load(card.file(WEIGHTS_KEY))


def with_fine_heads(network: keras.Model) -> keras.Model:
    """Returns the network with heads for small faces, fresh ones where it has none."""
    if network_of(network) is not RES10:
        return network
    grown = FINE.build()
    for layer in network.layers:
        grown.get_layer(layer.name).set_weights(layer.get_weights())
    return grown
