"""Exported files: the contract of the light runtime, and maps that add up to the logits."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from maskdet.train.classifier.convert import KERAS, allowed, fastest
from maskdet.train.classifier.export import export
from maskdet.train.classifier.legacy import read_model
from maskdet.train.classifier.model import build, deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.others.convention import convention_of
from maskdet.vision.preprocessing import scale_to_unit
from maskdet.vision.runtime import Network

SIZE, CLASSES = 64, 3

NETWORKS = {
    **{
        name: (name, 1.0)
        for name in (
            *("mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_v2_b0", "tiny_cnn"),
        )
    },
    "narrow": ("mobilenet_v2", 0.35),
}


@pytest.fixture(scope="module")
def models(pictures: np.ndarray) -> Callable[[str], Any]:
    """Gives the tiny seeded model of a name in `NETWORKS`, its hidden biases zero."""

    @functools.cache
    def get(name: str) -> Any:
        architecture, alpha = NETWORKS[name]
        keras.utils.set_random_seed(0)
        options = TrainOptions(
            dataset=(), architecture=architecture, alpha=alpha, image_size=SIZE, head_units=16,
            weights="none",
        )  # fmt: skip
        whole = build(options, CLASSES).whole
        # Statistics of these pictures: with those of none the last map hardly depends on them.
        for layer in whole.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        whole(scale_to_unit(pictures), training=True)
        model = deployable(whole, architecture=architecture, size=SIZE, dropout=0.5, alpha=alpha)
        kernel, bias = model.get_layer("dense_1").get_weights()
        biases = np.random.default_rng(1).normal(0, 0.3, bias.shape)
        model.get_layer("dense_1").set_weights([kernel, biases])
        return model

    return get


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Eight (64, 64, 3) pictures of smooth noise."""
    from train_pictures import made_up_face

    random = np.random.default_rng(2)
    labels = ("with_mask", "without_mask", "other", "with_mask")
    return np.stack([made_up_face(random, label) for label in labels * 2])


@pytest.fixture(scope="module")
def exported(
    models: Callable[[str], Any], pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Network]:
    """Exports each file once and opens it in the light runtime."""
    folder = tmp_path_factory.mktemp("exported")

    def get(name: str, precision: str) -> Network:
        path: Path = folder / f"{name}_{precision}.tflite"
        if not path.exists():
            path.write_bytes(export(models(name), precision, pictures))
        return Network(path)

    return get


CASES = [
    ("tiny_cnn", "float32"),
    ("tiny_cnn", "int8"),
    ("narrow", "float16"),
    ("narrow", "int8"),
    ("mobilenet_v3_small", "float16"),
    ("mobilenet_v3_small", "int8"),
    ("mobilenet_v3_large", "int8"),
    ("efficientnet_v2_b0", "float16"),
    ("efficientnet_v2_b0", "int8"),
]


@pytest.mark.training
@pytest.mark.parametrize(("name", "precision"), CASES)
def test_maps_add_up_to_the_logits(
    name: str,
    precision: str,
    models: Callable[[str], Any],
    pictures: np.ndarray,
    exported: Callable[[str, str], Network],
) -> None:
    """With no bias in the hidden layer nothing is left over: mean(cam) + b2 is the logit."""
    outputs = exported(name, precision).run(pictures)
    assert outputs["probabilities"].shape == outputs["logits"].shape == (8, CLASSES)
    assert outputs["cam"].shape[1] > 1  # or the mean would be of one number
    assert outputs["cam"].std(axis=(1, 2)).min() > 1e-3
    expected = outputs["cam"].mean(axis=(1, 2))
    expected += models(name).get_layer("dense_1").get_weights()[1]
    np.testing.assert_allclose(outputs["logits"], expected, atol=1e-4)


def test_hidden_biases_of_open_gates_are_the_rest(
    models: Callable[[str], Any], pictures: np.ndarray, tmp_path: Path
) -> None:
    """logit_c = mean(cam_c) + W2[:, c] . (g * b1) + b2[c], with the gates Keras finds."""
    model = keras.models.clone_model(models("tiny_cnn"))
    model.set_weights(models("tiny_cnn").get_weights())
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


# In a deep network of random weights what int8 rounds off grows with each layer.
@pytest.mark.training
@pytest.mark.parametrize(
    ("name", "precision"), [case for case in CASES if case[0] == "tiny_cnn" or case[1] != "int8"]
)
def test_agrees_with_keras(
    name: str,
    precision: str,
    models: Callable[[str], Any],
    pictures: np.ndarray,
    exported: Callable[[str, str], Network],
) -> None:
    """The file takes plain pixels and answers as Keras does on scaled ones."""
    expected = models(name).predict(scale_to_unit(pictures), verbose=0)
    assert expected.std(axis=0).max() > 0.01
    found = exported(name, precision).run(pictures)["probabilities"]
    tolerances = {"float32": 1e-5, "float16": 0.03, "int8": 0.05}
    np.testing.assert_allclose(found, expected, atol=tolerances[precision])


@pytest.mark.training
@pytest.mark.parametrize("name", ["narrow", "mobilenet_v3_large", "efficientnet_v2_b0"])
def test_a_saved_network_is_known_again(
    name: str, models: Callable[[str], Any], pictures: np.ndarray, tmp_path: Path
) -> None:
    """By its layers, to the same answers; its input is taken for what it is, card or none."""
    model = models(name)
    model.save(tmp_path / "mine.keras")
    found = read_model(tmp_path / "mine.keras")
    assert (found.architecture, found.alpha) == NETWORKS[name]
    inputs = scale_to_unit(pictures[:2])
    np.testing.assert_allclose(found.model(inputs), model(inputs), atol=1e-6)
    convention = convention_of(found.model, levels=None, colour=None)
    assert (convention.low, convention.high) == (-1, 1)


def test_int8_takes_bytes(models: Callable[[str], Any], pictures: np.ndarray) -> None:
    """An int8 file's input is uint8, each step of it one level of a pixel."""
    interpreter = Interpreter(model_content=export(models("tiny_cnn"), "int8", pictures))
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
