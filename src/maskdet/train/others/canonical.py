"""A model of others as maskdet runs its own: RGB from -1 to 1 in, a softmax over labels out.

The layers stay what they are. Nested models are laid flat, so that heat maps find the last map, and
a few layers before and after turn the one convention into the other.
"""

from typing import Any

import keras
import numpy as np

from maskdet.errors import ModelError
from maskdet.train.others.convention import LUMA, Convention

# The last layer of every model made here; what goes into it are the logits.
LABELS_LAYER = "labels"


def canonical(model: Any, convention: Convention) -> Any:
    """Makes a flat model of maskdet's conventions, with layers and weights of its own.

    Args:
        model: as read.
        convention: what it takes and gives.

    Returns:
        A functional Keras model, (B, size, size, 3) RGB in [-1, 1] to (B, C) probabilities, that
        ends in a softmax called `LABELS_LAYER`.

    Raises:
        ModelError: a nested model of several inputs or outputs, by its name.
    """
    flat = flatten(model)
    picture = keras.Input((convention.size, convention.size, 3), name="face")
    whole = keras.Model(picture, flat.call(_adapted(picture, convention)))
    # Layers that were called once only, by which their inputs and outputs are known.
    clean = keras.models.clone_model(whole, call_function=_call)
    _copy_weights([(layer, clean.get_layer(layer.name)) for layer in whole.layers])
    return keras.Model(clean.input, _labelled(clean, convention))


def flatten(model: Any) -> Any:
    """Copies a model into a functional one of the same layers, none of them a model.

    Raises:
        ModelError: a nested model of several inputs or outputs, by its name.
    """
    return _Flattening().flat(model)


def last_layer(model: Any) -> Any:
    """Returns the layer of a flat model that gives its output."""
    return next(layer for layer in model.layers if layer.output is model.output)


class _Flattening:
    """Copies models layer by layer, nested ones into the model around them."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def flat(self, model: Any) -> Any:
        """Returns a functional model of the same layers, none of them a model."""
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ModelError(f"its part {model.name!r} has several inputs or outputs")
        copies: list[tuple[Any, Any]] = []

        def copy(layer: Any) -> Any:
            made = self._copy(layer)
            copies.append((layer, made))
            return made

        if isinstance(model, keras.Sequential):
            start = tensor = keras.Input(batch_shape=model.input_shape)
            for layer in model.layers:
                tensor = _call(copy(layer), tensor)
            made = keras.Model(start, tensor)
        else:
            made = keras.models.clone_model(model, clone_function=copy, call_function=_call)
        _copy_weights(copies)
        return made

    def _copy(self, layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return self.flat(layer)
        config = layer.get_config()
        name, number = layer.name, 1
        while name in self._taken:
            name, number = f"{layer.name}_{number}", number + 1
        self._taken.add(name)
        if isinstance(layer, keras.layers.Layer):
            config |= {"name": name, "dtype": "float32"}
        return type(layer).from_config(config)


def _call(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Calls a layer; of a model each layer is called by itself, which leaves no model around it."""
    if isinstance(layer, keras.Model):
        return layer.call(args[0])
    # Left where a model was called, and nothing to tensors.
    if type(layer).__name__ == "ConvertToTensor":
        return args[0]
    return layer(*args, **kwargs)


def _copy_weights(pairs: list[tuple[Any, Any]]) -> None:
    for source, target in pairs:
        if not isinstance(source, keras.Model) and getattr(source, "weights", None):
            target.set_weights(source.get_weights())
            if isinstance(target, keras.layers.Normalization):
                target.finalize_state()


def _adapted(picture: Any, convention: Convention) -> Any:
    """Turns RGB from -1 to 1 into what the model takes."""
    tensor = picture
    if convention.channels == 1 or convention.colour == "BGR":
        mixed = keras.layers.Conv2D(convention.channels, 1, use_bias=False, name="colours")
        tensor = mixed(tensor)
        kernel = LUMA[:, np.newaxis] if convention.channels == 1 else np.eye(3)[::-1]
        mixed.set_weights([kernel.reshape(1, 1, 3, -1).astype(np.float32)])
    scale = (convention.high - convention.low) / 2
    offset = convention.low + scale
    if (scale, offset) != (1, 0):
        tensor = keras.layers.Rescaling(scale, offset, name="levels")(tensor)
    return tensor


def _labelled(model: Any, convention: Convention) -> Any:
    """Ends a flat model in a softmax over its labels."""
    last = last_layer(model)
    logits = model.output
    if isinstance(last, keras.layers.Activation | keras.layers.Softmax):
        logits = last.input
    elif getattr(last, "activation", keras.activations.linear) is not keras.activations.linear:
        linear = type(last).from_config({**last.get_config(), "activation": "linear"})
        logits = linear(last.input)
        linear.set_weights(last.get_weights())
    if convention.outputs == 1:
        # exp(z/2) to exp(-z/2) is to 1 as the sigmoid of z says.
        two = keras.layers.Dense(2, use_bias=False, name="two_labels")
        logits = two(logits)
        two.set_weights([np.array([[-0.5, 0.5]], np.float32)])
    elif convention.ending == "sigmoid":
        logits = keras.layers.Activation("log_sigmoid", name="log_sigmoid")(logits)
    return keras.layers.Softmax(name=LABELS_LAYER)(logits)
