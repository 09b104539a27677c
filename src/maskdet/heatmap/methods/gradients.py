"""Class activation maps of any Keras model by gradients: the one module of heat maps that needs it.

With A the output of a layer, K channels at P places, and G the gradient of a logit by A:

- ``hirescam``: P sum_k(G A), place by place (Draelos and Carin, "Use HiResCAM instead of Grad-CAM
  for faithful explanations", 2020). On a head that is linear up to its ReLUs its mean plus a share
  of the biases is the logit, exactly: this is `cam`, the closed form of the exported graph.
- ``gradcam``: sum_k(w_k A_k), w_k the sum of G over the places (Selvaraju et al., "Grad-CAM", ICCV
  2017, section 3, before its ReLU and times P). The same as the above where A is pooled globally.
- ``gradcam++``: w_k = sum(alpha relu(G)), alpha = G^2 / (2 G^2 + G^3 sum(A_k)), then a ReLU
  (Chattopadhay et al., "Grad-CAM++", WACV 2018, equations 10 and 19).
- ``layercam``: P relu(sum_k(relu(G) A)) (Jiang et al., "LayerCAM", TIP 2021, equation 6).
- ``scorecam``: no gradient; w_k is the softmax over channels of the logit of the input seen through
  channel k, then a ReLU (Wang et al., "Score-CAM", CVPR workshops 2020), on the channels of
  greatest variance only (as in Li et al., "Faster Score-CAM", 2020): 1,280 passes a face would be
  some ten seconds.

The factor P puts maps in units of the logit: a map's value at a place is what the logit would be
made of if all places were like it.
"""

import logging
import zipfile
from pathlib import Path
from typing import Any, cast

import cv2
import keras
import numpy as np
import tensorflow as tf

from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.errors import ModelError
from maskdet.heatmap.methods.weighting import COMBINE
from maskdet.vision.preprocessing import UInt8Array, scale_to_unit

# Its warnings are advice on speed.
tf.get_logger().setLevel(logging.ERROR)

# Channels that Score-CAM looks through, and inputs in a batch.
SCORE_CHANNELS = 64
_BATCH = 16

_POOLING = (
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Flatten,
)
# What a head may be made of for `cam` to be exact, apart from dense layers with a ReLU or nothing.
_LINEAR = (
    *_POOLING,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.Identity,
    keras.layers.ReLU,
)


class KerasExplainer:
    """Maps of a Keras model; see `maskdet.heatmap.methods.explainers.Explainer`.

    Args:
        path: the ``.keras`` file, loaded in safe mode.
        labels: the class names; ``None`` for the usual two, or numbered ones.
        method: one of `maskdet.heatmap.methods.explainers.METHODS`.
        layer: name of the layer to map; ``None`` for the last feature map.
        resolution: side of the input in pixels; ``None`` for the model's own.

    Raises:
        ModelError: the file is missing or no such model, the layer does not exist, or the model
            cannot be mapped like this.
    """

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...] | None,
        *,
        method: str,
        layer: str | None = None,
        resolution: int | None = None,
    ) -> None:
        model = _load(path)
        own_size = model.input_shape[1]
        self.size = int(resolution or own_size or 224)
        self.method = method
        last = feature_layer(model)
        tail = model.layers[model.layers.index(last) + 1 :]
        if resolution is not None and resolution != own_size:
            model = _resized(model, last, tail, resolution, path)
            last = feature_layer(model)
            tail = model.layers[model.layers.index(last) + 1 :]
        obstacle = _obstacle(tail)
        if method == "cam" and (obstacle or layer not in (None, last.name)):
            what = obstacle or f"there is more than a head after {layer}"
            raise ModelError(f"{path}: no exact map, {what}; --method gradcam gives one")
        classes = int(model.output_shape[-1])
        self.labels = labels or _usual_labels(classes)
        if len(self.labels) != classes:
            raise ModelError(
                f"{path}: tells {classes} labels apart, its card names {len(self.labels)}"
            )
        mapped = last if layer is None else _find_layer(model, layer, path)
        pools = bool(tail) and _pools_all(tail[0])
        self.exact = (
            obstacle is None
            and mapped is last
            and (method in ("cam", "hirescam") or (method == "gradcam" and pools))
        )
        self._network = keras.Model(model.input, [mapped.output, _logits(model, path)])
        self._gradients = tf.function(self._trace, autograph=False, reduce_retracing=True)
        self._forward = tf.function(self._run, autograph=False, reduce_retracing=True)

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Does what `maskdet.heatmap.methods.explainers.Explainer.explain` says."""
        inputs = scale_to_unit(faces)
        if self.method == "scorecam":
            return self._score_cam(inputs)
        features, logits, gradients = (
            np.asarray(tensor) for tensor in self._gradients(tf.constant(inputs))
        )
        return logits, COMBINE[self.method](features, gradients)

    def _run(self, inputs: Any) -> tuple[Any, Any]:
        features, logits = self._network(inputs, training=False)
        return features, logits

    def _trace(self, inputs: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            features, logits = self._network(inputs, training=False)
            columns = tf.unstack(logits, axis=1)
        gradients = [tape.gradient(column, features) for column in columns]
        return features, logits, tf.stack(gradients, axis=-1)

    def _score_cam(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
        all_features, logits = (np.asarray(tensor) for tensor in self._forward(tf.constant(inputs)))
        maps = []
        for face, features in zip(inputs, all_features, strict=True):
            spread = features.var(axis=(0, 1))
            strongest = np.argsort(-spread, kind="stable")[:SCORE_CHANNELS]
            features = features[:, :, strongest[spread[strongest] > 0]]
            if features.shape[2] == 0:
                maps.append(np.zeros((*features.shape[:2], logits.shape[1]), np.float32))
                continue
            scores = self._scores(face, features)
            weights = np.exp(scores - scores.max(axis=0))
            weights /= weights.sum(axis=0)
            maps.append(np.maximum(features @ weights, 0))
        return logits, np.stack(maps)

    def _scores(self, face: FloatArray, features: FloatArray) -> FloatArray:
        """Returns (K, C) logits of the face seen through each of (h, w, K) channels."""
        low = features.min(axis=(0, 1))
        masks = (features - low) / (features.max(axis=(0, 1)) - low)
        seen = np.stack(
            [
                face * cv2.resize(masks[:, :, k], (self.size, self.size))[:, :, np.newaxis]
                for k in range(masks.shape[2])
            ]
        )
        batches = [
            np.asarray(self._forward(tf.constant(seen[start : start + _BATCH]))[1])
            for start in range(0, len(seen), _BATCH)
        ]
        return cast("FloatArray", np.concatenate(batches))


def feature_layer(model: Any) -> Any:
    """Returns the last layer whose output is a map of more than one place."""
    mapped = [layer for layer in _mapped_layers(model) if max(layer.output.shape[1:3]) > 1]
    return mapped[-1]


def _load(path: Path) -> Any:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        usable = len(model.input_shape) == 4 and len(model.output_shape) == 2 and model.layers
    # RuntimeError: the archive asks for a password, or is packed as nobody packs it.
    except (
        *(ValueError, OSError, KeyError, TypeError, AttributeError),
        *(EOFError, RuntimeError, zipfile.BadZipFile),
    ) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path}: cannot be loaded as a Keras model ({reason})") from None
    if not usable or not any(max(layer.output.shape[1:3]) > 1 for layer in _mapped_layers(model)):
        raise ModelError(f"{path}: has no feature map between a picture and its classes")
    return model


def _mapped_layers(model: Any) -> list[Any]:
    """Returns the layers that have a map of fixed size as their only output."""
    return [
        layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
        and len(getattr(layer.output, "shape", ())) == 4
        and None not in layer.output.shape[1:]
    ]


def _find_layer(model: Any, name: str, path: Path) -> Any:
    layers = {layer.name: layer for layer in _mapped_layers(model)}
    if name not in layers:
        raise ModelError(f"{path}: has no layer {name!r} with a map; it has {', '.join(layers)}")
    return layers[name]


def _obstacle(tail: list[Any]) -> str | None:
    """Returns why a head is not linear up to its ReLUs; ``None`` if it is."""
    for layer in tail:
        dense = isinstance(layer, keras.layers.Dense)
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        end = layer is tail[-1] and activation == "softmax"
        if isinstance(layer, _LINEAR) or end or isinstance(layer, keras.layers.Softmax):
            continue
        if not (dense or isinstance(layer, keras.layers.Activation)):
            return f"its head has a {type(layer).__name__} layer ({layer.name})"
        if activation not in ("relu", "linear"):
            return f"its layer {layer.name} has the activation {activation}"
    return None


def _logits(model: Any, path: Path) -> Any:
    """Returns the tensor before the softmax."""
    last = model.layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "linear")
    if isinstance(last, keras.layers.Softmax) or (
        isinstance(last, keras.layers.Activation) and activation == "softmax"
    ):
        return last.input
    if not isinstance(last, keras.layers.Dense) or activation not in ("softmax", "linear"):
        raise ModelError(f"{path}: does not end in a softmax over its classes")
    linear = keras.layers.Dense(last.units, use_bias=last.use_bias, name="logits")
    tensor = linear(last.input)
    linear.set_weights(last.get_weights())
    return tensor


def _resized(model: Any, last: Any, tail: list[Any], size: int, path: Path) -> Any:
    """Rebuilds a network that pools globally for another input size.

    Raises:
        ModelError: it does not pool globally.
    """
    pooled = next((layer for layer in tail if len(layer.output.shape) == 2), None)
    before = tail[: tail.index(pooled) + 1] if pooled is not None else []
    whole = any(_pools_all(layer) for layer in before)
    if not whole or not all(isinstance(layer, _POOLING) for layer in before):
        raise ModelError(
            f"{path}: does not pool its last map globally, so its input size is fixed; "
            f"leave --resolution {size} out"
        )
    trunk = keras.Model(model.input, last.output)
    channels = model.input_shape[-1]
    larger = keras.models.clone_model(trunk, input_tensors=keras.Input((size, size, channels)))
    larger.set_weights(trunk.get_weights())
    tensor = keras.layers.GlobalAveragePooling2D(name="pool")(larger.output)
    for layer in tail[len(before) :]:
        copy = type(layer).from_config(layer.get_config())
        tensor = copy(tensor)
        copy.set_weights(layer.get_weights())
    return keras.Model(larger.input, tensor)


def _pools_all(layer: Any) -> bool:
    """Tells whether a layer averages its whole map, each place alike."""
    if isinstance(layer, keras.layers.AveragePooling2D):
        # A smaller window leaves places out where one step of it is all that fits.
        return tuple(layer.pool_size) == tuple(layer.input.shape[1:3])
    return isinstance(layer, keras.layers.GlobalAveragePooling2D)


def _usual_labels(classes: int) -> tuple[str, ...]:
    if classes == 2:
        return (MASK_LABEL, NO_MASK_LABEL)
    return tuple(f"class_{number}" for number in range(classes))
