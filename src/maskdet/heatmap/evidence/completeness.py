"""Whether the maps of an exported file add up to its logits, checked inside the file itself.

logit_c = mean(cam_c) + W2[:, c] . (g * b1) + b2[c], with g the gate (1 where a hidden unit is above
0) and b1, W2, b2 of the head. The gate is read out of the running graph, for in an int8 file it
follows from features that no other file has; the weights are those of the Keras file.
"""

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from maskdet.detections import FloatArray
from maskdet.errors import ModelError
from maskdet.media.frames import UInt8Array
from maskdet.standard_error import silent_standard_error
from maskdet.vision.runtime import refused


def bias_shares(network: Path, keras_file: Path, faces: UInt8Array) -> FloatArray:
    """Returns the part of each logit that is no place's: what the biases add.

    Args:
        network: the TFLite file.
        keras_file: the same model's ``.keras`` file.
        faces: (N, S, S, 3) uint8 RGB.

    Returns:
        (N, C) float32.

    Raises:
        ModelError: the Keras file is not of maskdet's head, or the graph has no such layer.
    """
    hidden_bias, kernel, bias = _head(keras_file)
    with refused(network), silent_standard_error(), warnings.catch_warnings():
        # That keeping every tensor takes memory, which is what it is for.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(str(network), experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    # Before and after the ReLU: either is above 0 where the gate is open.
    wanted = [1, len(hidden_bias)]
    found = [
        detail["index"]
        for detail in interpreter.get_tensor_details()
        if detail["dtype"] == np.float32 and detail["shape"].tolist() == wanted
    ]
    if not found:
        raise ModelError(f"{network}: has no hidden layer of {len(hidden_bias)} units in float")
    taken: Any = interpreter.get_input_details()[0]
    shares = []
    for face in faces:
        interpreter.set_tensor(taken["index"], face[np.newaxis].astype(taken["dtype"]))
        with refused(network):
            interpreter.invoke()
        gate = interpreter.get_tensor(found[0])[0] > 0
        shares.append((gate * hidden_bias) @ kernel + bias)
    return np.stack(shares).astype(np.float32)


def _head(keras_file: Path) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Reads the hidden layer's bias, the last layer's kernel and bias, without loading Keras."""
    import h5py

    try:
        with zipfile.ZipFile(keras_file) as archive:
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights) as file:
            hidden, last = (file["layers"][name]["vars"] for name in ("dense", "dense_1"))
            return np.asarray(hidden["1"]), np.asarray(last["0"]), np.asarray(last["1"])
    except (OSError, KeyError, zipfile.BadZipFile):
        raise ModelError(f"{keras_file}: has no head of two dense layers") from None
