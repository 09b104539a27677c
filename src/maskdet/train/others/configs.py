"""What a model file says its layers are: which are refused, and Keras 2's words in Keras 3's.

A layer is known by its class's name, and only Keras's own classes are made. Whatever else a file
names, code of its maker above all, is refused by the name of the layer before anything is built.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import keras

from maskdet.errors import ModelError

Config = dict[str, Any]

CONTAINERS = ("Functional", "Model", "Sequential")
# Layers that vary pictures in training and do nothing afterwards.
_AUGMENTATION = {
    "RandomBrightness", "RandomContrast", "RandomFlip", "RandomHeight", "RandomRotation",
    "RandomTranslation", "RandomWidth", "RandomZoom",
}  # fmt: skip
# Of a layer's settings, what says how it was trained and nothing of what it answers.
_TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")
_WITHOUT_MEANING = {"rng_type", "sparse", "ragged", "optional", "implementation", "fused"}
# Settings that Keras 3 no longer knows, and the value at which they say nothing.
_NEUTRAL: Config = {"groups": 1, "renorm": False, "virtual_batch_size": None, "adjustment": None}
_NEUTRAL |= {"time_major": False, "noise_shape": None, "synchronized": False}
# What Keras 3 computes otherwise under the same name.
_CHANGED_ACTIVATIONS = {"hard_sigmoid"}
# Modules whose classes and functions Keras itself looks up.
_KERAS_MODULES = ("keras", "tf_keras", "tensorflow", "builtins")


def check(config: Any) -> None:
    """Refuses what is not made of Keras's own layers.

    Args:
        config: of a whole model, as its file has it.

    Raises:
        ModelError: a layer is code of its maker; the message names the layer.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ModelError("does not say what its layers are")
    inner = config.get("config")
    name = str(inner.get("name") if isinstance(inner, dict) else config.get("name") or "")
    name = name or str(config["class_name"])
    for part in _parts({**config, "config": _own(inner)}):
        kind, module = str(part.get("class_name", "")), str(part.get("module") or "keras")
        if kind in ("Lambda", "__lambda__"):
            raise ModelError(f"its layer {name!r} holds code (a Lambda), which is not run")
        registered = str(part.get("registered_name") or "")
        if module.split(".")[0] not in _KERAS_MODULES or ">" in kind + registered:
            raise ModelError(
                f"its layer {name!r} is made by code of its maker ({registered or kind}), not Keras"
            )
    layers = inner.get("layers", []) if isinstance(inner, dict) else inner
    for layer in layers or []:
        check(layer)


def translate(config: Config) -> Config:
    """Puts the config of a Keras 2 model into words that Keras 3 understands.

    Args:
        config: ``class_name`` and ``config`` of a sequential or functional model.

    Raises:
        ModelError: a layer that Keras 3 does not have or computes otherwise, by its name.
    """
    kind, inner = config["class_name"], config["config"]
    if kind == "TFOpLambda":
        return _translate_operation(config)
    if kind not in CONTAINERS:
        return _translate_layer(config)
    # Before TensorFlow 2 a sequential model's config was its list of layers.
    inner = {"layers": inner} if isinstance(inner, list) else dict(inner)
    layers, name = inner["layers"], inner.get("name", kind)
    inner["layers"] = [translate(layer) for layer in layers]
    build_shape = inner.pop("build_input_shape", None)
    if kind == "Sequential":
        shape = layers[0]["config"].get("batch_input_shape") or build_shape
        if layers[0]["class_name"] != "InputLayer" and shape:
            made = {"batch_shape": list(shape), "dtype": "float32", "name": f"{name}_input"}
            inner["layers"].insert(0, {"class_name": "InputLayer", "config": made})
        return {**_outside(config), "class_name": kind, "config": inner}
    # A nested model that knows its input counts its calls from 1 there, and from 0 in Keras 3.
    nested = {layer["name"] for layer in layers if _starts_with_input(layer)}
    for layer in inner["layers"]:
        layer["inbound_nodes"] = _recounted(layer.get("inbound_nodes", []), nested)
    for key in ("input_layers", "output_layers"):
        ends = _recounted(inner[key], nested)
        inner[key] = ends[0] if len(ends) == 1 else ends
    return {**_outside(config), "class_name": "Functional", "config": inner}


def _starts_with_input(layer: Config) -> bool:
    if layer["class_name"] not in CONTAINERS or not isinstance(layer["config"], dict):
        return False
    return bool(layer["config"]["layers"][0]["class_name"] == "InputLayer")


def _recounted(node: Any, nested: set[str]) -> Any:
    """Returns references to layers, ``[name, call, output, …]``, the calls counted from 0."""
    if not isinstance(node, list):
        return node
    if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
        return [node[0], max(0, node[1] - (node[0] in nested)), *node[2:]]
    return [_recounted(item, nested) for item in node]


def _outside(config: Config) -> Config:
    """Returns what stands around a layer's own config: its name and what it is fed from."""
    return {key: config[key] for key in ("name", "inbound_nodes") if key in config}


def _translate_layer(config: Config) -> Config:
    kind, inner = config["class_name"], config["config"]
    name = inner.get("name", kind)
    if kind in _AUGMENTATION:
        made = {"name": name, "dtype": "float32"}
        return {**_outside(config), "class_name": "Identity", "config": made}
    made_by = getattr(keras.layers, kind, None)
    if not inspect.isclass(made_by) or not issubclass(made_by, keras.layers.Layer):
        raise ModelError(f"its layer {name!r} is a {kind}, which Keras 3 does not have")
    kept: Config = {}
    for key, value in inner.items():
        takes_groups = key == "groups" and kind == "Conv2D"
        neutral = key in _NEUTRAL and value == _NEUTRAL[key] and not takes_groups
        if key.endswith(_TRAINING_ONLY) or key in _WITHOUT_MEANING or neutral:
            continue
        if key == "dtype":
            value = "float32"  # what a policy of mixed precision does not change is the answer
        if key == "axis" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if key.endswith("activation"):
            value = _activation(value, name)
        kept[key] = value
    shape = kept.pop("batch_input_shape", None)
    if kind == "InputLayer":
        kept["batch_shape"] = shape
    return {**_outside(config), "class_name": kind, "config": kept}


def _activation(value: Any, name: str) -> str:
    if isinstance(value, dict):
        # A function by its name, or a layer in the place of one.
        value = value.get("config") if value.get("class_name") == "function" else value
    if not isinstance(value, str) or value in _CHANGED_ACTIVATIONS:
        raise ModelError(f"its layer {name!r} has the activation {value}: not supported")
    try:
        keras.activations.get(value)
    except (ValueError, TypeError):
        raise ModelError(f"its layer {name!r} has the activation {value}, none of Keras") from None
    return value


def _translate_operation(config: Config) -> Config:
    """Translates arithmetic with one number, as `preprocess_input` leaves it in a graph."""
    inner, nodes = config["config"], config.get("inbound_nodes", [])
    name, function = inner["name"], str(inner.get("function")).removeprefix("math.")
    source = nodes[0] if len(nodes) == 1 else []
    number = source[3].get("y") if len(source) == 4 and isinstance(source[3], dict) else None
    if not isinstance(number, int | float) or (function == "truediv" and number == 0):
        raise ModelError(f"its layer {name!r} is the operation {function}: not supported")
    scales = {
        "truediv": (1 / number if number else 0.0, 0.0),
        "multiply": (float(number), 0.0),
        "subtract": (1.0, -float(number)),
        "add": (1.0, float(number)),
        "__operators__.add": (1.0, float(number)),
    }
    if function not in scales:
        raise ModelError(f"its layer {name!r} is the operation {function}: not supported")
    scale, offset = scales[function]
    return {
        "class_name": "Rescaling",
        "config": {"name": name, "scale": scale, "offset": offset, "dtype": "float32"},
        "name": config.get("name", name),
        "inbound_nodes": [[[*source[:3], {}]]],
    }


def _own(inner: Any) -> Any:
    """Returns a layer's config without the layers inside it, which are looked at by themselves."""
    return {k: v for k, v in inner.items() if k != "layers"} if isinstance(inner, dict) else {}


def _parts(config: Any) -> Iterator[Config]:
    """Yields every object inside a config."""
    if isinstance(config, dict):
        yield config
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            yield from _parts(item)
