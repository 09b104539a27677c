"""Existing models to go on from: read as they are, or refused by what would be lost."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskdet.errors import ModelError
from maskdet.train.classifier.legacy import read_model
from maskdet.train.classifier.model import build, deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.vision.preprocessing import scale_to_unit


def small_model(suffix: str = "", *, between: Any = ()) -> Any:
    """Returns a tiny_cnn of 32 pixels, its dense layers called by a script's later run."""
    options = TrainOptions(dataset=(), architecture="tiny_cnn", image_size=32, head_units=8)
    whole = deployable(build(options, 2).whole, architecture="tiny_cnn", size=32, dropout=0.5)
    tensor = whole.get_layer("flatten").output
    for layer in (
        keras.layers.Dense(8, activation="relu", name=f"dense{suffix}"),
        *between,
        keras.layers.Dropout(0.3, name=f"dropout{suffix}"),
        keras.layers.Dense(2, activation="softmax", name=f"dense_1{suffix}"),
    ):
        tensor = layer(tensor)
    return keras.Model(whole.input, tensor)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_model_of_another_run(name: str, tmp_path: Path) -> None:
    """Layers called otherwise are found; the graph answers the same, and labels come along."""
    model = small_model("_7")
    model.save(tmp_path / name)
    assert read_model(tmp_path / name).labels == ("with_mask", "without_mask")
    (tmp_path / "m.json").write_text(json.dumps({"labels": ["a", "b"]}))
    found = read_model(tmp_path / name)
    assert (found.labels, found.architecture) == (("a", "b"), "tiny_cnn")
    assert found.model.get_layer("dropout").rate == 0.3
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    inputs = scale_to_unit(faces)
    np.testing.assert_allclose(found.model(inputs), model(inputs), atol=1e-5)


def test_what_would_be_lost(tmp_path: Path) -> None:
    """A batch norm in the head has no place in the network that is trained: refused by name."""
    small_model(between=[keras.layers.BatchNormalization(name="norm")]).save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match=r"head has a BatchNormalization layer \(norm\)"):
        read_model(tmp_path / "m.keras")


def test_other_architectures(tmp_path: Path) -> None:
    """Another network, or another head, is refused."""
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(inputs)
    keras.Model(inputs, keras.layers.Dense(2, "softmax")(flat)).save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match="is none of mobilenet_v2, "):
        read_model(tmp_path / "other.keras")
    model = small_model()
    sigmoid = keras.layers.Dense(1, "sigmoid", name="end")(model.get_layer("dropout").output)
    keras.Model(model.input, sigmoid).save(tmp_path / "sigmoid.keras")
    with pytest.raises(ModelError, match="relu and softmax, but relu, sigmoid"):
        read_model(tmp_path / "sigmoid.keras")
