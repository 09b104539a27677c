"""What may be asked of faces once they are found, and needs networks: heat maps and blurring."""

import threading
from typing import TYPE_CHECKING

import numpy as np

from maskdet.api.logs import Log
from maskdet.detections import FloatArray
from maskdet.heatmap.methods.explainers import MapOptions
from maskdet.heatmap.methods.loading import LoadedModel, load_model
from maskdet.media.frames import UInt8Array
from maskdet.vision.networks import NetworkOptions, load_detector

if TYPE_CHECKING:
    from maskdet.vision.classifier import Classifier
    from maskdet.vision.pipeline import MaskDetector

CLOSED = "this detector is closed; maskdet.load() makes another"


class Afterwards:
    """Networks that are loaded when they are first asked for. Any number of threads may ask.

    Args:
        options: which networks.
        classifier: the detector's own.
        log: told what was assumed about a model of others.
    """

    def __init__(self, options: NetworkOptions, classifier: "Classifier", log: Log) -> None:
        self._options, self._log = options, log
        self._classifier: Classifier | None = classifier
        self._models: dict[MapOptions, LoadedModel] = {}
        self._doubting: MaskDetector | None = None
        self._loading = threading.Lock()

    def explaining(self, maps: MapOptions) -> LoadedModel:
        """Returns the classifier with its maps.

        Raises:
            ModelError: it gives no such maps.
            MissingExtraError: the method needs TensorFlow, which is not installed.
            ValueError: the detector is closed.
        """
        # One load at a time: two would hold two networks.
        with self._loading:
            self._open()
            if maps not in self._models:
                options = self._options
                self._models[maps] = load_model(
                    options.model,
                    maps,
                    crop_margin=options.crop_margin,
                    precision=options.precision,
                    merge=options.merge,
                    log=self._log,
                )
            return self._models[maps]

    def hiding(self, image_bgr: UInt8Array) -> FloatArray:
        """Returns (K, 4) boxes of all that may be a face, whether or not it is sure enough.

        Args:
            image_bgr: (H, W, 3) uint8.

        Raises:
            ValueError: the detector is closed.
        """
        with self._loading:
            classifier = self._open()
            if self._doubting is None:
                self._doubting = load_detector(self._options, doubtful=True, classifier=classifier)
            doubting = self._doubting
        (sure, _), doubtful = doubting.find_all(image_bgr)
        boxes: FloatArray = np.concatenate([sure, doubtful])
        return boxes

    def close(self) -> None:
        """Lets go of the networks."""
        with self._loading:
            self._classifier = self._doubting = None
            self._models = {}

    def _open(self) -> "Classifier":
        if self._classifier is None:
            raise ValueError(CLOSED)
        return self._classifier
