"""A frozen trunk as it is run: by TensorFlow on a GPU, by the light runtime on a processor.

What `detect` runs faces through takes less time than TensorFlow for the same sums, and thousands of
pictures go through the trunk before the head has learned anything.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from maskdet.train.face_graph import FaceGraph, run_only
from maskdet.train.quiet import no_native_output
from maskdet.vision.lanes import cores_here
from maskdet.vision.runtime import Network

Trunk = Callable[[Any], NDArray[np.float32]]
"""Takes a tensor (B, S, S, 3) in [-1, 1], gives features (B, F)."""


def runnable(trunk: Any, size: int) -> Trunk:
    """Returns what computes a trunk's features fastest, to the same but for rounding.

    Args:
        trunk: Keras model, pictures to pooled features (B, F); it is taken as it is now.
        size: side of the pictures in pixels.
    """
    if tf.config.list_physical_devices("GPU"):
        # `predict_on_batch` would answer once for each replica of a distribution strategy.
        function = tf.function(run_only(trunk))
        return lambda pixels: np.asarray(function(pixels))
    return _Light(trunk, size)


class _TrunkGraph(FaceGraph):
    """A trunk to be exported; it takes (1, S, S, 3) in [-1, 1]."""

    def __init__(self, trunk: Any, size: int) -> None:
        super().__init__(trunk, size)
        self._trunk = run_only(trunk)

    def __call__(self, face: Any) -> dict[str, Any]:
        return {"features": self._trunk(face)}


class _Light:
    """A trunk in the light runtime, a picture a core."""

    def __init__(self, trunk: Any, size: int) -> None:
        graph = _TrunkGraph(trunk, size)
        # The runtime maps the file into memory for as long as it is there.
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "trunk.tflite")
        with no_native_output():
            signature = graph.signature()
            converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], graph)
            path.write_bytes(converter.convert())
            self._network = Network(path, lanes=cores_here(), trusted=True)

    def __call__(self, pixels: Any) -> NDArray[np.float32]:
        return self._network.run(np.asarray(pixels))["features"]
