"""Maps by other methods agree with the closed form where they must, and refuse what they cannot."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import ROOT
from maskdet.errors import ModelError
from maskdet.heatmap.methods.explainers import (
    METHODS,
    MapOptions,
    SmoothExplainer,
)
from maskdet.heatmap.methods.gradients import KerasExplainer
from maskdet.heatmap.methods.loading import load_model
from maskdet.train.classifier.export import Exported
from maskdet.vision.preprocessing import scale_to_unit

SIZE = 32
LABELS = ("a", "b", "c")
CARD = ROOT / "models" / "mask_detector.json"


def network(pool: str = "average", hidden: str | None = "relu", classes: int = 3) -> Any:
    """Returns a tiny seeded network with a map of 8x8 and a head like maskdet's."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((SIZE, SIZE, 3))
    tensor = keras.layers.Conv2D(6, 3, 2, "same", activation="relu", name="first")(inputs)
    tensor = keras.layers.Conv2D(5, 3, 2, "same", activation="relu", name="out_relu")(tensor)
    if pool == "average":
        tensor = keras.layers.AveragePooling2D(8, name="average_pooling2d")(tensor)
    tensor = keras.layers.Flatten(name="flatten")(tensor)
    if hidden is not None:
        tensor = keras.layers.Dense(
            4, hidden, name="dense", bias_initializer=keras.initializers.RandomNormal(seed=1)
        )(tensor)
        tensor = keras.layers.Dropout(0.5, name="dropout")(tensor)
    outputs = keras.layers.Dense(
        classes, "softmax", name="dense_1", bias_initializer=keras.initializers.RandomNormal(seed=2)
    )(tensor)
    return keras.Model(inputs, outputs)


@pytest.fixture
def crops() -> NDArray[np.uint8]:
    """Three (32, 32, 3) crops of seeded noise."""
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def saved(model: Any, folder: Path) -> Path:
    """Writes a model and returns its file."""
    model.save(folder / "m.keras")
    return folder / "m.keras"


@pytest.mark.parametrize("pool", ["average", "flatten"])
def test_cam_is_the_exported_graph_and_hirescam(
    pool: str, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The graph's map, HiResCAM, and with global pooling Grad-CAM are one map within 1e-4."""
    model = network(pool)
    exported = Exported(model)
    outputs = [exported(crop[np.newaxis].astype(np.float32)) for crop in crops]
    expected = np.concatenate([np.asarray(output["cam"]) for output in outputs])
    path = saved(model, tmp_path)
    same = ["cam", "hirescam"] + (["gradcam"] if pool == "average" else [])
    for method in same:
        explainer = KerasExplainer(path, LABELS, method=method)
        logits, maps = explainer.explain(crops)
        assert explainer.exact
        np.testing.assert_allclose(maps, expected, atol=1e-4)
        np.testing.assert_allclose(logits[0], np.asarray(outputs[0]["logits"])[0], atol=1e-4)
    if pool == "flatten":
        explainer = KerasExplainer(path, LABELS, method="gradcam")
        assert not explainer.exact
        assert np.abs(explainer.explain(crops)[1] - expected).max() > 1e-3


def test_cam_is_grad_cam_on_the_bundled_model() -> None:
    """MobileNetV2 itself: the graph that is exported and Keras's gradients agree within 1e-4."""
    path = CARD.with_name(json.loads(CARD.read_text())["files"]["keras"]["name"])
    faces = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    model = keras.saving.load_model(path, compile=False)
    expected = np.asarray(Exported(model)(faces.astype(np.float32))["cam"])
    maps = KerasExplainer(path, None, method="gradcam").explain(faces)[1]
    assert np.abs(maps - expected).max() <= 1e-4 * max(np.abs(expected).max(), 1)


@pytest.mark.parametrize("hidden", ["relu", None])
@pytest.mark.parametrize("pool", ["average", "flatten"])
@pytest.mark.parametrize("classes", [2, 3])
def test_maps_add_up_whatever_the_head(
    pool: str, hidden: str | None, classes: int, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Mean of the map and share of the biases are the logit: with and without a hidden layer."""
    model = network(pool, hidden, classes)
    explainer = KerasExplainer(saved(model, tmp_path), None, method="cam")
    logits, maps = explainer.explain(crops)
    kernel, bias = model.get_layer("dense_1").get_weights()
    share = np.broadcast_to(bias, logits.shape)
    if hidden is not None:
        before = keras.Model(model.input, model.get_layer("dense").output)
        gate = np.asarray(before(scale_to_unit(crops))) > 0
        share = (gate * model.get_layer("dense").get_weights()[1]) @ kernel + bias
    np.testing.assert_allclose(maps.mean(axis=(1, 2)) + share, logits, atol=1e-4)
    usual = ("with_mask", "without_mask")
    assert explainer.labels == (usual if classes == 2 else ("class_0", "class_1", "class_2"))


def worked_model() -> Any:
    """Returns two channels of a 2x2 map, pooled, then classes (2 x first - second, second)."""
    inputs = keras.Input((2, 2, 3))
    channels = keras.layers.Conv2D(2, 1, use_bias=False, name="map")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(channels)
    outputs = keras.layers.Dense(2, "softmax", name="dense_1")(pooled)
    model = keras.Model(inputs, outputs)
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, 0, 0] = kernel[0, 0, 1, 1] = 1
    model.get_layer("map").set_weights([kernel])
    model.get_layer("dense_1").set_weights([np.array([[2, 0], [-1, 1]], np.float32), np.zeros(2)])
    return model


@pytest.mark.parametrize(
    ("method", "first", "second"),
    [
        # Pixels of 255 become 1, of 0 become -1: channel 1 is [[1, -1], [-1, -1]], channel 2
        # [[-1, -1], [-1, 1]]. Class 1 is 2 x channel 1 - channel 2, place by place.
        ("cam", [[3, -1], [-1, -3]], [[-1, -1], [-1, 1]]),
        ("hirescam", [[3, -1], [-1, -3]], [[-1, -1], [-1, 1]]),
        ("gradcam", [[3, -1], [-1, -3]], [[-1, -1], [-1, 1]]),
        # Negative gradients do not count: 2 x channel 1, and nothing below zero.
        ("layercam", [[2, 0], [0, 0]], [[0, 0], [0, 1]]),
        # Gradients 2/4 and 1/4, sums of the channels -2: alpha = 1 / (2 + g sum) = 1 and 2/3;
        # weights 4 x 1 x 1/2 = 2 and 4 x 2/3 x 1/4 = 2/3; what has a negative gradient weighs 0.
        ("gradcam++", [[2, 0], [0, 0]], [[0, 0], [0, 2 / 3]]),
    ],
)
def test_worked_example(
    method: str, first: list[list[float]], second: list[list[float]], tmp_path: Path
) -> None:
    """A map of two channels and four places, worked out by hand."""
    face = np.zeros((1, 2, 2, 3), np.uint8)
    face[0, 0, 0, 0] = face[0, 1, 1, 1] = 255
    _, maps = KerasExplainer(saved(worked_model(), tmp_path), None, method=method).explain(face)
    np.testing.assert_allclose(maps[0, :, :, 0], first, atol=1e-5)
    np.testing.assert_allclose(maps[0, :, :, 1], second, atol=1e-5)


def test_score_cam_worked_out(tmp_path: Path) -> None:
    """Each channel weighs by the softmax of what the input says seen through it."""
    face = np.zeros((1, 2, 2, 3), np.uint8)
    face[0, 0, 0, 0] = face[0, 1, 1, 1] = 255
    # Through channel 1 only the first place is seen: channels average 1/4, -1/4, logits 3/4, -1/4;
    # through channel 2 the last: -1/4, 1/4, logits -3/4, 1/4.
    first = 1 / (1 + np.exp(-1.5))
    second = 1 / (1 + np.exp(-0.5))
    explainer = KerasExplainer(saved(worked_model(), tmp_path), None, method="scorecam")
    _, maps = explainer.explain(face)
    np.testing.assert_allclose(maps[0, :, :, 0], [[2 * first - 1, 0], [0, 0]], atol=1e-5)
    np.testing.assert_allclose(maps[0, :, :, 1], [[0, 0], [0, 2 * second - 1]], atol=1e-5)
    flat = explainer.explain(np.zeros((1, 2, 2, 3), np.uint8))[1]
    assert not flat.any()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "cam"])
def test_earlier_layers_give_finer_maps(
    method: str, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The first layer's map has twice the resolution of the last; it adds up to nothing exact."""
    explainer = KerasExplainer(saved(network(), tmp_path), LABELS, method=method, layer="first")
    maps = explainer.explain(crops)[1]
    assert maps.shape == (3, 16, 16, 3)
    assert np.isfinite(maps).all()
    assert not explainer.exact


def test_larger_crops_give_larger_maps(crops: NDArray[np.uint8], tmp_path: Path) -> None:
    """Twice the input, twice the map, of which the exactness is kept."""
    explainer = KerasExplainer(saved(network(), tmp_path), LABELS, method="cam", resolution=64)
    large = crops.repeat(2, axis=1).repeat(2, axis=2)
    logits, maps = explainer.explain(large)
    assert maps.shape == (3, 16, 16, 3)
    same = KerasExplainer(saved(network(), tmp_path), LABELS, method="gradcam", resolution=64)
    np.testing.assert_allclose(same.explain(large)[1], maps, atol=1e-4)
    np.testing.assert_allclose(same.explain(large)[0], logits, atol=1e-5)


class TestRefusals:
    """What cannot be mapped is said in one line."""

    def test_no_such_layer(self, tmp_path: Path) -> None:
        """The layers that exist are listed."""
        path = saved(network(), tmp_path)
        with pytest.raises(ModelError, match=r"no layer 'nope'.*first, out_relu"):
            KerasExplainer(path, LABELS, method="gradcam", layer="nope")

    def test_cam_is_of_the_last_map(self, tmp_path: Path) -> None:
        """The closed form knows no other layer."""
        with pytest.raises(ModelError, match="more than a head after first; --method gradcam"):
            KerasExplainer(saved(network(), tmp_path), LABELS, method="cam", layer="first")

    def test_heads_that_are_not_linear(self, tmp_path: Path) -> None:
        """A head with another activation has no exact map, and Grad-CAM still works."""
        path = saved(network(hidden="tanh"), tmp_path)
        with pytest.raises(ModelError, match="dense has the activation tanh"):
            KerasExplainer(path, LABELS, method="cam")
        assert not KerasExplainer(path, LABELS, method="gradcam").exact

    def test_resolution_without_global_pooling(self, tmp_path: Path) -> None:
        """A flattened map has weights for each place: there is no larger one."""
        with pytest.raises(ModelError, match="does not pool its last map globally"):
            KerasExplainer(saved(network("flatten"), tmp_path), LABELS, method="cam", resolution=64)

    def test_other_files(self, tmp_path: Path) -> None:
        """Missing, damaged, without a map, without a softmax, or of other labels."""
        inputs = keras.Input((4,))
        flat = keras.Model(inputs, keras.layers.Dense(2, "softmax")(inputs))
        picture = keras.Input((SIZE, SIZE, 3))
        tensor = keras.layers.Conv2D(2, 3)(picture)
        sigmoid = keras.layers.Dense(3, "sigmoid")(keras.layers.Flatten()(tensor))
        (tmp_path / "bad.keras").write_text("no")
        for name, model, words in (
            ("missing", None, "no such model file"),
            ("bad", None, "cannot be loaded"),
            ("flat", flat, "no feature map"),
            ("sigmoid", keras.Model(picture, sigmoid), "does not end in a softmax"),
            ("two", network(classes=2), "tells 2 labels apart, its card names 3"),
        ):
            path = tmp_path / f"{name}.keras"
            if model is not None:
                model.save(path)
            with pytest.raises(ModelError, match=words):
                KerasExplainer(path, LABELS, method="gradcam")


class Left:
    """Finds evidence where a crop is bright."""

    labels = ("a", "b")
    size = 28
    exact = True

    def explain(self, faces: NDArray[np.uint8]) -> tuple[Any, Any]:
        """Returns the mean brightness of 4x4 cells as the map of both classes."""
        cells = faces.astype(np.float32).reshape(len(faces), 7, 4, 7, 4, 3).mean(axis=(2, 4, 5))
        maps = np.stack([cells, -cells], axis=-1)
        return maps.mean(axis=(1, 2)), maps


def test_smoothing_lays_views_over_one_another() -> None:
    """What is found in mirrored and scaled views comes back to where it is in the crop."""
    face = np.zeros((1, 28, 28, 3), np.uint8)
    face[0, 4:8, 4:8] = 200
    smooth = SmoothExplainer(Left())
    logits, maps = smooth.explain(face)
    assert logits[0, 0] == Left().explain(face)[0][0, 0]
    assert np.unravel_index(maps[0, :, :, 0].argmax(), (7, 7)) == (1, 1)
    assert maps[0, 1, 5, 0] < maps[0, 1, 1, 0] / 10
    assert not smooth.exact


def write_card(folder: Path, **changes: Any) -> Path:
    """Writes the bundled card elsewhere, its files beside it as links."""
    card = json.loads(CARD.read_text())
    card.update(changes)
    for name in {entry["name"] for entry in card["files"].values()}:
        (folder / name).symlink_to(CARD.with_name(name))
    (folder / CARD.name).write_text(json.dumps(card))
    return folder / CARD.name


def test_resolution_falls_back_to_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exported graph takes one size: Keras does it and says so, or nothing does."""
    said: list[str] = []
    files = json.loads(CARD.read_text())["files"]
    card = write_card(tmp_path, files={k: v for k, v in files.items() if k == "tflite"})
    with pytest.raises(ModelError, match=r"takes 224 pixels.*leave --resolution 448 out"):
        load_model(card, MapOptions(resolution=448), log=said.append)
    asked: dict[str, Any] = {}

    def larger(path: Path, labels: tuple[str, ...], **options: Any) -> Left:
        asked.update(options, path=path, labels=labels)
        return Left()

    monkeypatch.setattr("maskdet.heatmap.methods.gradients.KerasExplainer", larger)
    load_model(None, MapOptions(resolution=448), log=said.append)
    assert asked["resolution"] == 448
    assert asked["path"].name == files["keras"]["name"]
    assert "computing with Keras" in said[0]


def test_no_keras_file_for_gradients(tmp_path: Path) -> None:
    """A model without its Keras file has no gradients."""
    files = json.loads(CARD.read_text())["files"]
    card = write_card(tmp_path, files={k: v for k, v in files.items() if k == "tflite"})
    with pytest.raises(ModelError, match=r"names no \.keras file, which --method layercam needs"):
        load_model(card, MapOptions(method="layercam"), log=print)


def test_small_cnn_says_what_it_is(tmp_path: Path) -> None:
    """A network that does not pool globally says so and offers gradcam."""
    said: list[str] = []
    load_model(write_card(tmp_path, architecture="small_cnn"), MapOptions(), log=said.append)
    assert "does not pool" in said[0]
    assert "--method gradcam" in said[0]
