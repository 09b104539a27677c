"""How the trainer's tests run Keras, and what several of them begin with."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
import tensorflow as tf

import small_backbone


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[None]:
    """Runs Keras's steps one by one: a graph of these networks takes longer to make than to run."""
    tf.config.run_functions_eagerly(True)
    warnings.filterwarnings("ignore", "Even though the `tf.config")  # pictures are read in graphs
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the network in MobileNetV2's place."""
    path = tmp_path_factory.mktemp("backbone") / "backbone.weights.h5"
    keras.utils.set_random_seed(3)
    small_backbone.small_backbone((None, None, 3)).save_weights(path)
    return path
