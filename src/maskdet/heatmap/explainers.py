"""What turns face crops into answers with maps: LiteRT, Keras, averages over views of a crop."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import cv2
import numpy as np

from maskdet.assets import card_file, read_card
from maskdet.detections import FloatArray
from maskdet.errors import ModelError, NoMapsError
from maskdet.vision.classifier import Classifier, MaskClassifier, softmax
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.preprocessing import UInt8Array, face_inputs
from maskdet.vision.runtime import Network, silent_standard_error

CAM = "cam"
# The others need Keras; see `maskdet.heatmap.gradients`.
METHODS = (CAM, "gradcam", "gradcam++", "hirescam", "layercam", "scorecam")

Pixels = TypeVar("Pixels", UInt8Array, FloatArray)

# Views that `smooth` averages over, besides each one's mirror image: magnifications of the crop.
_SCALES = (0.85, 1.0, 1.18)


@dataclass(frozen=True)
class MapOptions:
    """How maps are computed.

    Attributes:
        method: one of `METHODS`.
        layer: name of the Keras layer whose output is mapped; ``None`` for the last feature map.
        resolution: side of the crops fed to the network, in pixels; ``None`` for the model's own.
        smooth: whether to average over mirror images and scales of each crop.
    """

    method: str = CAM
    layer: str | None = None
    resolution: int | None = None
    smooth: bool = False


class Explainer(Protocol):
    """Answers with maps for face crops.

    Attributes:
        labels: the C class names.
        size: side of the crops in pixels.
        exact: whether each map's mean and the biases add up to the logit.
    """

    labels: tuple[str, ...]
    size: int
    exact: bool

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Explains crops.

        Args:
            faces: (N, size, size, 3) uint8 RGB, N >= 1.

        Returns:
            (N, C) logits and (N, h, w, C) float32 maps.
        """
        ...


class LiteExplainer:
    """The maps that the exported graph computes beside its answer.

    Args:
        classifier: runs the graph.
    """

    exact = True

    def __init__(self, classifier: MaskClassifier) -> None:
        self.labels = classifier.labels
        self.size = classifier.size
        self._classifier = classifier

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Does what `Explainer.explain` says."""
        _, logits, cams = self._classifier.read(faces)
        return logits, cams


class LargeLiteExplainer:
    """The exported graph run at another size than its own.

    Raises:
        ModelError: the graph is of a fixed size.
    """

    exact = True

    def __init__(self, path: Path, labels: tuple[str, ...], size: int) -> None:
        self._network = Network(path, input_shape=(1, size, size, 3))
        self.labels = labels
        self.size = size

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Does what `Explainer.explain` says."""
        outputs = self._network.run(faces)
        return outputs["logits"], outputs["cam"]


class SmoothExplainer:
    """Averages maps over mirror images and scales of a crop, laid back over one another.

    The answer stays that of the crop itself; the mean of the averaged maps is close to, and no
    longer exactly, what adds up to its logit. After "augmentation smoothing" of pytorch-grad-cam
    (Gildenblat, 2021).

    Args:
        inner: what explains each view.
    """

    exact = False

    def __init__(self, inner: Explainer) -> None:
        self.labels = inner.labels
        self.size = inner.size
        self._inner = inner

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Does what `Explainer.explain` says."""
        total: FloatArray | None = None
        answer: FloatArray | None = None
        for scale in _SCALES:
            views = faces if scale == 1 else np.stack([_magnified(face, scale) for face in faces])
            for mirrored in (False, True):
                logits, maps = self._inner.explain(views[:, :, ::-1] if mirrored else views)
                if mirrored:
                    maps = maps[:, :, ::-1]
                elif scale == 1:
                    answer = logits
                if scale != 1:
                    maps = np.stack([_magnified(map_, 1 / scale) for map_ in maps])
                total = maps if total is None else total + maps
        assert total is not None
        assert answer is not None
        return answer, cast("FloatArray", total / np.float32(2 * len(_SCALES)))


def _magnified(picture: Pixels, scale: float) -> Pixels:
    """Magnifies (H, W, C) about its centre, edges repeated, the size kept."""
    height, width = picture.shape[:2]
    matrix = np.array(
        [
            [scale, 0, (1 - scale) * (width - 1) / 2],
            [0, scale, (1 - scale) * (height - 1) / 2],
        ]
    )
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast("Pixels", moved.reshape(picture.shape))


class ExplainingClassifier:
    """The second stage of detection, answering with an explainer's maps.

    Args:
        explainer: answers for crops.
        crop_margin: share of a face's box added on every side.
        temperature: the card's, which calibrates the probabilities.
    """

    maps = True

    def __init__(self, explainer: Explainer, *, crop_margin: float, temperature: float) -> None:
        self.labels = explainer.labels
        self.crop_margin = crop_margin
        self._explainer = explainer
        self._temperature = np.float32(temperature)

    def classify(
        self, frame_bgr: UInt8Array, xyxy: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Does what `maskdet.vision.classifier.MaskClassifier.classify` does."""
        faces = face_inputs(frame_bgr, xyxy, margin=self.crop_margin, size=self._explainer.size)
        logits, maps = self._explainer.explain(faces)
        return softmax(logits / self._temperature), logits, maps


@dataclass(frozen=True)
class LoadedModel:
    """A classifier with maps, and what else heat maps need to know of it.

    Attributes:
        explainer: answers for crops.
        crop_margin: share of a face's box added on every side.
        temperature: divides the logits before the softmax.
    """

    explainer: Explainer
    crop_margin: float
    temperature: float

    @property
    def exact(self) -> bool:
        """Whether each map's mean and the biases add up to the logit."""
        return self.explainer.exact

    def classifier(self) -> Classifier:
        """Returns the second stage of detection."""
        return ExplainingClassifier(
            self.explainer, crop_margin=self.crop_margin, temperature=self.temperature
        )


def load_model(
    model: Path | None,
    options: MapOptions,
    *,
    crop_margin: float | None = None,
    precision: str | None = None,
    log: Callable[[str], None],
) -> LoadedModel:
    """Loads what computes the maps that were asked for; Keras only where it is needed.

    Args:
        model: what the user named; ``None`` for the bundled model. A ``.keras`` file may stand
            without a card.
        options: which maps.
        crop_margin: instead of the card's.
        precision: which of the card's TFLite files.
        log: told what the user should know, such as that Keras has to do it.

    Raises:
        ModelError: no such model, or it cannot give such maps.
    """
    if model is not None and model.suffix == ".keras" and not model.with_suffix(".json").exists():
        return _load_keras(model, {}, options, crop_margin, log)
    card_path = find_or_convert_card(model, log)
    card = read_card(card_path)
    reason = f"{card_path}: names no .keras file, which --method {options.method} needs"
    if options.method == CAM and options.layer is None:
        try:
            return _load_lite(card_path, card, options, crop_margin, precision, log)
        except NoMapsError as error:
            reason = f"{error}, or put its .keras file beside it"
            slower = str(error).rsplit("; ", 1)[0]
            if "keras" in card.get("files", {}):
                log(f"{slower}: computing with Keras, which is slower")
    if "keras" not in card.get("files", {}):
        raise ModelError(reason)
    return _load_keras(card_file(card_path, card, "keras"), card, options, crop_margin, log)


def _load_lite(
    card_path: Path,
    card: dict[str, Any],
    options: MapOptions,
    crop_margin: float | None,
    precision: str | None,
    log: Callable[[str], None],
) -> LoadedModel:
    """Loads the exported graph.

    Raises:
        NoMapsError: it has no maps, or none of the resolution asked for.
    """
    classifier = MaskClassifier(card_path, precision=precision, crop_margin=crop_margin, maps=True)
    explainer: Explainer = LiteExplainer(classifier)
    if options.resolution not in (None, classifier.size):
        assert options.resolution is not None
        path = card_file(card_path, card, f"tflite_{precision}" if precision else "tflite")
        try:
            explainer = LargeLiteExplainer(path, classifier.labels, options.resolution)
        except ModelError:
            raise NoMapsError(
                f"{path}: its graph takes {classifier.size} pixels and no other size; "
                f"leave --resolution {options.resolution} out"
            ) from None
    if card.get("architecture") == "small_cnn":
        log(
            "small_cnn does not pool its map globally: each place has weights of its own, so the "
            "map is exact but may jump from cell to cell; --method gradcam averages the weights"
        )
    smooth = SmoothExplainer(explainer) if options.smooth else explainer
    return LoadedModel(smooth, classifier.crop_margin, classifier.temperature)


def _load_keras(
    path: Path,
    card: dict[str, Any],
    options: MapOptions,
    crop_margin: float | None,
    log: Callable[[str], None],
) -> LoadedModel:
    """Loads a Keras model, with the usual labels and no crop margin where it has no card."""
    # TensorFlow takes seconds to load and is needed here alone.
    with silent_standard_error():
        from maskdet.heatmap.gradients import KerasExplainer

    labels = tuple(str(label) for label in card["labels"]) if "labels" in card else None
    explainer: Explainer = KerasExplainer(
        path,
        labels,
        method=options.method,
        layer=options.layer,
        resolution=options.resolution,
    )
    if labels is None:
        log(f"{path.name} has no card: labels taken to be {', '.join(explainer.labels)}")
    if options.smooth:
        explainer = SmoothExplainer(explainer)
    margin = float(card.get("crop_margin", 0.0)) if crop_margin is None else crop_margin
    return LoadedModel(explainer, margin, float(card.get("temperature", 1.0)))
