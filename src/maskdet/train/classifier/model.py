"""The networks: MobileNetV2 with the usual head, and the small network of well-known notebooks.

One is trained at any input size (its pooling takes what it gets); `deployable` gives the flat graph
of a fixed size that is saved and exported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from maskdet import assets
from maskdet.errors import ModelError
from maskdet.train.classifier.options import BACKBONE_WEIGHTS, TrainOptions

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
    if options.architecture == "small_cnn":
        inputs = keras.Input((options.input_size, options.input_size, 3))
        outputs = _small_cnn(inputs, options.head_units, options.dropout, classes)
        return Networks(keras.Model(inputs, outputs), None, None, pretrained=False)
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    pretrained = _load_backbone(backbone, options.weights)
    features = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    layers = _head_layers(options.head_units, options.dropout, classes)
    head_input = keras.Input((features.shape[-1],))
    return Networks(
        whole=keras.Model(backbone.input, _chain(layers, features)),
        trunk=keras.Model(backbone.input, features),
        head=keras.Model(head_input, _chain(layers, head_input)),
        pretrained=pretrained,
    )


def deployable(source: Any, *, architecture: str, size: int, dropout: float) -> Any:
    """Copies trained weights into the flat graph of a fixed input size.

    Args:
        source: a model with the backbone's layers and `HEAD_LAYERS`.
        architecture: one of `maskdet.train.classifier.options.ARCHITECTURES`.
        size: side of the input in pixels.
        dropout: the head's, kept for whoever trains on.

    Returns:
        A Keras model, (B, size, size, 3) float32 RGB in [-1, 1] to (B, C) probabilities.
    """
    units, classes = (source.get_layer(name).units for name in HEAD_LAYERS)
    if architecture == "small_cnn":
        inputs = keras.Input((size, size, 3))
        outputs = _small_cnn(inputs, units, dropout, classes)
    else:
        backbone = keras.applications.MobileNetV2(
            include_top=False, weights=None, input_shape=(size, size, 3)
        )
        inputs, tail = backbone.input, backbone.output
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
    tensor = inputs
    for number, filters in enumerate((32, 64, 128), 1):
        tensor = keras.layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}")(tensor)
        tensor = keras.layers.MaxPooling2D(name=f"pool{number}")(tensor)
        tensor = keras.layers.Dropout(dropout / 2, name=f"dropout{number}")(tensor)
    flat = keras.layers.Flatten(name="flatten")(tensor)
    return _chain(_head_layers(units, dropout, classes), flat)


def _load_backbone(backbone: Any, weights: str) -> bool:
    if weights == "none":
        return False
    path = assets.bundled(BACKBONE_WEIGHTS) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise ModelError(f"--weights {path}: no such file")
    try:
        backbone.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = (str(error).strip() or "unreadable").splitlines()[0]
        raise ModelError(f"--weights {path}: not weights of MobileNetV2 ({reason})") from None
    return True
