"""The networks: what learns in which phase, and weights that do not fit."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskdet.assets import bundled
from maskdet.errors import MaskdetError, ModelError
from maskdet.train.classifier.initial import initial_networks
from maskdet.train.classifier.legacy import read_model
from maskdet.train.classifier.model import build, deployable, freeze_trunk, unfreeze
from maskdet.train.classifier.options import BACKBONE_WEIGHTS, TrainOptions
from maskdet.train.classifier.trainer import plan
from maskdet.train.strategy import check_multiworker

OPTIONS = TrainOptions(dataset=(), image_size=64, head_units=16, weights="none")
LABELS = ("with_mask", "without_mask")


@pytest.fixture(scope="module")
def networks() -> Any:
    """MobileNetV2 with random weights."""
    keras.utils.set_random_seed(0)
    return build(OPTIONS, 2)


def trainable(networks: Any) -> set[str]:
    """Returns the names of the layers whose weights would change."""
    return {layer.name for layer in networks.whole.layers if layer.trainable_weights}


def test_frozen_phase_trains_the_head(networks: Any) -> None:
    """With the trunk frozen only the two dense layers learn."""
    freeze_trunk(networks)
    assert trainable(networks) == {"dense", "dense_1"}


def test_fine_tuning_starts_at_a_block_and_spares_batch_norms(networks: Any) -> None:
    """From block 16 up convolutions learn, batch norms do not."""
    unfreeze(networks, "block_16_expand")
    names = trainable(networks)
    assert names == {
        *("block_16_expand", "block_16_depthwise", "block_16_project"),
        *("Conv_1", "dense", "dense_1"),
    }
    unfreeze(networks, "all")
    assert "Conv1" in trainable(networks)
    assert not any(name.endswith("BN") for name in trainable(networks))


def test_unknown_layer(networks: Any) -> None:
    """A layer that is not there is named."""
    with pytest.raises(ModelError, match="block_99"):
        unfreeze(networks, "block_99")


def test_deployable_graph(networks: Any) -> None:
    """The saved graph is flat, has the contract's layers, and answers as the trained one."""
    model = deployable(networks.whole, architecture="mobilenet_v2", size=64, dropout=0.5)
    names = [layer.name for layer in model.layers]
    start = names.index("out_relu")
    assert names[start:] == [
        *("out_relu", "average_pooling2d", "flatten", "dense", "dropout", "dense_1")
    ]
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(model(pixels), networks.whole(pixels), atol=1e-5)


def test_bundled_backbone_loads() -> None:
    """The ImageNet weights that come with maskdet fit, and spread wider than random ones."""
    networks = build(TrainOptions(dataset=(), weights=str(bundled(BACKBONE_WEIGHTS))), 2)
    assert networks.pretrained
    assert networks.whole.get_layer("Conv1").get_weights()[0].std() > 0.12


def test_phases() -> None:
    """A pre-trained backbone is frozen, then fine-tuned; nothing else has two phases."""
    assert [phase.part for phase in plan(OPTIONS, pretrained=True)] == ["head", "fine"]
    assert [phase.part for phase in plan(OPTIONS, pretrained=False)] == ["all"]
    direct = TrainOptions(dataset=(), epochs=0, fine_tune=3)
    assert [phase.part for phase in plan(direct, pretrained=True)] == ["fine"]


@pytest.mark.parametrize("content", [None, b"not weights"])
def test_backbone_weights_that_are_not(tmp_path: Path, content: bytes | None) -> None:
    """A missing or damaged weights file is one line."""
    path = tmp_path / "w.weights.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"w\.weights\.h5"):
        build(TrainOptions(dataset=(), weights=str(path)), 2)


def save_small(folder: Path, labels: tuple[str, ...]) -> Path:
    """Saves a tiny_cnn as `.keras`."""
    options = TrainOptions(dataset=(), architecture="tiny_cnn", image_size=32, head_units=8)
    path = folder / "small.keras"
    build(options, len(labels)).whole.save(path)
    return path


def test_from_another_architecture(tmp_path: Path) -> None:
    """A tiny_cnn cannot become a MobileNetV2."""
    options = TrainOptions(dataset=(), from_model=save_small(tmp_path, LABELS))
    with pytest.raises(ModelError, match="is a tiny_cnn"):
        initial_networks(options, LABELS, print)


def test_from_keeps_the_head_only_where_labels_agree(tmp_path: Path) -> None:
    """Other labels get a new head on the old convolutions, and that is said."""
    path = save_small(tmp_path, LABELS)
    options = TrainOptions(
        dataset=(), architecture="tiny_cnn", image_size=32, head_units=8, from_model=path
    )
    said: list[str] = []
    source = read_model(path).model
    same = initial_networks(options, LABELS, said.append).networks.whole
    other = initial_networks(options, ("a", "b", "c"), said.append).networks.whole
    for found, kept in ((same, True), (other, False)):
        convolution = [model.get_layer("conv1").get_weights()[0] for model in (source, found)]
        assert np.array_equal(*convolution)
        hidden = [model.get_layer("dense").get_weights()[0] for model in (source, found)]
        assert np.array_equal(*hidden) == kept
    assert "head included" in said[0]
    assert "new head" in said[1]


def test_several_machines_are_refused_clearly() -> None:
    """Keras 3 cannot; the message names the alternative."""
    with pytest.raises(MaskdetError, match="--strategy mirrored"):
        check_multiworker("3.15.1")
    check_multiworker("4.0.0")
