"""A canonical Keras model to TFLite: scaling, probabilities, logits and, where exact, maps."""

from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from maskdet.errors import ModelError
from maskdet.train.face_graph import FaceGraph, run_only
from maskdet.train.others.canonical import LABELS_LAYER
from maskdet.train.others.head import Head, read_head, run_head
from maskdet.train.quiet import no_native_output


class Graph(FaceGraph):
    """The graph of the converted file.

    Args:
        model: what `maskdet.train.others.canonical.canonical` returns.
        head: its head, for maps; ``None`` for none.
    """

    def __init__(self, model: Any, head: Head | None) -> None:
        super().__init__(model)
        logits = model.get_layer(LABELS_LAYER).input
        self._head = head
        network = keras.Model(model.input, logits if head is None else head.features)
        self._network = run_only(network)

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


class _Part(FaceGraph):
    """A model's graph up to one of its layers."""

    def __init__(self, model: Any, end: Any) -> None:
        super().__init__(model)
        self._network = run_only(keras.Model(model.input, end.output))

    def __call__(self, face: Any) -> Any:
        """Takes what the model takes; gives what the layer gives."""
        return self._network(face)


def _unconvertible(model: Any) -> str:
    """Finds the first layer up to which a model cannot be converted, by halving."""
    layers = [x for x in model.operations if not isinstance(x, keras.layers.InputLayer)]
    start, stop = 0, len(layers) - 1
    while start < stop:
        middle = (start + stop) // 2
        try:
            _convert(_Part(model, layers[middle]))
            start = middle + 1
        except ConverterError:
            stop = middle
    return f"its layer {layers[start].name!r} ({type(layers[start]).__name__})"
