"""A model's arrays out of its file into its layers, each found by name and none left over."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from maskdet.errors import ModelError
from maskdet.train.others.configs import Config

_VALUE = "VARIABLE_VALUE"
# Keras 2's names of variables that Keras 3 calls otherwise.
_CHECKPOINT_NAMES = {(keras.layers.DepthwiseConv2D, "kernel"): "depthwise_kernel"}


def fill_from_hdf5(model: Any, file: Any) -> None:
    """Fills a model with the arrays of an HDF5 file: one group a layer of the outermost model.

    Raises:
        ModelError: a layer's arrays are missing or of another shape, or there are more.
    """
    groups, filled = file["model_weights"], set()
    layers = {layer.name: layer for layer in model.layers}
    for name in _names(groups, "layer_names"):
        arrays = {
            key: np.asarray(groups[name][key]) for key in _names(groups[name], "weight_names")
        }
        if not arrays:
            continue
        if name not in layers:
            raise ModelError(f"holds weights of a layer {name!r} that its graph does not have")
        layer = layers[name]
        if isinstance(layer, keras.Model):
            _fill_nested(layer, arrays)
        else:
            _fill(layer, list(arrays.values()))
        filled |= {id(leaf) for leaf in leaves(layer)}
    _check_filled(model, filled)


def fill_from_checkpoint(model: Any, config: Config, prefix: str) -> None:
    """Fills a model with the variables of a SavedModel folder.

    Args:
        model: built from `config`.
        config: Keras 2's, whose order of layers is that of the checkpoint.
        prefix: of the checkpoint's files.

    Raises:
        ModelError: a layer's variables are missing or of another shape.
    """
    reader = tf.train.load_checkpoint(prefix)
    nodes = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")).nodes
    filled: set[int] = set()

    def fill(model: Any, config: Config, node: Any) -> None:
        layers = {layer.name: layer for layer in model.layers}
        number = 0
        for entry in config["config"]["layers"]:
            layer = layers.get(entry["config"]["name"])
            if layer is None or not layer.weights:
                continue
            child = _child(nodes, node, f"layer_with_weights-{number}", layer.name)
            number += 1
            if isinstance(layer, keras.Model):
                fill(layer, entry, child)
                continue
            names = [_CHECKPOINT_NAMES.get((type(layer), v.name), v.name) for v in layer.weights]
            variables = [_child(nodes, child, name, layer.name) for name in names]
            keys = [
                next((a.checkpoint_key for a in v.attributes if a.name == _VALUE), "")
                for v in variables
            ]
            _fill(layer, [reader.get_tensor(key) for key in keys])
            filled.add(id(layer))

    fill(model, config, nodes[0])
    _check_filled(model, filled)


def leaves(layer: Any) -> Iterator[Any]:
    """Yields the layers and operations of a model, those of nested models in their place."""
    if not isinstance(layer, keras.Model):
        yield layer
        return
    inside = layer.layers if isinstance(layer, keras.Sequential) else layer.operations
    for one in inside:
        yield from leaves(one)


def _names(group: Any, key: str) -> list[str]:
    """Reads a list of names, which Keras cuts in parts where it is long."""
    parts = [group.attrs[key]] if key in group.attrs else []
    while f"{key}{len(parts)}" in group.attrs:
        parts.append(group.attrs[f"{key}{len(parts)}"])
    return [n.decode() if isinstance(n, bytes) else str(n) for part in parts for n in part]


def _fill(layer: Any, arrays: list[Any]) -> None:
    if isinstance(layer, keras.layers.Normalization):
        arrays = arrays[:2]  # the third counts what the first two were measured on
    try:
        layer.set_weights(arrays)
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ModelError(f"its layer {layer.name!r} does not take its weights: {shapes}") from None
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()


def _fill_nested(model: Any, arrays: dict[str, Any]) -> None:
    """Fills a nested model, whose arrays are called by layer and variable: ``Conv1/kernel:0``."""
    by_layer: dict[str, list[Any]] = {}
    for key, array in arrays.items():
        by_layer.setdefault(key.split("/")[-2], []).append(array)
    for layer in leaves(model):
        if getattr(layer, "weights", None):
            if layer.name not in by_layer:
                raise ModelError(f"holds no weights of its layer {layer.name!r}")
            _fill(layer, by_layer.pop(layer.name))
    if by_layer:
        raise ModelError(f"holds weights of a layer {next(iter(by_layer))!r} not in its graph")


def _child(nodes: Any, node: Any, name: str, layer: str) -> Any:
    for child in node.children:
        if child.local_name == name:
            return nodes[child.node_id]
    raise ModelError(f"holds no {name} of its layer {layer!r}")


def _check_filled(model: Any, filled: set[int]) -> None:
    for layer in leaves(model):
        if getattr(layer, "weights", None) and id(layer) not in filled:
            raise ModelError(f"holds no weights of its layer {layer.name!r}")
