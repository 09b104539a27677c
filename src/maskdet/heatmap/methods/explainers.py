"""What turns face crops into answers with maps: LiteRT, Keras, averages over views of a crop."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.classifier import MaskClassifier, softmax
from maskdet.vision.merging import Merging
from maskdet.vision.preprocessing import UInt8Array, face_inputs
from maskdet.vision.runtime import Network

CAM = "cam"
# The others need Keras; see `maskdet.heatmap.methods.gradients`.
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


class MergedExplainer:
    """Another's answers with labels merged; see `maskdet.vision.merging`.

    Args:
        inner: what explains.
        merging: which labels are left.
        temperature: divides the logits before the softmax.
    """

    def __init__(self, inner: Explainer, merging: Merging, temperature: float) -> None:
        self.labels = merging.labels
        self.size = inner.size
        self.exact = inner.exact
        self._inner = inner
        self._merging = merging
        self._temperature = temperature

    def explain(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Does what `Explainer.explain` says."""
        return self._merging.merge(*self._inner.explain(faces), self._temperature)


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
