"""Exported files: the contract of the light runtime, and maps that add up to the logits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from maskdet.train.classifier.convert import convert
from maskdet.train.classifier.export import export
from maskdet.train.classifier.model import build, deployable
from maskdet.train.classifier.options import PRECISIONS, TrainOptions
from maskdet.vision.preprocessing import scale_to_unit
from maskdet.vision.runtime import Network

SIZE, CLASSES = 64, 3


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """A tiny seeded model of each architecture, its hidden biases zero."""
    found = {}
    for architecture in ("mobilenet_v2", "small_cnn"):
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


CASES = [("mobilenet_v2", "int8"), ("small_cnn", "float32"), ("small_cnn", "int8")]


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
    model = keras.models.clone_model(models["small_cnn"])
    model.set_weights(models["small_cnn"].get_weights())
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
@pytest.mark.parametrize(("architecture", "precision"), CASES[1:])
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
    interpreter = Interpreter(model_content=export(models["small_cnn"], "int8", pictures))
    details = interpreter.get_input_details()[0]
    assert details["dtype"] == np.uint8
    assert details["quantization"] == (1.0, 0)
    assert interpreter.get_signature_list()["serving_default"]["inputs"] == ["face"]


def test_default_is_refused_what_changes_labels(
    models: dict[str, Any], pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that changes more than 0.5% of the labels is not the default, and that is said."""
    from maskdet.train.classifier import convert as module

    real = module.export

    def spoiled(model: Any, precision: str, calibration: Any) -> bytes:
        if precision != "int8":
            return real(model, precision, calibration)
        other = keras.models.clone_model(model)
        kernel, bias = model.get_layer("dense_1").get_weights()
        other.set_weights(model.get_weights())
        other.get_layer("dense_1").set_weights([-kernel, -bias])
        return real(other, precision, calibration)

    monkeypatch.setattr(module, "export", spoiled)
    said: list[str] = []
    expected = models["small_cnn"].predict(scale_to_unit(pictures), verbose=0)
    conversion = convert(
        models["small_cnn"],
        pictures,
        pictures,
        expected,
        precisions=PRECISIONS,
        say=said.append,
        show=lambda *_: None,
    )
    assert set(conversion.files) == set(PRECISIONS)
    assert conversion.default != "int8"
    assert conversion.figures["int8"]["changed_labels"] > 0.005
    assert "int8 export changes" in said[0]
