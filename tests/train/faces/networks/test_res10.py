"""The SSD's Keras graph: its maps, and how Caffe's weights are folded into it."""

import numpy as np
import pytest
import tensorflow as tf

from maskdet.train.faces.networks import caffe, res10
from maskdet.train.faces.networks.caffe import load_caffe_weights
from maskdet.train.faces.networks.export import copy_weights
from maskdet.train.faces.networks.layers import ChannelNormalization, DilatedConvolution


@pytest.fixture(scope="module")
def blobs() -> dict[str, list[np.ndarray]]:
    """Random weights under Caffe's layer names and in its shapes, with running sums as it keeps."""
    random = np.random.default_rng(3)
    arrays: dict[str, list[np.ndarray]] = {}
    folded = caffe._FOLDED_INTO_CONVOLUTION | caffe._FOLDED_INTO_AFFINE  # noqa: SLF001
    for layer in res10.build_ssd().layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if layer.name in folded:
            channels = shapes[-1][0]
            norm, scale = folded[layer.name]
            arrays[norm] = [
                random.normal(size=channels),
                random.uniform(1, 2, channels),
                np.array([4.0]),
            ]
            arrays[scale] = [random.normal(size=channels), random.normal(size=channels)]
        if shapes and layer.name not in caffe._FOLDED_INTO_AFFINE:  # noqa: SLF001
            kernel = shapes[0] if len(shapes[0]) < 4 else tuple(shapes[0][i] for i in (3, 2, 0, 1))
            arrays[layer.name] = [0.1 * random.normal(size=kernel)]
            if layer.name not in folded and len(shapes) == 2:
                arrays[layer.name].append(random.normal(size=shapes[1]))
    return {name: [array.astype(np.float32) for array in layer] for name, layer in arrays.items()}


def test_head_maps_have_the_sizes_of_the_published_network() -> None:
    """38, 19, 10, 5, 5, 5 cells a side at 300, four offsets and two logits a prior."""
    outputs = res10.build_ssd(300).output
    for index, (side, priors) in enumerate([(38, 4), (19, 6), (10, 6), (5, 6), (5, 4), (5, 4)]):
        assert outputs[f"loc_{index}"].shape == (None, side, side, priors * 4)
        assert outputs[f"conf_{index}"].shape == (None, side, side, priors * 2)


def test_the_mean_is_subtracted_and_the_norm_applied(blobs: dict[str, list[np.ndarray]]) -> None:
    """The first step equals Caffe's: pixels less mean, normalised by sums over their factor."""
    model = res10.build_ssd()
    load_caffe_weights(model, blobs)
    pixels = np.array([[[[10, 200, 30]]]], np.float32)
    (mean, variance, factor), (gamma, beta) = blobs["data_bn"], blobs["data_scale"]
    centred = pixels - np.array([104, 177, 123])
    expected = gamma * (centred - mean / factor) / np.sqrt(variance / factor + 1e-5) + beta
    found = model.get_layer("data_bn")(pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_a_folded_convolution_equals_convolution_then_norm(
    blobs: dict[str, list[np.ndarray]],
) -> None:
    """One output worked out from Caffe's kernel layout, then normalised, scaled and rectified."""
    model = res10.build_ssd()
    load_caffe_weights(model, blobs)
    features = np.random.default_rng(5).normal(size=(1, 3, 3, 32)).astype(np.float32)
    (kernel,) = blobs["layer_64_1_conv1_h"]
    plain = np.einsum("yxc,kcyx->k", features[0], kernel)
    (mean, variance, factor), (gamma, beta) = (
        blobs["layer_64_1_bn2_h"],
        blobs["layer_64_1_scale2_h"],
    )
    expected = gamma * (plain - mean / factor) / np.sqrt(variance / factor + 1e-5) + beta
    found = np.asarray(model.get_layer("layer_64_1_conv1_h")(features))[0, 1, 1]
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=1e-3, atol=1e-4)


def test_normalised_channels_have_length_one_times_the_scale() -> None:
    """(3, 4) has length 5; the scale starts at 20."""
    layer = ChannelNormalization()
    features = np.array([[[[3, 4]]]], np.float32)
    np.testing.assert_allclose(layer(features), [[[[12, 16]]]], rtol=1e-6)


def test_a_missing_layer_is_refused(blobs: dict[str, list[np.ndarray]]) -> None:
    """Weights of another network do not load half-way without a word."""
    partial = {name: arrays for name, arrays in blobs.items() if name != "conv9_2_h"}
    with pytest.raises(KeyError, match="conv9_2_h"):
        load_caffe_weights(res10.build_ssd(), partial)


def test_the_blocked_network_is_the_same_function(blobs: dict[str, list[np.ndarray]]) -> None:
    """Every head map, borders too: only the order of the sums differs."""
    plain, blocked = res10.build_ssd(96), res10.build_ssd(96, blocked=True)
    load_caffe_weights(plain, blobs)
    copy_weights(plain, blocked)
    pixels = np.random.default_rng(6).uniform(0, 255, (1, 96, 96, 3)).astype(np.float32)
    expected, found = plain(pixels), blocked(pixels)
    for name, head in expected.items():
        scale = float(np.abs(head).max())
        np.testing.assert_allclose(found[name], head, atol=1e-4 * scale)


def test_the_dilated_convolution_learns_on_any_processor() -> None:
    """In training the same function, without the gradient that few processors have."""
    layer = DilatedConvolution(4, 3, dilation_rate=2, padding="same", use_bias=False)
    features = np.random.default_rng(7).normal(size=(1, 7, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(features, training=True), layer(features), atol=1e-5)

    @tf.function
    def gradients(features: tf.Tensor) -> list[tf.Tensor]:
        learning = tf.gradients(layer(features, training=True), [features, layer.kernel.value])
        return list(learning)

    found = gradients(tf.constant(features))
    assert all(np.isfinite(gradient).all() for gradient in found)
    graph = gradients.get_concrete_function(tf.constant(features)).graph
    backward = [node for node in graph.get_operations() if "Backprop" in node.type]
    assert backward
    assert all(set(node.get_attr("dilations")) == {1} for node in backward)
