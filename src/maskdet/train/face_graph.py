"""What every graph has in common that is exported for one picture at a time."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf


class FaceGraph(tf.Module):  # type: ignore[misc]
    """A graph to be exported; what it computes is its `__call__`, on (1, S, S, 3) pixels in 0..255.

    Args:
        model: the Keras model it is made of.
        size: side of the input in pixels; ``None`` for the model's own.
    """

    # What its signature calls what goes in.
    input_name = "face"

    def __init__(self, model: Any, size: int | None = None) -> None:
        super().__init__()
        self._size = size or model.input_shape[1]
        # The converter turns TensorFlow's variables to constants, which Keras's own only wrap.
        self._tracked = [variable.value for variable in model.weights]

    def signature(self) -> Any:
        """Returns the concrete function of one picture."""
        spec = tf.TensorSpec((1, self._size, self._size, 3), tf.float32, name=self.input_name)
        return tf.function(
            self.__call__, input_signature=[spec], autograph=False
        ).get_concrete_function()


def run_only(network: Any) -> Callable[[Any], Any]:
    """Returns a Keras model as a function, which TensorFlow does not take for a model.

    It would save each of its layers, too, which takes three times as long.
    """
    return functools.partial(network, training=False)
