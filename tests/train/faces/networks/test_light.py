"""The light network: that it starts as YuNet, and is the same function at any size and exported."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.assets import bundled
from maskdet.errors import ModelError
from maskdet.train.faces import weights
from maskdet.train.faces.networks import light
from maskdet.train.faces.networks.export import to_tflite
from maskdet.train.faces.networks.registry import (
    FINE,
    LIGHT,
    RES10,
    SsdNetwork,
    network_of,
    network_with,
)
from maskdet.train.faces.networks.yunet import Convolution, load_yunet_weights, read_yunet
from maskdet.vision.faces.heads import SsdHeads
from maskdet.vision.faces.prior_boxes import prior_boxes
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.runtime import Network


@pytest.fixture(scope="module")
def convolutions() -> list[Convolution]:
    """Random weights in the order and shapes of YuNet's file."""
    random = np.random.default_rng(4)
    shapes = []
    inputs = 3
    for unit, outputs in light.YUNET_CHANNELS.items():
        if unit == "stride2_stem":
            shapes.append((3, 3, inputs, outputs))
        else:
            shapes += [(1, 1, inputs, outputs), (3, 3, outputs, 1)]
        inputs = outputs
    for outputs in (1, 4, 1):
        shapes += [(1, 1, inputs, outputs), (3, 3, outputs, 1)] * 3
    drawn = []
    for shape in shapes:
        scale = (2 / np.prod(shape[:3] if shape[0] == 1 or shape[3] > 1 else 9)) ** 0.5
        bias = random.normal(0, 0.1, shape[3] if shape[3] > 1 or shape[0] == 1 else shape[2])
        kernel = random.normal(0, scale, shape)
        drawn.append((kernel.astype(np.float32), bias.astype(np.float32)))
    return drawn


def pixels(size: int) -> np.ndarray:
    """One picture, (1, size, size, 3) uint8, with detail of several sizes."""
    coarse = np.random.default_rng(2).integers(0, 256, (9, 9, 3), np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)[np.newaxis]


def test_widening_changes_nothing_at_first(
    convolutions: list[Convolution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the channels or YuNet's own, with added units: the same head maps."""
    wide = LIGHT.build()
    load_yunet_weights(wide, convolutions)
    monkeypatch.setattr(light, "_FACTOR", 1)
    narrow = LIGHT.build()
    load_yunet_weights(narrow, convolutions)
    assert wide.count_params() > 3 * narrow.count_params()
    found, expected = (model(pixels(128).astype(np.float32)) for model in (wide, narrow))
    for name, head in expected.items():
        assert np.abs(head).max() > 0.1
        np.testing.assert_allclose(found[name], head, atol=1e-4 * float(np.abs(head).max()))
    mixing = wide.get_layer("stride8_b_mix").get_weights()[0][0, 0]
    assert not np.allclose(mixing[:, :64], mixing[:, 64:])  # copies differ, so they learn apart


def test_it_starts_as_yunet(shared_data: Path) -> None:
    """Among the untrained network's boxes are those that OpenCV's YuNet gives, to the pixel."""
    file = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    model = LIGHT.build()
    load_yunet_weights(model, read_yunet(file))
    frame = cv2.resize(cv2.imread(str(bundled("samples") / "astronaut.jpg")), (320, 320))
    heads = {
        name: value.numpy() for name, value in model(frame[np.newaxis].astype(np.float32)).items()
    }
    shapes = [heads[f"loc_{index}"].shape[1:3] for index in range(len(LIGHT.spec.steps))]
    xyxy, _ = SsdHeads(LIGHT.spec, shapes, nms_threshold=1.0).boxes(heads, 0.5)
    expected, _ = YunetFaceDetector(file, confidence=0.9, face_size=320).detect(frame)
    assert len(expected)
    for box in expected:
        assert np.abs(xyxy - box).max(axis=1).min() < 1


def test_another_file_is_not_yunet(tmp_path: Path) -> None:
    """Missing or damaged: an error that names it."""
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    for name in ("bad.onnx", "none.onnx"):
        with pytest.raises(ModelError, match=name):
            read_yunet(tmp_path / name)


@pytest.fixture(scope="module")
def exported(
    convolutions: list[Convolution], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path]:
    """The network with the weights drawn, and its file."""
    model = LIGHT.build()
    load_yunet_weights(model, convolutions)
    path: Path = tmp_path_factory.mktemp("exported") / "light.tflite"
    path.write_bytes(to_tflite(model, "float32"))
    return model, path


@pytest.mark.parametrize("size", [96, 160, 320])
def test_the_exported_file_is_the_same_function_at_any_size(
    exported: tuple[Any, Path], size: int
) -> None:
    """Odd maps, too; as many offsets as prior boxes."""
    model, path = exported
    picture = pixels(size)
    expected = model(picture.astype(np.float32))
    found = Network(path, input_shape=picture.shape).run(picture)
    shapes = []
    for index in range(len(LIGHT.spec.steps)):
        shapes.append(found[f"loc_{index}"].shape[1:3])
        for kind in ("loc", "conf"):
            head = np.asarray(expected[f"{kind}_{index}"])
            np.testing.assert_allclose(
                found[f"{kind}_{index}"], head, atol=1e-4 * float(np.abs(head).max())
            )
    offsets = sum(found[f"loc_{index}"].size for index in range(len(shapes)))
    assert offsets == prior_boxes(LIGHT.spec, shapes).size


@pytest.mark.parametrize("network", [RES10, FINE, LIGHT])
def test_a_network_is_known_by_its_model_and_its_weights(
    network: SsdNetwork, tmp_path: Path
) -> None:
    """Written in 16 bits and read back, it is the same network, the same to 16 bits."""
    model = network.build()
    assert network_of(model) is network
    assert network_with({layer.name for layer in model.layers}) is network
    np.savez(tmp_path / "w.npz", **weights.arrays_of(model))
    again = weights.load(tmp_path / "w.npz")
    assert network_of(again) is network
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-6)
