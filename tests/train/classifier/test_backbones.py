"""The backbones: what pixels they take, how wide they are, and that a saved one is known again."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskdet.errors import ModelError
from maskdet.train.classifier.backbones import backbone, width_of
from maskdet.train.classifier.initial import initial_networks
from maskdet.train.classifier.model import build
from maskdet.train.classifier.options import TrainOptions
from maskdet.vision.preprocessing import scale_to_unit

SIZE = 32
LABELS = ("with_mask", "without_mask")


@pytest.mark.training
@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        ("mobilenet_v3_small", "MobileNetV3Small"),
        ("efficientnet_v2_b0", "EfficientNetV2B0"),
    ],
)
def test_weights_of_keras_see_the_pixels_they_were_trained_on(architecture: str, name: str) -> None:
    """A file of Keras's weights answers as Keras's own network, whose scaling is within it."""
    keras.utils.set_random_seed(0)
    theirs = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    ours = backbone(architecture, (SIZE, SIZE, 3), 1.0)
    ours.set_weights(theirs.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    expected = theirs(pixels.astype(np.float32), training=False).numpy()
    found = ours(scale_to_unit(pixels), training=False).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.training
@pytest.mark.parametrize("alpha", [0.35, 0.54, 0.275, 1.0, 1.3])
def test_the_width_of_a_network_is_told_by_its_filters(alpha: float) -> None:
    """Also one whose last block is as wide as that of another width."""
    network = backbone("mobilenet_v2", (SIZE, SIZE, 3), alpha)
    found = width_of(network)
    again = backbone("mobilenet_v2", (SIZE, SIZE, 3), found)
    assert [one.shape for one in again.weights] == [one.shape for one in network.weights]
    assert found == alpha


@pytest.mark.training
def test_a_model_of_another_width_says_which(tmp_path: Path) -> None:
    """The line names the option; with it, the run goes on from the model."""
    given: dict[str, Any] = {"image_size": SIZE, "head_units": 8, "weights": "none"}
    narrow = TrainOptions(dataset=(), alpha=0.54, **given)
    path = tmp_path / "narrow.keras"
    build(narrow, 2).whole.save(path)
    with pytest.raises(ModelError, match=r"of width 0\.54: --alpha 0\.54 trains on it"):
        initial_networks(TrainOptions(dataset=(), from_model=path, **given), LABELS, print)
    lines: list[str] = []
    going_on = TrainOptions(dataset=(), from_model=path, alpha=0.54, **given)
    assert initial_networks(going_on, LABELS, lines.append).whole
    assert "head included" in lines[0]
