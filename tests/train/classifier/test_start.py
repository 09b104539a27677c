"""Going on from a model: it is measured first, and a better one is never lost unasked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskdet.assets import bundled
from maskdet.cards.trained import KEY, pack
from maskdet.media.files import write_json
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.initial import initial_networks
from maskdet.train.classifier.model import build
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.start import keep_the_better, measure_start
from maskdet.train.journal import Journal
from train_pictures import write_classes

OPTIONS = TrainOptions(
    dataset=(), architecture="tiny_cnn", image_size=32, head_units=8, validation=0.4
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Forty pictures of two classes."""
    folder = write_classes(tmp_path_factory.mktemp("start") / "d", 20)
    return prepare(replace(OPTIONS, dataset=(folder,)))


def saved(folder: Path, dataset: Dataset, seen: list[int]) -> TrainOptions:
    """Saves a model whose card says that it was trained on some pictures; options to adapt it."""
    keras.utils.set_random_seed(0)
    path = folder / "mine.keras"
    build(OPTIONS, 2).whole.save(path)
    hashes = dataset.collection.hashes.subset(seen)
    labels = list(dataset.labels)
    write_json(folder / "mine.json", {"labels": labels, "training": {KEY: pack(hashes)}})
    return replace(OPTIONS, from_model=path)


@pytest.mark.parametrize("accept", [False, True])
def test_a_better_start_is_kept_unless_asked(
    tmp_path: Path, dataset: Dataset, accept: bool
) -> None:
    """Before and after are said; what is worse replaces it with --accept-worse only."""
    lines: list[str] = []
    options = replace(saved(tmp_path, dataset, []), accept_worse=accept)
    initial = initial_networks(options, dataset.labels, lines.append)
    start = measure_start(initial, options, dataset, lines.append)
    assert start is not None
    assert f"before: mine.keras has loss {start.loss:.4f}" in lines[-1]
    network = initial.networks.whole
    kernel, bias = network.get_layer("dense_1").get_weights()
    # Sure of the one class for all pictures: right half of the time, and a much higher loss.
    network.get_layer("dense_1").set_weights([kernel, bias + np.array([20, -20])])
    worse = network.get_weights()
    journal = Journal(tmp_path, "", say=lines.append, show=lambda *_: None)
    assert keep_the_better(start, network, options, dataset, journal) is not accept
    for found, wanted in zip(
        network.get_weights(), worse if accept else start.weights, strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
    assert "before and after" in lines[-2]
    assert ("taken all the same" if accept else "which is kept") in lines[-1]


def test_pictures_that_the_start_was_trained_on_are_counted_and_left_out(
    tmp_path: Path, dataset: Dataset
) -> None:
    """They flatter it: the comparison is on the others."""
    validation = dataset.indices("val").tolist()
    lines: list[str] = []
    options = saved(tmp_path, dataset, validation[:3])
    initial = initial_networks(options, dataset.labels, lines.append)
    start = measure_start(initial, options, dataset, lines.append)
    assert start is not None
    assert start.clean.tolist() == list(range(3, len(validation)))
    assert any(f"3 of {len(validation)} val pictures" in line for line in lines)
    assert not any("test pictures" in line for line in lines)


def test_a_split_is_taken_from_an_earlier_run(tmp_path: Path) -> None:
    """Its pictures stay where they were with another seed; new ones are divided as usual."""
    folder = write_classes(tmp_path / "d", 16)
    options = replace(OPTIONS, dataset=(folder,), test=0.2)
    first = prepare(options)
    first.write(tmp_path)
    write_classes(tmp_path / "more", 4, seed=9)
    for path in sorted((tmp_path / "more").glob("*/*")):
        path.rename(folder / path.parent.name / f"new_{path.name}")
    again = prepare(replace(options, seed=7, split_file=tmp_path / "split.csv"))
    parts = dict(zip([one.path for one in again.collection.pictures], again.parts, strict=True))
    for picture, part in zip(first.collection.pictures, first.parts, strict=True):
        assert parts[picture.path] == part
    assert len(parts) == 40


def test_networks_without_weights_of_their_own_say_so() -> None:
    """MobileNetV3 begins at random, and a file may be given; so does a narrow MobileNetV2."""
    lines: list[str] = []
    for changes in ({"architecture": "mobilenet_v3_small"}, {"alpha": 0.35}):
        options = replace(OPTIONS, **{"architecture": "mobilenet_v2", **changes})
        initial = initial_networks(options, ("a", "b"), lines.append)
        assert not initial.networks.pretrained
    assert "none of mobilenet_v3_small come with maskdet" in lines[0]
    assert "mobilenet_v2 of width 0.35" in lines[1]


def counted(network: Any) -> int:
    """Returns the number of a network's weights."""
    return int(network.count_params())


def test_the_notebooks_network_is_as_published() -> None:
    """23.1 million weights at 124 pixels: 896 + 18,496 + 73,856, 460,800 x 50 + 50, 50 x 2 + 2."""
    network = build(replace(OPTIONS, architecture="small_cnn", image_size=124, head_units=50), 2)
    assert counted(network.whole) == 93_248 + 23_040_050 + 102
    kinds = [type(layer).__name__ for layer in network.whole.layers[1:]]
    assert kinds == [
        *("Conv2D", "Conv2D", "Conv2D", "MaxPooling2D", "Dropout", "Flatten", "Dropout"),
        *("Dense", "Dropout", "Dense"),
    ]
    rates = [layer.rate for layer in network.whole.layers if hasattr(layer, "rate")]
    assert rates == [0.25, 0.5, 0.5]


def test_a_softmax_of_two_says_what_one_sigmoid_says() -> None:
    """sigmoid(w x + b) is the softmax of (0, w x + b), and of any two logits that differ by it."""
    random = np.random.default_rng(0)
    features = random.normal(size=(6, 5))
    kernel, bias = random.normal(size=(5, 2)), random.normal(size=2)
    logits = features @ kernel + bias
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    one = features @ (kernel[:, 1] - kernel[:, 0]) + bias[1] - bias[0]
    np.testing.assert_allclose(softmax[:, 1], 1 / (1 + np.exp(-one)), rtol=1e-12)


def test_the_bundled_model_can_be_adapted_by_its_name(tmp_path: Path) -> None:
    """Wherever one stands; and a name that is none is wrong usage that says so."""
    import click

    from maskdet.cli.train import train

    def given(name: str) -> Any:
        with train.make_context("train", ["--dataset", str(tmp_path), "--from", name]) as context:
            return context.params["from_model"]

    assert given("mask_detector") == bundled("models/mask_detector.keras")
    with pytest.raises(click.BadParameter, match="mask_detector is the bundled model"):
        given("mask_detectr")
