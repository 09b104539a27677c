"""Models of others: converted with the answers Keras gives, or refused by the layer's name."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from command_line import ROOT
from maskdet.errors import ModelError
from maskdet.heatmap.methods.gradients import KerasExplainer
from maskdet.train.others.configs import translate
from maskdet.train.others.convention import convention_of
from maskdet.train.others.converting import compare, convert_model
from maskdet.train.others.reading import read_keras_model
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.described import describe

L = keras.layers
# Keras 2.21 (tf_keras) wrote it twice: a nested model with a frozen part, `preprocess_input` as
# operations of the graph, a random flip, a batch norm in the head, and one sigmoid. The SavedModel
# is without its graph, which is not looked at.
KERAS2 = ROOT / "tests" / "cases" / "keras2"
# What Keras 2 said of three pictures of seeded noise.
KERAS2_ANSWERS = [0.8254216, 0.8796721, 0.8350960]


def pictures(size: int, count: int = 3) -> Any:
    """Returns (count, size, size, 3) seeded noise."""
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def network(
    ending: Any, *head: Any, before: Any = (), channels: int = 3, pool: Any = None, size: int = 24
) -> Any:
    """Returns a small seeded network with a map, a head and an ending."""
    keras.utils.set_random_seed(1)
    inputs = tensor = keras.Input((size, size, channels))
    for layer in before:
        tensor = layer(tensor)
    tensor = L.Conv2D(4, 3, 2, activation="relu", bias_initializer="random_normal")(tensor)
    tensor = L.Conv2D(5, 3, 2, activation="relu", name="last_map")(tensor)
    tensor = (pool or L.GlobalAveragePooling2D())(tensor)
    for layer in (*head, ending):
        tensor = layer(tensor)
    model = keras.Model(inputs, tensor)
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def dense(units: int, activation: str | None = None, **options: Any) -> Any:
    """Returns a dense layer with biases that show."""
    return L.Dense(units, activation, bias_initializer="random_normal", **options)


def converted(model: Any, folder: Path, name: str = "theirs.keras") -> tuple[Path, dict[str, Any]]:
    """Saves and converts a model; returns its card's path and content."""
    model.save(folder / name)
    card = convert_model(folder / name, folder / "out" / "new")
    return card, json.loads(card.read_text())


@pytest.mark.parametrize("form", ["h5", "H5", "model", "SavedModel"])
def test_what_keras_2_wrote(form: str, tmp_path: Path) -> None:
    """Keras 3 cannot load these by itself; what is made of them answers as Keras 2 did."""
    path = tmp_path / f"theirs.{form}"
    if form == "SavedModel":
        shutil.copytree(KERAS2 / "saved", path)
        (path / "saved_model.pb").touch()
    else:
        shutil.copy(KERAS2 / "nested.h5", path)
    card = convert_model(path, tmp_path / "new")
    given = MaskClassifier(card).read(pictures(24))[0]
    np.testing.assert_allclose(given[:, 1], KERAS2_ANSWERS, atol=1e-5)
    content = json.loads(card.read_text())
    assert content["labels"] == ["with_mask", "without_mask"]
    assert "taken to be with_mask, without_mask" in content["notes"]
    assert "RGB from 0 to 255" in content["notes"]
    assert "no_maps" not in content


KINDS = {
    "softmax": lambda: network(dense(2, "softmax"), dense(6, "relu"), L.Dropout(0.5)),
    "sigmoid": lambda: network(dense(1, "sigmoid"), dense(6, "relu")),
    "logit": lambda: network(dense(1)),
    "logits of three": lambda: network(dense(3), dense(6, "relu")),
    "two sigmoids": lambda: network(dense(2, "sigmoid")),
    "softmax as a layer": lambda: network(L.Activation("softmax"), dense(2)),
    "batch norm in the head": lambda: network(
        dense(2, "softmax"), dense(6), L.BatchNormalization(), L.ReLU()
    ),
    "grey": lambda: network(dense(1, "sigmoid"), channels=1),
    "rescaling": lambda: network(dense(1, "sigmoid"), before=[L.Rescaling(1 / 255)]),
    "operations": lambda: network(dense(2, "softmax"), before=[lambda x: x / 127.5 - 1.0]),
    "flatten": lambda: network(dense(1, "sigmoid"), dense(6, "relu"), pool=L.Flatten()),
    "pool that leaves a rim out": lambda: network(
        dense(2, "softmax"), L.Flatten(), pool=L.AveragePooling2D(4)
    ),
    "nested": lambda: keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.Sequential([network(L.Activation("relu"), pool=L.Identity())]),
            L.GlobalAveragePooling2D(),
            keras.Sequential([keras.Input((5,)), dense(6, "relu"), dense(1, "sigmoid")]),
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_answers_and_maps_are_those_of_keras(kind: str, tmp_path: Path) -> None:
    """The file gives Keras's probabilities, two for one unit, and HiResCAM's maps without Keras."""
    model = KINDS[kind]()
    # What Keras 3 cannot load from its own HDF5 files are operations.
    card, content = converted(model, tmp_path, f"theirs.{'h5' if kind == 'nested' else 'keras'}")
    faces = pictures(24)
    given = faces.astype(np.float32)
    if kind == "grey":
        given = given @ np.array([[0.299], [0.587], [0.114]], np.float32)
    if kind not in ("rescaling", "operations"):
        given = given / 127.5 - 1
    said = model.predict(given, verbose=0)
    if kind.startswith("logit"):
        said = 1 / (1 + np.exp(-said)) if said.shape[1] == 1 else np.exp(said)
    expected = np.concatenate([1 - said, said], axis=1) if said.shape[1] == 1 else said
    expected = expected / expected.sum(axis=1, keepdims=True)
    classifier = MaskClassifier(card, maps=kind != "two sigmoids")
    answers, logits, cams = classifier.read(faces)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert np.ptp(expected[:, 0]) > 1e-5  # else anything constant would do
    assert ("grey" in content["notes"]) == (kind == "grey")
    if not classifier.maps:
        assert "log_sigmoid" in content["no_maps"]
        return
    explainer = KerasExplainer(
        card.with_suffix(".keras"), tuple(content["labels"]), method="hirescam"
    )
    expected_logits, expected = explainer.explain(faces)
    assert explainer.exact
    np.testing.assert_allclose(logits, expected_logits, atol=1e-4)
    np.testing.assert_allclose(cams, expected, atol=1e-4 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    ("pool", "words"),
    [(L.GlobalMaxPooling2D(), "GlobalMaxPooling2D"), (None, "activation tanh")],
    ids=["maximum", "tanh"],
)
def test_no_maps_is_said_once(pool: Any, words: str, tmp_path: Path) -> None:
    """Where the head is not linear there are answers, no maps, and a reason with the layer."""
    head = [] if pool else [dense(4, "tanh")]
    card, content = converted(network(dense(2, "softmax"), *head, pool=pool), tmp_path)
    assert words in content["no_maps"]
    assert MaskClassifier(card).read(pictures(24))[2].shape == (3, 0, 0, 2)
    with pytest.raises(ModelError, match=f"has no heat maps, for .*{words}"):
        MaskClassifier(card, maps=True)


def test_a_layer_that_tflite_cannot_run(tmp_path: Path) -> None:
    """Its name is in the one line."""
    model = network(dense(2, "softmax"), lambda x: keras.ops.erfinv(x / 10))
    with pytest.raises(ModelError, match="no operations for its layer 'erfinv"):
        converted(model, tmp_path)


@keras.saving.register_keras_serializable("theirs")
class Theirs(L.Layer):  # type: ignore[misc]
    """A layer of a model's maker."""

    def call(self, inputs: Any) -> Any:
        """Returns what it gets."""
        return inputs


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: network(dense(2, "softmax"), L.Lambda(abs, name="evil")), "'evil'.*Lambda"),
        (lambda: network(dense(2, "softmax"), Theirs(name="own")), "'own' is made by code"),
        (lambda: network(dense(1, "softmax", name="end")), "'end' is a softmax of one unit"),
        (lambda: network(dense(2, "tanh", name="end")), "'end' ends in tanh"),
        (lambda: network(L.Dropout(0.1, name="end"), dense(2, "softmax")), "'end'.*Dropout"),
        (lambda: keras.Sequential([keras.Input((4,)), dense(2, "softmax")]), r"shape \(None, 4\)"),
        (
            lambda: keras.Sequential([keras.Input((8, 9, 3)), L.Flatten(), dense(2, "softmax")]),
            "9x8 pixels; square",
        ),
    ],
    ids=["lambda", "custom", "softmax of one", "tanh", "end", "vector", "not square"],
)  # fmt: skip
def test_what_is_refused(make: Any, words: str, suffix: str, tmp_path: Path) -> None:
    """One line names the layer, and nothing is left behind."""
    with pytest.raises(ModelError, match=words) as caught:
        converted(make(), tmp_path, f"theirs.{suffix}")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / f'theirs.{suffix}'}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"class_name": "Mish2", "config": {"name": "a"}}, "'a' is a Mish2"),
        (
            {"class_name": "Dense", "config": {"name": "a", "activation": "hard_sigmoid"}},
            "'a' has the activation hard_sigmoid",
        ),
        (
            {
                "class_name": "TFOpLambda",
                "config": {"name": "a", "function": "image.resize"},
                "inbound_nodes": [["x", 0, 0, {"y": 2}]],
            },
            "'a' is the operation image.resize",
        ),
    ],
)
def test_layers_of_keras_2_that_are_not_those_of_keras_3(entry: dict[str, Any], words: str) -> None:
    """What is gone, or means something else today, is refused by its name."""
    with pytest.raises(ModelError, match=words):
        translate(entry)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.h5", "no such model file"),
        ("text.h5", "not an HDF5 file, or is damaged"),
        ("text.keras", "not a .keras file, or is damaged"),
        ("empty.model", "not an HDF5 file, or is damaged"),
        ("half.h5", "damaged"),
        ("weights.h5", "holds weights alone"),
        ("folder", "folder without a model; supported is"),
        ("exported", "SavedModel without Keras's description"),
    ],
)
def test_files_that_are_no_models(name: str, words: str, tmp_path: Path) -> None:
    """Missing, damaged, empty, and other things than models are one line each."""
    for text in ("text.h5", "text.keras"):
        (tmp_path / text).write_text("not a model")
    (tmp_path / "empty.model").touch()
    (tmp_path / "half.h5").write_bytes((KERAS2 / "nested.h5").read_bytes()[:20000])
    (tmp_path / "folder").mkdir()
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "saved_model.pb").touch()
    network(dense(2)).save_weights(tmp_path / "some.weights.h5")
    (tmp_path / "some.weights.h5").rename(tmp_path / "weights.h5")
    with pytest.raises(ModelError, match=words) as caught:
        read_keras_model(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_the_graphs(tmp_path: Path) -> None:
    """A layer without its weights, or with another's, is refused by its name."""
    import h5py

    path = tmp_path / "theirs.h5"
    for change, words in (("drop", "no weights of its layer 'dense'"), ("shape", "'dense'.*take")):
        shutil.copy(KERAS2 / "nested.h5", path)
        with h5py.File(path, "r+") as file:
            group = file["model_weights"]["dense"]
            if change == "drop":
                group.attrs["weight_names"] = np.zeros(0, "S1")
            else:
                group.attrs["weight_names"] = group.attrs["weight_names"][::-1]
        with pytest.raises(ModelError, match=words):
            read_keras_model(path)


def test_another_networks_answers_are_not_kept(tmp_path: Path) -> None:
    """A file that answers otherwise than Keras is refused, with the difference."""
    model = network(dense(2, "softmax"))
    card, _ = converted(model, tmp_path)
    file = card.with_suffix(".tflite").read_bytes()
    convention = convention_of(model, levels=None, colour=None)
    assert compare(model, convention, file) < 1e-5
    model.layers[-1].set_weights([weight * -1 for weight in model.layers[-1].get_weights()])
    with pytest.raises(ModelError, match="answers otherwise than Keras"):
        compare(model, convention, file)


class TestDescriptions:
    """What lies beside a model says what its file does not."""

    def test_labels_and_input(self, tmp_path: Path) -> None:
        """Labels of a numbered list; the range and the order of colours of a JSON file."""
        (tmp_path / "labels.txt").write_text("0 off\r\n1 on\r\n", encoding="utf-8-sig")
        (tmp_path / "theirs.json").write_text('{"input": {"range": [0, 1], "colour": "BGR"}}')
        model = network(dense(1, "sigmoid"))
        card, content = converted(model, tmp_path)
        assert content["labels"] == ["off", "on"]
        assert content["notes"] == ""
        faces = pictures(24)
        said = model.predict(faces[..., ::-1].astype(np.float32) / 255, verbose=0)
        given = MaskClassifier(card).read(faces)[0]
        np.testing.assert_allclose(given[:, 1:], said, atol=1e-5)

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("labels.txt", "a\nb\nc\n", "tells 2 labels apart, 3 are named"),
            ("classes.txt", "a\na\n", "classes.txt: its labels are not two"),
            ("theirs.json", "[1]", "is no description"),
            ("theirs.json", "{", "cannot be read"),
            ("theirs.json", '{"input": {"range": [1, 0]}}', "its input is not as"),
            ("theirs.json", '{"input": {"colour": "CMYK"}}', "its input is not as"),
            ("theirs.json", '{"labels": [1, 2]}', "its labels are not two"),
        ],
    )
    def test_that_cannot_be_understood(
        self, name: str, text: str, words: str, tmp_path: Path
    ) -> None:
        """Each is refused in one line."""
        (tmp_path / name).write_text(text)
        with pytest.raises(ModelError, match=words):
            converted(network(dense(2, "softmax")), tmp_path)

    def test_a_whole_card_says_nothing_of_the_input(self, tmp_path: Path) -> None:
        """A card's range is that of its TFLite file; its labels hold."""
        text = '{"labels": ["a", "b"], "input": {"range": [0, 255]}, "files": {}}'
        (tmp_path / "theirs.json").write_text(text)
        found = describe(tmp_path / "theirs.h5")
        assert (found.labels, found.levels) == (("a", "b"), None)
