"""The networks: a backbone with the usual head, and the plain networks of well-known notebooks.

One is trained at any input size (its pooling takes what it gets); `deployable` gives the flat graph
of a fixed size that is saved and exported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from maskdet.errors import ModelError
from maskdet.train.classifier.backbones import backbone, load_weights
from maskdet.train.classifier.options import PLAIN, TrainOptions

LAST_MAP = "out_relu"  # MobileNetV2's last feature map, from which heat maps are made
HEAD_LAYERS = ("dense", "dense_1")


@dataclass(frozen=True)
class Networks:
    """One set of weights seen as three models.

    Attributes:
        whole: pictures to probabilities.
        trunk: pictures to pooled features (B, F); ``None`` where the head needs the whole map.
        head: pooled features to probabilities; ``None`` likewise.
        pretrained: whether the trunk has learned anything yet.
    """

    whole: Any
    trunk: Any | None
    head: Any | None
    pretrained: bool


def build(options: TrainOptions, classes: int) -> Networks:
    """Builds the networks of a run with their first weights.

    Args:
        options: of the run.
        classes: how many labels it tells apart.

    Raises:
        ModelError: weights that are not there or are of another network.
    """
    if options.architecture in PLAIN:
        side = options.input_size
        inputs = keras.Input((side, side, 3))
        outputs = _PLAIN[options.architecture](inputs, options.head_units, options.dropout, classes)
        return Networks(keras.Model(inputs, outputs), None, None, pretrained=False)
    trunk = backbone(options.architecture, (None, None, 3), options.alpha)
    pretrained = load_weights(trunk, options)
    features = keras.layers.GlobalAveragePooling2D(name="pool")(trunk.output)
    layers = _head_layers(options.head_units, options.dropout, classes)
    head_input = keras.Input((features.shape[-1],))
    return Networks(
        whole=keras.Model(trunk.input, _chain(layers, features)),
        trunk=keras.Model(trunk.input, features),
        head=keras.Model(head_input, _chain(layers, head_input)),
        pretrained=pretrained,
    )


def deployable(
    source: Any, *, architecture: str, size: int, dropout: float, alpha: float = 1.0
) -> Any:
    """Copies trained weights into the flat graph of a fixed input size.

    Args:
        source: a model with the backbone's layers and `HEAD_LAYERS`.
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES`.
        size: side of the input in pixels.
        dropout: the head's, kept for whoever trains on.
        alpha: width of MobileNetV2.

    Returns:
        A Keras model, (B, size, size, 3) float32 RGB in [-1, 1] to (B, C) probabilities.
    """
    units, classes = (source.get_layer(name).units for name in HEAD_LAYERS)
    if architecture in PLAIN:
        inputs = keras.Input((size, size, 3))
        outputs = _PLAIN[architecture](inputs, units, dropout, classes)
    else:
        trunk = backbone(architecture, (size, size, 3), alpha)
        inputs, tail = trunk.input, trunk.output
        pool = keras.layers.AveragePooling2D(tail.shape[1:3], name="average_pooling2d")
        flat = keras.layers.Flatten(name="flatten")(pool(tail))
        outputs = _chain(_head_layers(units, dropout, classes), flat)
    model = keras.Model(inputs, outputs)
    copy_layers(source, model, (layer.name for layer in model.layers if layer.weights))
    return model


def copy_layers(source: Any, target: Any, names: Iterable[str]) -> None:
    """Copies the weights of layers by name.

    Args:
        source: Keras model to copy from.
        target: changed in place.
        names: of layers both have.

    Raises:
        ModelError: the source lacks one or has it in another shape.
    """
    for name in names:
        try:
            target.get_layer(name).set_weights(source.get_layer(name).get_weights())
        except ValueError as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"weights of another architecture: layer {name!r} ({reason})"
            ) from None


def unfreeze(networks: Networks, start: str) -> None:
    """Makes the network trainable from a layer up, batch norms left as they are.

    Their statistics come from a million photographs; those of a batch of 32 would be worse.

    Args:
        networks: a pre-trained network.
        start: name of the first trainable layer, or ``all``.

    Raises:
        ModelError: no layer has that name.
    """
    first = _number_of(networks, start)
    for number, layer in enumerate(networks.whole.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= first and not normalises


def check_layer(networks: Networks, start: str) -> None:
    """Finds out before the frozen phase whether `unfreeze` can start there.

    Raises:
        ModelError: no layer has that name.
    """
    _number_of(networks, start)


def _number_of(networks: Networks, start: str) -> int:
    names = [layer.name for layer in networks.whole.layers]
    if start != "all" and start not in names:
        raise ModelError(
            f"--fine-tune-from {start}: no such layer; 'all', 'block_13_expand' and "
            "'block_16_project' are some"
        )
    return 0 if start == "all" else names.index(start)


def freeze_trunk(networks: Networks) -> None:
    """Makes only the head trainable."""
    for layer in networks.whole.layers:
        layer.trainable = layer.name in HEAD_LAYERS


def _head_layers(units: int, dropout: float, classes: int) -> list[Any]:
    return [
        keras.layers.Dense(units, activation="relu", name=HEAD_LAYERS[0]),
        keras.layers.Dropout(dropout, name="dropout"),
        # Probabilities stay float32 where the rest computes in float16.
        keras.layers.Dense(classes, activation="softmax", name=HEAD_LAYERS[1], dtype="float32"),
    ]


def _chain(layers: Iterable[Any], tensor: Any) -> Any:
    for layer in layers:
        tensor = layer(tensor)
    return tensor


def _small_cnn(inputs: Any, units: int, dropout: float, classes: int) -> Any:
    """The notebooks' network: three convolutions, one pooling; 23.1 million weights at 124 pixels.

    Theirs ends in one sigmoid, which of two classes says the same as this softmax: sigmoid(z) is
    the softmax of (0, z).
    """
    convolutions = ((32, "same"), (64, "valid"), (128, "valid"))
    tensor = inputs
    for number, (filters, padding) in enumerate(convolutions, 1):
        convolution = keras.layers.Conv2D(
            filters, 3, padding=padding, activation="relu", name=f"conv{number}"
        )
        tensor = convolution(tensor)
    tensor = keras.layers.MaxPooling2D(name="pool")(tensor)
    tensor = keras.layers.Dropout(dropout / 2, name="dropout_map")(tensor)
    flat = keras.layers.Flatten(name="flatten")(tensor)
    flat = keras.layers.Dropout(dropout, name="dropout_flat")(flat)
    return _chain(_head_layers(units, dropout, classes), flat)


def _tiny_cnn(inputs: Any, units: int, dropout: float, classes: int) -> Any:
    """The same with a pooling and a dropout after each convolution: a hundredth of the weights."""
    tensor = inputs
    for number, filters in enumerate((32, 64, 128), 1):
        tensor = keras.layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}")(tensor)
        tensor = keras.layers.MaxPooling2D(name=f"pool{number}")(tensor)
        tensor = keras.layers.Dropout(dropout / 2, name=f"dropout{number}")(tensor)
    flat = keras.layers.Flatten(name="flatten")(tensor)
    return _chain(_head_layers(units, dropout, classes), flat)


_PLAIN = {"small_cnn": _small_cnn, "tiny_cnn": _tiny_cnn}
