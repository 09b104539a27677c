"""YuNet, a second face detector: small, fast, and good at small faces, through OpenCV.

Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023.
"""

import threading
from pathlib import Path

import cv2
import numpy as np

from maskdet.assets import cached
from maskdet.boxes import clip_boxes
from maskdet.detections import FloatArray
from maskdet.errors import ModelError
from maskdet.vision import trust
from maskdet.vision.faces.detector import Faces
from maskdet.vision.preprocessing import UInt8Array

FILE_NAME = "face_detection_yunet_2023mar.onnx"
# OpenCV's model zoo keeps its files in Git LFS, which this address resolves.
URL = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
    f"face_detection_yunet/{FILE_NAME}"
)
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

DEFAULT_CONFIDENCE = 0.6
# Longer side a frame is scaled to, in pixels; larger finds smaller faces and takes longer.
DEFAULT_SIZE = 640
_NMS_THRESHOLD = 0.3
_MOST_CANDIDATES = 2000
# The network halves its input five times.
_STRIDE = 32


def yunet_file(given: Path | None) -> Path:
    """Finds the network: the file given, the user's cache, or OpenCV's model zoo.

    Args:
        given: an ``.onnx`` file, or a folder that holds one; ``None`` for the cache.

    Raises:
        ModelError: it is not there and cannot be downloaded.
    """
    if given is None:
        return cached(FILE_NAME, URL, SHA256)
    if given.is_dir():
        files = sorted(given.glob("*.onnx"))
        if len(files) != 1:
            raise ModelError(f"{given}: holds {len(files)} .onnx files; name one of them")
        return files[0]
    return given


class YunetFaceDetector:
    """YuNet through `cv2.FaceDetectorYN`; see `maskdet.vision.faces.detector.FaceDetector`.

    Args:
        path: the ``.onnx`` file.
        confidence: score from which on a box is a face; ``None`` takes 0.6.
        face_size: longer side in pixels that frames are scaled to; ``None`` takes 640.
        trusted: whether the file is known to run; see `maskdet.vision.trust`.

    Raises:
        ModelError: the file is missing, damaged, or no YuNet.
    """

    default_confidence = DEFAULT_CONFIDENCE
    precision: str | None = None
    # OpenCV's network keeps its input between calls: one frame at a time.
    workers = 1

    def __init__(
        self,
        path: Path,
        *,
        confidence: float | None = None,
        face_size: int | None = None,
        trusted: bool = False,
    ) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: no such file")
        self._size = face_size or DEFAULT_SIZE
        self._busy = threading.Lock()
        if not trusted:
            trust.check([path], ["yunet", str(self._size)], known={SHA256})
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(path),
                "",
                (self._size, self._size),
                DEFAULT_CONFIDENCE if confidence is None else confidence,
                _NMS_THRESHOLD,
                _MOST_CANDIDATES,
            )
            self.detect(np.zeros((_STRIDE, _STRIDE, 3), np.uint8))
        except cv2.error:
            raise ModelError(f"{path}: is not a YuNet model that OpenCV can run") from None

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `maskdet.vision.faces.detector.FaceDetector.detect`."""
        boxes, scores, _ = self.detect_landmarks(frame_bgr)
        return boxes, scores

    def detect_landmarks(self, frame_bgr: UInt8Array) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Finds the faces of a frame and five points of each.

        Args:
            frame_bgr: (H, W, 3) uint8.

        Returns:
            (N, 4) boxes and (N,) scores as `detect` does, and (N, 5, 2) points in pixels: the
            person's right eye, left eye, nose tip, right and left corner of the mouth.
        """
        height, width = frame_bgr.shape[:2]
        scale = self._size / max(height, width)
        # Sides that the network can halve; the error in proportion is below what it notices.
        target = [max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in (width, height)]
        scaled = cv2.resize(frame_bgr, target, interpolation=cv2.INTER_LINEAR)
        with self._busy:
            self._network.setInputSize(target)
            _, found = self._network.detect(scaled)
        if found is None:
            found = np.zeros((0, 15), np.float32)
        # Columns: left, top, width, height, five landmarks, score.
        factors = np.array([width / target[0], height / target[1]], np.float32)
        corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
        boxes = clip_boxes((corners * np.tile(factors, 2)).astype(np.float32), width, height)
        points = (found[:, 4:14].reshape(-1, 5, 2) * factors).astype(np.float32)
        scores = found[:, 14].astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        order = order[np.all(boxes[order, 2:] > boxes[order, :2], axis=1)]
        return boxes[order], scores[order], points[order]
