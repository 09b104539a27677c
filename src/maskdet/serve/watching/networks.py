"""The two networks, loaded once and shared by all cameras, by posted pictures and their maps."""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes, pixel_box
from maskdet.detections import Detections, FloatArray
from maskdet.media.frames import UInt8Array
from maskdet.serve.watching.heat import blend_heat
from maskdet.serve.watching.lanes import Lanes
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.faces.sizes import AutoSizedFaceDetector
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import Follower

# Tells of (N, 4) boxes in a frame of a width and height which are to be labelled: (N,) bool.
Keep = Callable[[FloatArray, int, int], NDArray[np.bool_]]


@dataclass(frozen=True)
class Look:
    """What a look at a frame gave.

    Attributes:
        detections: its faces, those left out among the doubtful ones.
        faces_seconds: that finding faces took.
        classify_seconds: that labelling and following them took.
    """

    detections: Detections
    faces_seconds: float
    classify_seconds: float


class Networks:
    """Both networks. May be used from several threads at a time.

    Args:
        options: which ones.
        min_confidence: faces whose label is less sure are uncertain; ``None`` for none.
        log: told when a model of others has to be converted.

    Attributes:
        workers: how many frames can be worked on at a time.
        lanes: in how many of them faces are looked for.

    Raises:
        ModelError: one of them is missing, damaged or of another kind.
    """

    def __init__(
        self,
        options: NetworkOptions,
        min_confidence: float | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        # What may be a face is blurred, too.
        self.detector = load_detector(options, doubtful=True, log=log)
        self.min_confidence = min_confidence
        self.workers = self.detector.faces.workers
        self.lanes = Lanes(self.workers)
        self._options = options
        self._explaining: MaskClassifier | None = None
        self._lock = threading.Lock()

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's class names."""
        return self.detector.labels

    def eyes(self, keep: Keep | None = None, seconds_a_frame: float | None = None) -> "Eyes":
        """Returns what looks at one camera's frames, and remembers its faces.

        Args:
            keep: which faces are to be labelled; ``None`` for all.
            seconds_a_frame: from one frame to the next of all cameras; ``None`` where each may take
                as long as it does.
        """
        return Eyes(self, keep, seconds_a_frame)

    def analyse(self, image: UInt8Array) -> Detections:
        """Looks at a picture by itself.

        Args:
            image: (H, W, 3) uint8 BGR.
        """
        with self.lanes.one():
            (xyxy, scores), doubtful = self.detector.find_all(image)
        detections = replace(self.detector.classify(image, xyxy, scores), doubtful=doubtful)
        return self.judged(detections)

    def explain(self, image: UInt8Array) -> tuple[Detections, UInt8Array]:
        """Looks at a picture by itself, and shows where in the faces the answers came from.

        Args:
            image: (H, W, 3) uint8 BGR, left as it is.

        Returns:
            Its faces, and a copy of the picture with a heat map on each: red is for its label,
            blue against.

        Raises:
            NoMapsError: the classifier was exported without maps.
        """
        classifier = self._explainer()
        with self.lanes.one():
            (xyxy, scores), _ = self.detector.find_all(image)
        shown = image.copy()
        if len(xyxy) == 0:
            return Detections.empty(self.labels), shown
        probabilities, logits, cams = classifier.classify(image, xyxy)
        detections = Detections(self.labels, xyxy, scores, probabilities, logits, cams)
        assert cams is not None
        height, width = image.shape[:2]
        places = expand_boxes(xyxy, classifier.crop_margin)
        for box, maps, label in zip(places, cams, detections.label_indices, strict=True):
            left, top, right, bottom = pixel_box(box, width, height)
            blend_heat(shown[top:bottom, left:right], maps, int(label))
        return self.judged(detections), shown

    def judged(self, detections: Detections) -> Detections:
        """Returns the detections with those labels uncertain that are not sure enough."""
        if self.min_confidence is None:
            return detections
        return detections.requiring(self.min_confidence)

    def _explainer(self) -> MaskClassifier:
        with self._lock:
            if self._explaining is None:
                # Maps cost time that cameras do not have: a network of its own, when first asked.
                self._explaining = MaskClassifier(
                    find_or_convert_card(self._options.model, lambda _: None),
                    precision=self._options.precision,
                    crop_margin=self._options.crop_margin,
                    lanes=1,
                    maps=True,
                    named=self._options.model,
                )
            return self._explaining


class Eyes:
    """Looks at the frames of one camera, one at a time and in order."""

    def __init__(
        self, networks: Networks, keep: Keep | None, seconds_a_frame: float | None
    ) -> None:
        self._networks = networks
        self._keep = keep
        self._index = 0
        self._seconds_a_frame = seconds_a_frame
        self.forget()

    def forget(self) -> None:
        """Begins anew: whoever is seen next is somebody else."""
        detector = self._networks.detector
        self._follower = Follower(detector)
        self._index = 0
        self._sized = None
        if isinstance(detector.faces, AutoSizedFaceDetector):
            self._sized = detector.faces.following(self._seconds_a_frame)

    def look(self, image: UInt8Array, moment: float) -> Look:
        """Looks at the next frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            moment: seconds of the camera's time, counted from anywhere.
        """
        detector = self._networks.detector
        detect = None
        if self._sized is not None:
            detect = functools.partial(self._sized.detect, self._index)
        self._index += 1
        with self._networks.lanes.one():
            begun = time.perf_counter()
            (xyxy, scores), doubtful = detector.find_all(image, detect)
        if self._keep is not None:
            kept = self._keep(xyxy, image.shape[1], image.shape[0])
            doubtful = np.concatenate([xyxy[~kept], doubtful])
            xyxy, scores = xyxy[kept], scores[kept]
        found = time.perf_counter()
        detections = self._follower.classify(image, xyxy, scores, moment)
        detections = replace(self._networks.judged(detections), doubtful=doubtful)
        return Look(detections, found - begun, time.perf_counter() - found)
