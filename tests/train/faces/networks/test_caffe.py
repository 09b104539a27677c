"""The reader of Caffe's weight files, on messages written out byte by byte."""

import struct
from pathlib import Path

import numpy as np
import pytest

from caffe_weights import read_caffe_weights


def varint(value: int) -> bytes:
    """Encodes a number in base 128, low digits first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """Encodes a field of wire type 2: a length, then that many bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(values: list[float], shape: list[int]) -> bytes:
    """Encodes a BlobProto with packed data and a BlobShape."""
    dimensions = field(1, b"".join(varint(size) for size in shape))
    return field(5, struct.pack(f"<{len(values)}f", *values)) + field(7, dimensions)


def layer(name: str, kind: str, *blobs: bytes) -> bytes:
    """Encodes a LayerParameter as a field of NetParameter."""
    content = field(1, name.encode()) + field(2, kind.encode()) + field(3, b"bottom")
    return field(100, content + b"".join(field(7, one) for one in blobs))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of a convolution with kernel and bias, and of a layer without weights."""
    kernel = blob([float(value) for value in range(200)], [2, 1, 10, 10])
    path = tmp_path / "net.caffemodel"
    path.write_bytes(
        field(1, b"net")
        + layer("conv", "Convolution", kernel, blob([0.5, -0.5], [2]))
        + layer("relu", "ReLU")
    )
    return path


def test_layers_with_weights_are_read(model: Path) -> None:
    """Names, kinds, shapes and values come back; a layer without weights is left out."""
    layers = read_caffe_weights(model)
    assert list(layers) == ["conv"]
    assert layers["conv"].type == "Convolution"
    kernel, bias = layers["conv"].blobs
    np.testing.assert_array_equal(kernel, np.arange(200, dtype=np.float32).reshape(2, 1, 10, 10))
    np.testing.assert_array_equal(bias, np.array([0.5, -0.5], np.float32))


def test_old_shapes_and_unpacked_numbers_are_read(tmp_path: Path) -> None:
    """Older files give num, channels, height, width, and may tag every single number."""
    shape = b"".join(
        varint(number << 3) + varint(size) for number, size in enumerate([1, 1, 1, 2], 1)
    )
    data = b"".join(varint(5 << 3 | 5) + struct.pack("<f", value) for value in (1.5, 2.5))
    ignored = varint(99 << 3 | 1) + struct.pack("<d", 1.0)
    path = tmp_path / "old.caffemodel"
    path.write_bytes(layer("scale", "Scale", shape + data + ignored))
    (values,) = read_caffe_weights(path)["scale"].blobs
    np.testing.assert_array_equal(values, np.array([[[[1.5, 2.5]]]], np.float32))


def test_a_truncated_file_is_refused(model: Path) -> None:
    """A file cut short in the middle of a kernel says so."""
    model.write_bytes(model.read_bytes()[:300])
    with pytest.raises(ValueError, match="truncated"):
        read_caffe_weights(model)


@pytest.mark.parametrize(
    "content", [b"", b"\x0b\x0b", b"\xff" * 20], ids=["empty", "group", "ones"]
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that hold no Caffe layers are an error, not an empty model."""
    path = tmp_path / "other.caffemodel"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Caffe"):
        read_caffe_weights(path)
