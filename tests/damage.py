"""Network files damaged as by a bad disk or a stranger: nothing that is noticed at once."""

import json
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from maskdet.assets import bundled, sha256

DEQUANTIZE = 6  # of TFLite's operators


def without_output(network: bytes) -> bytes:
    """Takes an operator its output away: whatever runs it writes to no tensor, and dies of it."""
    data = bytearray(network)
    model = schema.Model.GetRootAs(data)
    graph = model.Subgraphs(0)
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        if model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() == DEQUANTIZE:
            operator.OutputsAsNumpy()[0] = -1
    return bytes(data)


def with_bits_set(network: bytes) -> bytes:
    """Sets all bits of the largest array of weights: in floats of 16 bits, none is a number."""
    data = bytearray(network)
    model = schema.Model.GetRootAs(data)
    buffers = [model.Buffers(number) for number in range(model.BuffersLength())]
    largest = max(buffers, key=lambda buffer: buffer.DataLength())
    largest.DataAsNumpy()[:] = 0xFF
    return bytes(data)


def with_changed_bytes(network: bytes, seed: int, count: int = 3) -> bytes:
    """Changes a few bytes, drawn by a seed, of the file's end, which describes the graph."""
    random = np.random.default_rng(seed)
    data = bytearray(network)
    for place in random.integers(1, min(len(data), 60_000), count):
        data[-int(place)] = int(random.integers(256))
    return bytes(data)


def as_face_detector(folder: Path, network: bytes, precision: str = "float16") -> Path:
    """Writes a face detector's folder whose card vouches for a network."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "faces.tflite"
    path.write_bytes(network)
    card = json.loads((bundled("face_detector") / "ssd_faces.json").read_text())
    card["files"] = {precision: {"name": path.name, "sha256": sha256(path)}}
    card["default_precision"] = precision
    (folder / "faces.json").write_text(json.dumps(card))
    return folder


def as_classifier(folder: Path, network: bytes) -> Path:
    """Writes a classifier whose card vouches for a network; returns the card."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mask.tflite"
    path.write_bytes(network)
    card = json.loads(bundled("models/mask_detector.json").read_text())
    card["files"] = {"tflite": {"name": path.name, "sha256": sha256(path)}}
    (folder / "mask.json").write_text(json.dumps(card))
    return folder / "mask.json"
