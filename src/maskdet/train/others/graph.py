"""A canonical Keras model to TFLite: scaling, probabilities, logits and, where exact, maps."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from maskdet.errors import ModelError
from maskdet.train.others.canonical import LABELS_LAYER
from maskdet.train.others.head import Head, read_head, run_head
from maskdet.train.quiet import no_native_output


class Graph(tf.Module):  # type: ignore[misc]
    """The graph of the converted file.

    Args:
        model: what `maskdet.train.others.canonical.canonical` returns.
        head: its head, for maps; ``None`` for none.
    """

    def __init__(self, model: Any, head: Head | None) -> None:
        super().__init__()
        logits = model.get_layer(LABELS_LAYER).input
        self._head = head
        network = keras.Model(model.input, logits if head is None else head.features)
        # Not a model to TensorFlow, which would save each of its layers, too: three times as slow.
        self._network = functools.partial(network, training=False)
        self._size = model.input_shape[1]
        # The converter turns TensorFlow's variables to constants, which Keras's own only wrap.
        self._tracked = [variable.value for variable in model.weights]

    def signature(self) -> Any:
        """Returns the concrete function of one face."""
        spec = tf.TensorSpec((1, self._size, self._size, 3), tf.float32, name="face")
        return tf.function(
            self.__call__, input_signature=[spec], autograph=False
        ).get_concrete_function()

    def __call__(self, face: Any) -> dict[str, Any]:
        """Takes (1, S, S, 3) RGB in 0..255; gives probabilities, logits and maps."""
        given = self._network(face / 127.5 - 1.0)
        if self._head is None:
            return {"probabilities": tf.nn.softmax(given), "logits": tf.identity(given)}
        logits, cam = run_head(self._head, given)
        return {"probabilities": tf.nn.softmax(logits), "logits": tf.identity(logits), "cam": cam}


def to_tflite(model: Any) -> tuple[bytes, str | None]:
    """Converts a canonical model.

    Returns:
        The bytes of a TFLite file with input ``face``, (1, S, S, 3) float32 RGB 0..255, and float32
        outputs ``probabilities`` (1, C), ``logits`` (1, C) and ``cam`` (1, h, w, C); and why the
        last is missing, ``None`` where it is there.

    Raises:
        ModelError: a layer that TFLite has no operations for, by its name.
    """
    found = read_head(model)
    head, reason = (None, found) if isinstance(found, str) else (found, None)
    try:
        return _convert(Graph(model, head)), reason
    except ConverterError:
        raise ModelError(f"TFLite has no operations for {_unconvertible(model)}") from None


def _convert(module: Any) -> bytes:
    with no_native_output():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([module.signature()], module)
        return bytes(converter.convert())


class _Alone(tf.Module):  # type: ignore[misc]
    """One layer as a network of its own."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        given = layer.input
        self._given: Callable[[], list[Any]] = functools.partial(
            list, given if isinstance(given, list) else [given]
        )
        self._layer = functools.partial(layer)
        self._tracked = [variable.value for variable in getattr(layer, "weights", [])]

    def signature(self) -> Any:
        """Returns the concrete function of one picture."""
        specs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in self._given()]

        def call(*tensors: Any) -> Any:
            return self._layer(list(tensors) if len(tensors) > 1 else tensors[0])

        return tf.function(call, input_signature=specs, autograph=False).get_concrete_function()


def _unconvertible(model: Any) -> str:
    """Finds the layer that cannot be converted, by trying each."""
    for layer in model.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        try:
            _convert(_Alone(layer))
        except ConverterError:
            return f"its layer {layer.name!r} ({type(layer).__name__})"
    return "its graph as a whole"
