"""Reads the trained weights out of a ``.caffemodel`` file, without Caffe and without OpenCV.

A ``.caffemodel`` is a protocol-buffers message, ``NetParameter`` of BVLC Caffe's ``caffe.proto``.
Only the fields that hold weights are read; the numbers below are theirs in that file. The wire
format is described at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_NET_LAYER = 100
_LAYER_NAME, _LAYER_TYPE, _LAYER_BLOBS = 1, 2, 7
_BLOB_OLD_SHAPE, _BLOB_DATA, _BLOB_SHAPE = (1, 2, 3, 4), 5, 7
_SHAPE_DIM = 1


@dataclass(frozen=True)
class CaffeLayer:
    """A layer that has weights.

    Attributes:
        name: the layer's name in the network's description.
        type: Caffe's name of its kind, such as ``Convolution``.
        blobs: its float32 arrays in Caffe's order and layout (a convolution's kernel is
            (output, input, height, width)).
    """

    name: str
    type: str
    blobs: tuple[NDArray[np.float32], ...]


def read_caffe_weights(path: Path) -> dict[str, CaffeLayer]:
    """Reads every layer that has weights.

    Args:
        path: a ``.caffemodel`` file.

    Returns:
        Layer name to layer, in the order of the file.

    Raises:
        ValueError: the file is truncated or is not a Caffe model.
    """
    layers: dict[str, CaffeLayer] = {}
    for field, value in _fields(memoryview(path.read_bytes())):
        if field == _NET_LAYER and isinstance(value, memoryview):
            layer = _layer(value)
            if layer.blobs:
                layers[layer.name] = layer
    if not layers:
        raise ValueError(f"{path}: holds no Caffe layer with weights")
    return layers


def _layer(message: memoryview) -> CaffeLayer:
    text = {_LAYER_NAME: "", _LAYER_TYPE: ""}
    blobs = []
    for field, value in _fields(message):
        if not isinstance(value, memoryview):
            continue
        if field in text:
            text[field] = bytes(value).decode()
        elif field == _LAYER_BLOBS:
            blobs.append(_blob(value))
    return CaffeLayer(text[_LAYER_NAME], text[_LAYER_TYPE], tuple(blobs))


def _blob(message: memoryview) -> NDArray[np.float32]:
    data = bytearray()
    shape: list[int] = []
    old_shape: list[int] = []
    for field, value in _fields(message):
        if isinstance(value, int):
            if field in _BLOB_OLD_SHAPE:
                old_shape.append(value)
        elif field == _BLOB_DATA:  # packed, or one number at a time: the bytes are the same
            data += value
        elif field == _BLOB_SHAPE:
            shape = list(_dimensions(value))
    return np.frombuffer(bytes(data), "<f4").reshape(shape or old_shape)


def _dimensions(message: memoryview) -> Iterator[int]:
    """Yields the sizes in a ``BlobShape``, packed or one at a time."""
    for field, value in _fields(message):
        if field != _SHAPE_DIM:
            continue
        if isinstance(value, int):
            yield value
            continue
        position = 0
        while position < len(value):
            size, position = _varint(value, position)
            yield size


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields each field's number and value: an int for a varint, else the raw bytes."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        wire_type = key & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if wire_type == _BYTES:
            length, position = _varint(message, position)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"not a Caffe model: unknown wire type {wire_type}")
        if position + length > len(message):
            raise ValueError("truncated Caffe model")
        yield key >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Reads a base-128 number; returns it and the position behind it."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(message):
            raise ValueError("truncated Caffe model")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("not a Caffe model: a number of more than 64 bits")
