"""A frozen trunk in the light runtime gives Keras's features."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.training


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "mobilenet_v3_small"])
def test_the_light_runtime_gives_the_same_features(
    architecture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To rounding, for a batch that fills no lane evenly; on a GPU TensorFlow gives them."""
    import keras
    import tensorflow as tf

    from maskdet.train.classifier.model import build
    from maskdet.train.classifier.options import TrainOptions
    from maskdet.train.classifier.passes import trunk as trunks

    keras.utils.set_random_seed(1)
    alpha = 0.35 if architecture == "mobilenet_v2" else 1.0
    options = TrainOptions(
        dataset=(Path("d"),), architecture=architecture, weights="none", alpha=alpha
    )
    trunk = build(options, 2).trunk
    pixels = tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 3)), tf.float32)
    expected = trunk(pixels, training=False).numpy()
    assert np.ptp(expected, axis=0).max() > 0
    light = trunks.runnable(trunk, 64)
    found = light(pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(light(pixels), found)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    np.testing.assert_allclose(trunks.runnable(trunk, 64)(pixels), expected, rtol=1e-5, atol=1e-6)
