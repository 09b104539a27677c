"""Exported files: the contract of the light runtime, and maps that add up to the logits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from maskdet.train.classifier.convert import KERAS, allowed, fastest
from maskdet.train.classifier.export import export
from maskdet.train.classifier.model import build, deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.vision.preprocessing import scale_to_unit
from maskdet.vision.runtime import Network

SIZE, CLASSES = 64, 3


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """A tiny seeded model of each architecture, its hidden biases zero."""
    found = {}
    for architecture in ("mobilenet_v2", "mobilenet_v3_small", "tiny_cnn"):
        keras.utils.set_random_seed(0)
        options = TrainOptions(
            dataset=(), architecture=architecture, image_size=SIZE, head_units=16
        )
        model = deployable(
            build(options, CLASSES).whole, architecture=architecture, size=SIZE, dropout=0.5
        )
        kernel, bias = model.get_layer("dense_1").get_weights()
        biases = np.random.default_rng(1).normal(0, 0.3, bias.shape)
        model.get_layer("dense_1").set_weights([kernel, biases])
        found[architecture] = model
    return found


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Eight (64, 64, 3) pictures of smooth noise."""
    from train_pictures import made_up_face

    random = np.random.default_rng(2)
    return np.stack([made_up_face(random, "with_mask") for _ in range(8)])


@pytest.fixture(scope="module")
def exported(
    models: dict[str, Any], pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Network]:
    """Exports each file once and opens it in the light runtime."""
    folder = tmp_path_factory.mktemp("exported")

    def get(architecture: str, precision: str) -> Network:
        path: Path = folder / f"{architecture}_{precision}.tflite"
        if not path.exists():
            path.write_bytes(export(models[architecture], precision, pictures))
        return Network(path)

    return get


CASES = [
    ("mobilenet_v2", "int8"),
    ("mobilenet_v3_small", "float32"),
    ("tiny_cnn", "float32"),
    ("tiny_cnn", "int8"),
]


@pytest.mark.parametrize(("architecture", "precision"), CASES)
def test_maps_add_up_to_the_logits(
    architecture: str,
    precision: str,
    models: dict[str, Any],
    pictures: np.ndarray,
    exported: Callable[[str, str], Network],
) -> None:
    """With no bias in the hidden layer nothing is left over: mean(cam) + b2 is the logit."""
    outputs = exported(architecture, precision).run(pictures)
    assert outputs["probabilities"].shape == outputs["logits"].shape == (8, CLASSES)
    expected = outputs["cam"].mean(axis=(1, 2))
    expected += models[architecture].get_layer("dense_1").get_weights()[1]
    np.testing.assert_allclose(outputs["logits"], expected, atol=1e-4)


def test_hidden_biases_of_open_gates_are_the_rest(
    models: dict[str, Any], pictures: np.ndarray, tmp_path: Path
) -> None:
    """logit_c = mean(cam_c) + W2[:, c] . (g * b1) + b2[c], with the gates Keras finds."""
    model = keras.models.clone_model(models["tiny_cnn"])
    model.set_weights(models["tiny_cnn"].get_weights())
    w1, b1 = model.get_layer("dense").get_weights()
    b1 = np.random.default_rng(1).normal(0, 0.3, b1.shape).astype(np.float32)
    model.get_layer("dense").set_weights([w1, b1])
    (tmp_path / "model.tflite").write_bytes(export(model, "float32"))
    outputs = Network(tmp_path / "model.tflite").run(pictures)
    flat = keras.Model(model.input, model.get_layer("flatten").output)
    gate = flat(scale_to_unit(pictures)).numpy() @ w1 + b1 > 0
    assert 0 < gate.mean() < 1
    w2, b2 = model.get_layer("dense_1").get_weights()
    expected = outputs["cam"].mean(axis=(1, 2)) + (gate * b1) @ w2 + b2
    np.testing.assert_allclose(outputs["logits"], expected, atol=1e-4)


# Random weights, as here, spread so widely that int8 has only the small network's depth to bear.
@pytest.mark.parametrize(("architecture", "precision"), CASES[2:])
def test_agrees_with_keras(
    architecture: str,
    precision: str,
    models: dict[str, Any],
    pictures: np.ndarray,
    exported: Callable[[str, str], Network],
) -> None:
    """The file takes plain pixels and answers as Keras does on scaled ones."""
    expected = models[architecture].predict(scale_to_unit(pictures), verbose=0)
    found = exported(architecture, precision).run(pictures)["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-5 if precision == "float32" else 0.05)


def test_int8_takes_bytes(models: dict[str, Any], pictures: np.ndarray) -> None:
    """An int8 file's input is uint8, each step of it one level of a pixel."""
    interpreter = Interpreter(model_content=export(models["tiny_cnn"], "int8", pictures))
    details = interpreter.get_input_details()[0]
    assert details["dtype"] == np.uint8
    assert details["quantization"] == (1.0, 0)
    assert interpreter.get_signature_list()["serving_default"]["inputs"] == ["face"]


def test_default_is_refused_what_changes_labels_or_probabilities() -> None:
    """Beyond 0.5% of the labels, or 0.02 of a probability on average, a file is not the default."""
    expected = np.tile(np.array([[0.9, 0.1]], np.float32), (400, 1))
    one, three, moved = expected.copy(), expected.copy(), expected.copy()
    one[:1] = three[:3] = [0.4, 0.6]
    moved[:] = [0.87, 0.13]
    answers = {KERAS: expected, "float32": expected, "float16": one, "int8": three, "x": moved}
    said: list[str] = []
    assert allowed(answers, said.append) == ["float32", "float16"]
    assert len(said) == 2
    assert "int8 export changes 0.8% of the labels" in said[0]
    assert "x export moves probabilities by 0.030" in said[1]
    assert fastest(["float32", "float16"], {"float32": 2.0, "float16": 1.0, "int8": 0.5}) == (
        "float16"
    )
