"""The two stages together: a frame in, its faces with their labels out."""

from maskdet.detections import Detections, FloatArray
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.faces import FaceDetector
from maskdet.vision.preprocessing import UInt8Array


class MaskDetector:
    """Finds faces and tells whether each wears a mask.

    The stages can be called one by one, so that they can work on different frames at a time.

    Args:
        faces: the first stage.
        classifier: the second stage.
    """

    def __init__(self, faces: FaceDetector, classifier: MaskClassifier) -> None:
        self.faces = faces
        self.classifier = classifier

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's class names."""
        return self.classifier.labels

    def classify(
        self, frame_bgr: UInt8Array, xyxy: FloatArray, face_scores: FloatArray
    ) -> Detections:
        """Runs the second stage on the faces that the first has found.

        Args:
            frame_bgr: (H, W, 3) uint8.
            xyxy: (N, 4) face boxes in pixels.
            face_scores: (N,) the face detector's scores.
        """
        if len(xyxy) == 0:
            return Detections.empty(self.labels)
        probabilities, logits, cams = self.classifier.classify(frame_bgr, xyxy)
        return Detections(self.labels, xyxy, face_scores, probabilities, logits, cams)

    def __call__(self, frame_bgr: UInt8Array) -> Detections:
        """Runs both stages on a frame, (H, W, 3) uint8 BGR."""
        return self.classify(frame_bgr, *self.faces.detect(frame_bgr))
