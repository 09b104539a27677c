"""The public face SSD in Caffe's format, as it is found beside many mask detectors."""

from pathlib import Path

import cv2
import numpy as np

from maskdet.errors import ModelError
from maskdet.vision import trust
from maskdet.vision.faces.detector import Faces, inside_frame
from maskdet.vision.preprocessing import UInt8Array

CAFFE_INPUT_MEAN_BGR = (104.0, 177.0, 123.0)
CAFFE_INPUT_SIZE = 300  # pixels, what it was trained at
CAFFE_CONFIDENCE = 0.25  # face_detector/README.md says why


class CaffeFaceDetector:
    """The public network as its authors publish it, on OpenCV 4.

    Args:
        prototxt: the network's description.
        caffemodel: its weights.
        confidence: score from which on a box is a face; None takes `CAFFE_CONFIDENCE`.
        face_size: see `SsdFaceDetector`.
        trusted: whether the files are known to run; see `maskdet.vision.trust`.

    Raises:
        ModelError: this OpenCV no longer reads Caffe models, or not these files.
    """

    def __init__(
        self,
        prototxt: Path,
        caffemodel: Path,
        *,
        confidence: float | None,
        face_size: int,
        trusted: bool = False,
    ) -> None:
        if not hasattr(cv2.dnn, "readNetFromCaffe"):
            raise ModelError(
                f"{caffemodel.parent}: OpenCV {cv2.__version__} no longer reads Caffe models; "
                f"convert it: python tools/build_assets.py --caffe {caffemodel.parent} "
                f"--output {caffemodel.parent}"
            )
        if not trusted:
            trust.check([prototxt, caffemodel], ["caffe", str(face_size)])
        try:
            self._network = cv2.dnn.readNetFromCaffe(str(prototxt), str(caffemodel))
        except cv2.error as error:
            raise ModelError(
                f"{caffemodel}: is not a Caffe model that goes with {prototxt.name} ({error.err})"
            ) from None
        self.default_confidence = CAFFE_CONFIDENCE
        self.precision: str | None = None
        # OpenCV's network keeps its input between calls: one frame at a time.
        self.workers = 1
        self.confidence = CAFFE_CONFIDENCE if confidence is None else confidence
        self._size = face_size

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        blob = cv2.dnn.blobFromImage(frame_bgr, 1.0, (self._size, self._size), CAFFE_INPUT_MEAN_BGR)
        self._network.setInput(blob)
        # A row a box: picture, class, score, then left, top, right, bottom as shares of the frame.
        rows = self._network.forward().reshape(-1, 7)
        rows = rows[rows[:, 2] >= self.confidence]
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        scale = np.array([width, height, width, height], np.float32)
        return inside_frame(rows[:, 3:] * scale, rows[:, 2], width, height)
