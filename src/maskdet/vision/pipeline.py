"""The two stages together: a frame in, its faces with their labels out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from maskdet.detections import INCORRECT_LABEL, Detections, FloatArray
from maskdet.vision.classifier import Classifier
from maskdet.vision.faces.detector import FaceDetector, Faces
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.track import TrackingOptions
from maskdet.vision.tracking import Tracker


class MaskDetector:
    """Finds faces and tells whether each wears a mask.

    The stages can be called one by one, so that they can work on different frames at a time.

    Args:
        faces: the first stage.
        classifier: the second stage.
        min_face: faces lower than this are left out, in pixels.
        confidence: score from which on a face is labelled, where the first stage gives more
            doubtful ones, too; ``None`` takes all it gives.
    """

    def __init__(
        self,
        faces: FaceDetector,
        classifier: Classifier,
        *,
        min_face: float = 0,
        confidence: float | None = None,
    ) -> None:
        self.faces = faces
        self.classifier = classifier
        self.min_face = min_face
        self.confidence = confidence

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's class names."""
        return self.classifier.labels

    def find_faces(
        self, frame_bgr: UInt8Array, detect: Callable[[UInt8Array], Faces] | None = None
    ) -> Faces:
        """Runs the first stage on a frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            detect: what finds the faces of this frame, where it is not the first stage's own way.

        Returns:
            (N, 4) boxes in pixels and (N,) scores, best first.
        """
        faces, _ = self.find_all(frame_bgr, detect)
        return faces

    def find_all(
        self, frame_bgr: UInt8Array, detect: Callable[[UInt8Array], Faces] | None = None
    ) -> tuple[Faces, FloatArray]:
        """Does what `find_faces` does, and keeps what is left out: it may show somebody.

        Returns:
            The faces, and (K, 4) boxes in pixels of what is too doubtful, or too low, to be one.
        """
        xyxy, scores = (detect or self.faces.detect)(frame_bgr)
        counted = xyxy[:, 3] - xyxy[:, 1] >= self.min_face
        if self.confidence is not None:
            counted &= scores >= np.float32(self.confidence)
        return (xyxy[counted], scores[counted]), xyxy[~counted]

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
        return self.classify(frame_bgr, *self.find_faces(frame_bgr))


class Follower:
    """The second stage with a memory: faces of one source followed, their labels steadied.

    A settled face that has hardly changed keeps its last answer for a few frames, which saves the
    classifier's work.

    Args:
        detector: both networks.
        options: how faces are followed.
    """

    def __init__(self, detector: MaskDetector, options: TrackingOptions | None = None) -> None:
        self._detector = detector
        labels = detector.labels
        incorrect = labels.index(INCORRECT_LABEL) if INCORRECT_LABEL in labels else None
        self._tracker = Tracker(len(labels), options, incorrect)

    def classify(
        self,
        frame_bgr: UInt8Array,
        xyxy: FloatArray,
        face_scores: FloatArray,
        time: float | None = None,
    ) -> Detections:
        """Does what `MaskDetector.classify` does, for the source's next frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            xyxy: (N, 4) face boxes in pixels.
            face_scores: (N,) the face detector's scores.
            time: of the frame, in seconds; ``None`` for one usual interval after the one before.

        Returns:
            Detections whose labels and probabilities are the tracks', with their numbers.
        """
        tracks = self._tracker.link(xyxy, time)
        lost = self._tracker.lost()
        if not tracks:
            return replace(Detections.empty(self._detector.labels), lost=lost)
        classifier = self._detector.classifier
        # Heat maps belong to a frame, so with them every face is looked at.
        due = [
            index
            for index, track in enumerate(tracks)
            if self._tracker.needs_classifying(track, frame_bgr) or classifier.maps
        ]
        cams = None
        if due:
            probabilities, logits, cams = classifier.classify(frame_bgr, xyxy[due])
            for index, share, logit in zip(due, probabilities, logits, strict=True):
                tracks[index].answer = share, logit
        answers = [track.answer for track in tracks if track.answer is not None]
        for track, (share, _) in zip(tracks, answers, strict=True):
            self._tracker.update(track, share)
        return Detections(
            labels=self._detector.labels,
            xyxy=xyxy,
            face_scores=face_scores,
            probabilities=np.stack([track.probabilities for track in tracks]),
            logits=np.stack([logit for _, logit in answers]),
            cams=cams,
            tracks=np.array([track.number for track in tracks], np.intp),
            decided=np.array([track.label for track in tracks], np.intp),
            lost=lost,
        )
