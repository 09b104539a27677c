"""Channels made to reach equally far: the network computes what it did, and 8 bits lose less."""

from functools import partial

import keras
import numpy as np
import pytest

from maskdet.train.faces.networks import light, res10
from maskdet.train.faces.networks.equalising import equalise

SIDE = 32


def pictures(count: int = 4, side: int = SIDE) -> list[np.ndarray]:
    """Seeded noise."""
    rng = np.random.default_rng(7)
    return [rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count)]


def uneven(model: keras.Model) -> keras.Model:
    """Gives a network seeded weights whose channels differ, by a factor of up to thirty a layer."""
    rng = np.random.default_rng(3)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            kernel = weights[0]
            weights[0] = kernel * 30 ** rng.uniform(-0.5, 0.5, kernel.shape[2:]).astype(np.float32)
            weights[1:] = [rng.normal(0, 1, bias.shape).astype(np.float32) for bias in weights[1:]]
        layer.set_weights(weights)
    return model


def rounded(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    """What a chain of layers gives if each map is rounded to 8 bits, all its channels alike."""
    seen = picture[np.newaxis].astype(np.float32)
    for layer in model.layers[1:]:
        seen = layer(seen).numpy()
        low, high = min(seen.min(), 0), max(seen.max(), 0)
        step = (high - low) / 255
        seen = (np.round(seen / step) * step).astype(np.float32)
    return seen


@pytest.mark.parametrize(
    "build",
    [
        light.build_light_ssd,
        res10.build_ssd,
        partial(res10.build_ssd, blocked=True),
        partial(res10.build_ssd, fine=True, blocked=True),
    ],
    ids=("light", "large", "blocked", "fine"),
)
def test_the_network_computes_what_it_did(build: object) -> None:
    """The light one, most maps of which are changed, and the large one, with layers of its own."""
    side = 64
    assert callable(build)
    model = uneven(build(side))
    picture = pictures(side=side)[0][np.newaxis].astype(np.float32)
    before = model(picture, training=False)
    kernels = [layer.get_weights() for layer in model.layers]
    equalise(model, pictures(side=side))
    after = model(picture, training=False)
    for name, values in before.items():
        scale = float(np.abs(values).max())
        np.testing.assert_allclose(after[name], values, atol=1e-4 * scale, rtol=1e-3)
    changed = sum(
        any((a != b).any() for a, b in zip(old, layer.get_weights(), strict=True))
        for old, layer in zip(kernels, model.layers, strict=True)
    )
    assert changed > 10


def chain() -> keras.Model:
    """A convolution, one that looks around, a ReLU, a pool and another convolution.

    Of its channels some say a fiftieth of what others do, which the last convolution makes up for;
    some are negative in between.
    """
    keras.utils.set_random_seed(5)
    widths = np.array([1, -0.5, 0.2, -0.1, 0.05, -0.04, 0.03, -0.02], np.float32)
    pixels = keras.Input((SIDE, SIDE, 3))
    features = keras.layers.Conv2D(8, 1, name="mix")(pixels)
    features = keras.layers.DepthwiseConv2D(3, padding="same", activation="relu", name="look")(
        features
    )
    features = keras.layers.MaxPooling2D(2)(features)
    model = keras.Model(pixels, keras.layers.Conv2D(2, 1, name="head")(features))
    for name, by in (("mix", widths), ("look", np.sign(widths)[:, None]), ("head", 1 / widths)):
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        by = np.abs(by)[:, None] if name == "head" else by
        layer.set_weights([np.abs(kernel) * by, bias])
    return model


def test_every_channel_reaches_as_far_as_the_widest() -> None:
    """Upwards where there is no ReLU, though some reached further down before."""
    model = chain()
    shown = np.stack(pictures()).astype(np.float32)
    look = keras.Model(model.input, [model.get_layer(name).output for name in ("mix", "look")])
    assert (-look(shown)[0].numpy().min(axis=(0, 1, 2)) > 1).any()
    equalise(model, pictures())
    mixed, looked = (one.numpy() for one in look(shown))
    for one in (mixed, looked):
        reach = one.max(axis=(0, 1, 2))
        np.testing.assert_allclose(reach, reach.max(), rtol=1e-3)
    assert (-mixed.min(axis=(0, 1, 2)) <= mixed.max(axis=(0, 1, 2))).all()


def test_a_channel_that_says_nothing_stays_as_it_is() -> None:
    """It may say something elsewhere, and would be cut off there."""
    model = chain()
    layer = model.get_layer("look")
    kernel, bias = layer.get_weights()
    bias[2] = -1e6
    layer.set_weights([kernel, bias])
    equalise(model, pictures())
    assert model.get_layer("look").get_weights()[1][2] == -1e6


def test_eight_bits_lose_less() -> None:
    """Of what the last map says, rounded in between, a third of the error is left at most."""
    model = chain()
    exact = model(pictures()[0][np.newaxis].astype(np.float32)).numpy()
    before = np.abs(rounded(model, pictures()[0]) - exact).mean()
    equalise(model, pictures())
    after = np.abs(rounded(model, pictures()[0]) - exact).mean()
    assert after < before / 3


def test_maps_that_are_added_grow_alike() -> None:
    """Both sides of a sum get the same factors, or it would be another sum."""
    keras.utils.set_random_seed(5)
    pixels = keras.Input((SIDE, SIDE, 3))
    one = keras.layers.Conv2D(4, 1, name="one")(pixels)
    other = keras.layers.Conv2D(4, 1, name="other")(pixels)
    total = keras.layers.ReLU()(keras.layers.Add(name="sum")([one, other]))
    model = uneven(keras.Model(pixels, keras.layers.Conv2D(2, 1)(total)))
    kernels = [model.get_layer(name).get_weights()[0] for name in ("one", "other")]
    shown = pictures()[0][np.newaxis].astype(np.float32)
    before = model(shown).numpy()
    equalise(model, pictures())
    np.testing.assert_allclose(model(shown).numpy(), before, rtol=1e-3, atol=1e-2)
    grown = [
        (model.get_layer(name).get_weights()[0] / kernel)[0, 0, 0]
        for name, kernel in zip(("one", "other"), kernels, strict=True)
    ]
    np.testing.assert_allclose(grown[0], grown[1], rtol=1e-4)
    assert grown[0].min() >= 0.999
    assert grown[0].max() > 1.5
