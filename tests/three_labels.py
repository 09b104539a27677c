"""A tiny classifier of three labels, written as a TFLite file without TensorFlow.

Its answer is that of its biases and of the crop's colours: each label's map is the mean blue, green
or red of a sixteenth of the crop, so that a test can tell what it must say.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from maskdet.assets import sha256
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL

LABELS = (MASK_LABEL, NO_MASK_LABEL, INCORRECT_LABEL)
SIZE, CELLS = 32, 4
# How much a label's logit is raised by 255 grey levels of its colour.
GAIN = 4.0


def write_model(
    folder: Path,
    biases: Sequence[float],
    labels: Sequence[str] = LABELS,
    temperature: float = 1.0,
) -> Path:
    """Writes a model and its card.

    Args:
        folder: where they go.
        biases: of the three logits. The first is raised by blue, the second by red, the third by
            green.
        labels: of the three.
        temperature: the card's.

    Returns:
        The card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / "three.tflite"
    network.write_bytes(_network(np.asarray(biases, np.float32)))
    card = folder / "three.json"
    entry = {"name": network.name, "sha256": sha256(network)}
    fields: dict[str, Any] = {
        "format": 1,
        "labels": list(labels),
        "input": {"size": SIZE, "colour": "RGB", "range": [0, 255]},
        "crop_margin": 0.25,
        "temperature": temperature,
        "files": {"tflite": entry},
    }
    card.write_text(json.dumps(fields))
    return card


def _network(biases: np.ndarray) -> bytes:
    """Returns the file: cast, average pool, 1x1 convolution (the maps), mean, softmax."""
    # Rows are labels; columns red, green, blue.
    weights = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float32) * GAIN / 255
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, model.operatorCodes = [], [], []

    def tensor(
        name: str, shape: Sequence[int], data: np.ndarray | None = None, kind: int = 0
    ) -> int:
        new = schema.TensorT()
        new.name, new.shape, new.type, new.buffer = name.encode(), list(shape), kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            new.buffer = len(model.buffers) - 1
        graph.tensors.append(new)
        return len(graph.tensors) - 1

    def operator(kind: str, options: Any, inputs: list[int], output: int) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode, code.version = code.builtinCode, 1
        model.operatorCodes.append(code)
        new = schema.OperatorT()
        new.opcodeIndex, new.inputs, new.outputs = len(model.operatorCodes) - 1, inputs, [output]
        if options is not None:
            new.builtinOptions = options
            name = type(options).__name__.removesuffix("T")
            new.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        graph.operators.append(new)

    kinds = schema.TensorType
    pixels = tensor("image", (1, SIZE, SIZE, 3), kind=kinds.UINT8)
    floats = tensor("floats", (1, SIZE, SIZE, 3))
    cells = tensor("cells", (1, CELLS, CELLS, 3))
    cam = tensor("cam", (1, CELLS, CELLS, 3))
    logits = tensor("logits", (1, 3))
    shares = tensor("probabilities", (1, 3))
    kernel = tensor("kernel", (3, 1, 1, 3), weights)
    bias = tensor("bias", (3,), biases)
    axes = tensor("axes", (2,), np.array([1, 2], np.int32), kinds.INT32)
    mean = tensor("mean", (1, 3))
    operator("CAST", None, [pixels], floats)
    pool = schema.Pool2DOptionsT()
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = SIZE // CELLS
    pool.padding = schema.Padding.VALID
    operator("AVERAGE_POOL_2D", pool, [floats], cells)
    convolution = schema.Conv2DOptionsT()
    convolution.strideW = convolution.strideH = 1
    convolution.dilationWFactor = convolution.dilationHFactor = 1
    convolution.padding = schema.Padding.VALID
    operator(
        "CONV_2D", convolution, [cells, kernel, tensor("zero", (3,), np.zeros(3, np.float32))], cam
    )
    operator("MEAN", schema.ReducerOptionsT(), [cam, axes], mean)
    operator("ADD", schema.AddOptionsT(), [mean, bias], logits)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    operator("SOFTMAX", softmax, [logits], shares)
    graph.inputs, graph.outputs = [pixels], [shares, logits, cam]
    model.subgraphs = [graph]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs = [_named("image", pixels)]
    signature.outputs = [
        _named("probabilities", shares), _named("logits", logits), _named("cam", cam),
    ]  # fmt: skip
    model.signatureDefs = [signature]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), index
    return entry
