"""Models of others: read without running anything from them, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from maskdet.errors import ModelError
from maskdet.train.classifier.legacy import convert_model, read_model
from maskdet.train.classifier.model import build, deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.preprocessing import scale_to_unit

SIZE = 64


@pytest.fixture(scope="module")
def usual() -> Any:
    """What the usual script builds, with random weights: its own layer names in the head."""
    keras.utils.set_random_seed(0)
    base = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    tail = keras.layers.AveragePooling2D((2, 2), name="average_pooling2d_3")(base.output)
    tail = keras.layers.Flatten(name="flatten_3")(tail)
    tail = keras.layers.Dense(12, activation="relu", name="dense_6")(tail)
    tail = keras.layers.Dropout(0.5, name="dropout_3")(tail)
    tail = keras.layers.Dense(2, activation="softmax", name="dense_7")(tail)
    return keras.Model(base.input, tail)


def write_legacy(path: Path, model: Any) -> None:
    """Writes HDF5 as Keras 2 did: a config attribute and a group of named arrays a layer."""
    layers = []
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        for layer in model.layers:
            config = {"name": layer.name}
            if not layers:
                config["batch_input_shape"] = [None, SIZE, SIZE, 3]  # type: ignore[assignment]
            layers.append({"class_name": type(layer).__name__, "config": config})
            group = weights.create_group(layer.name)
            names = []
            for variable, value in zip(layer.weights, layer.get_weights(), strict=True):
                names.append(f"{layer.name}/{variable.name}:0".encode())
                group[names[-1].decode()] = value
            group.attrs["weight_names"] = names
        file.attrs["model_config"] = json.dumps({"config": {"layers": layers}})


def test_legacy_hdf5_is_read(usual: Any, tmp_path: Path) -> None:
    """An .h5 file becomes maskdet's flat graph with the same answers."""
    write_legacy(tmp_path / "old.h5", usual)
    found = read_model(tmp_path / "old.h5")
    assert (found.architecture, found.labels, found.told) == (
        *("mobilenet_v2", ("with_mask", "without_mask")),
        False,
    )
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, SIZE, SIZE, 3)).astype(np.float32)
    np.testing.assert_allclose(found.model(pixels), usual(pixels), atol=1e-5)


def small_model() -> Any:
    """Returns a small_cnn of 32 pixels."""
    options = TrainOptions(dataset=(), architecture="small_cnn", image_size=32, head_units=8)
    whole = build(options, 2).whole
    return deployable(whole, architecture="small_cnn", size=32, dropout=0.5)


def test_converted_model_runs(tmp_path: Path) -> None:
    """What was converted gives the light runtime the answers Keras gives."""
    model = small_model()
    model.save(tmp_path / "old.keras")
    said: list[str] = []
    card = convert_model(tmp_path / "old.keras", tmp_path / "new", say=said.append)
    assert "with_mask, without_mask" in said[0]
    frame = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    box = np.array([[0, 0, 32, 32]], np.float32)
    probabilities, _, _ = MaskClassifier(card).classify(frame, box)
    expected = model.predict(scale_to_unit(frame[np.newaxis, ..., ::-1]), verbose=0)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_keras_file_keeps_its_labels(tmp_path: Path) -> None:
    """A .keras file with a card is read with the card's labels, without one with the usual."""
    small_model().save(tmp_path / "m.keras")
    assert read_model(tmp_path / "m.keras").labels == ("with_mask", "without_mask")
    (tmp_path / "m.json").write_text('{"labels": ["a", "b"]}')
    found = read_model(tmp_path / "m.keras")
    assert (found.labels, found.told, found.architecture) == (("a", "b"), True, "small_cnn")


def test_code_in_a_model_is_refused(tmp_path: Path) -> None:
    """A lambda layer would run code: safe mode refuses the file."""
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    model.save(tmp_path / "evil.keras")
    with pytest.raises(ModelError, match="cannot be loaded"):
        read_model(tmp_path / "evil.keras")


@pytest.mark.parametrize("name", ["gone.h5", "text.h5", "text.keras", "empty.model"])
def test_files_that_are_no_models(tmp_path: Path, name: str) -> None:
    """Missing, damaged and empty files are one line each."""
    (tmp_path / "text.h5").write_text("not a model")
    (tmp_path / "text.keras").write_text("not a model")
    (tmp_path / "empty.model").touch()
    with pytest.raises(ModelError, match=name) as caught:
        read_model(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_other_architecture(tmp_path: Path) -> None:
    """A network without the usual head or backbone is refused."""
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    model.save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match="neither MobileNetV2 nor small_cnn"):
        read_model(tmp_path / "other.keras")
    write_legacy(tmp_path / "other.h5", model)
    with pytest.raises(ModelError, match="not MobileNetV2"):
        read_model(tmp_path / "other.h5")


def test_labels_that_do_not_fit(usual: Any, tmp_path: Path) -> None:
    """Three names for two outputs are refused."""
    write_legacy(tmp_path / "old.h5", usual)
    with pytest.raises(ModelError, match="tells 2 labels apart, 3 were named"):
        convert_model(tmp_path / "old.h5", tmp_path / "new", say=print, labels=("a", "b", "c"))
