"""What a model's card remembers of the pictures it was trained on: their hashes, to know them by.

A difference hash says where brightness rises in a copy of 17 x 16 pixels: enough to know a picture
again, even scaled, compressed or mirrored, and far too little to see who is in it.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.duplicates import COARSE_SIDE, FINE_SIDE, Hashes, near_pairs, stack_hashes

KEY = "pictures"  # of a card's entry ``training``
_FINE_BYTES, _COARSE_BYTES = FINE_SIDE**2 // 8, COARSE_SIDE**2 // 8


def pack(*sets: Hashes) -> str:
    """Returns the hashes of all pictures as one line of text, each but once."""
    rows = [
        np.concatenate([np.packbits(one.fine > 0, axis=1), np.packbits(one.coarse > 0, axis=1)], 1)
        for one in sets
    ]
    return base64.b64encode(np.unique(np.concatenate(rows), axis=0).tobytes()).decode("ascii")


def trained_hashes(card: Mapping[str, Any]) -> Hashes:
    """Returns the hashes of the pictures that a card's model was trained on.

    Their mirrored hashes are zero: give them to `known_among` alone.

    Args:
        card: as read; one that says nothing of its pictures, or not in this form, has none.
    """
    training = card.get("training")
    text = training.get(KEY) if isinstance(training, dict) else None
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    size = _FINE_BYTES + _COARSE_BYTES
    if not data or len(data) % size:
        return stack_hashes([])
    rows = np.frombuffer(data, np.uint8).reshape(-1, size)
    bits = np.unpackbits(rows, axis=1).astype(np.float32) * 2 - 1
    fine, coarse = bits[:, : FINE_SIDE**2], bits[:, FINE_SIDE**2 :]
    return Hashes(fine, np.zeros_like(fine), coarse)


def known_among(hashes: Hashes, trained: Hashes) -> NDArray[np.intp]:
    """Returns which of N pictures are among the trained ones, near-duplicates included.

    Args:
        hashes: of N pictures.
        trained: what `trained_hashes` returned.

    Returns:
        Indices, in order.
    """
    if not len(trained) or not len(hashes):
        return np.zeros(0, np.intp)
    return np.unique(near_pairs(trained, hashes).second)
