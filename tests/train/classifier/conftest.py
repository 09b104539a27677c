"""How the trainer's tests run Keras."""

import warnings
from collections.abc import Iterator

import pytest
import tensorflow as tf


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[None]:
    """Runs Keras's steps one by one: a graph of these networks takes longer to make than to run."""
    tf.config.run_functions_eagerly(True)
    warnings.filterwarnings("ignore", "Even though the `tf.config")  # pictures are read in graphs
    yield
    tf.config.run_functions_eagerly(False)
