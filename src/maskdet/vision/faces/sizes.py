"""A face detector that is several: one network at the sizes that its frames ask for."""

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from maskdet.vision.faces.detector import FaceDetector, Faces, merged
from maskdet.vision.faces.following import FollowingFaceDetector
from maskdet.vision.faces.loading import input_sizes, load_face_detector
from maskdet.vision.faces.size_choice import SizeChooser, size_for
from maskdet.vision.faces.tiles import Strips, TiledFaceDetector
from maskdet.vision.preprocessing import UInt8Array

# Of a frame's side: from here on a face is taken from the look at the smallest size, too.
_LARGE_FACE = 0.1


class AutoSizedFaceDetector:
    """A face detector at several input sizes; see `maskdet.vision.faces.detector.FaceDetector`.

    Attributes:
        sizes: to choose from, ascending.
        smallest: of them.

    Args:
        load: makes the detector at an input size.
        sizes: to choose from, ascending.
        strips: how frames far from square are cut; ``None`` leaves them whole.
        counted_from: score from which on a face counts in the choice of the size.
        thorough: whether every frame of a moving source is looked at in full.
    """

    def __init__(
        self,
        load: Callable[[int], FaceDetector],
        sizes: Sequence[int],
        strips: Strips | None = None,
        counted_from: float = 0,
        *,
        thorough: bool = False,
    ) -> None:
        self.counted_from = counted_from
        self._thorough = thorough
        self._load = load if strips is None else lambda size: TiledFaceDetector(load(size), strips)
        self._strips = strips
        self.sizes = tuple(sorted(sizes))
        self._lock = threading.Lock()
        # Loaded when first wanted, but for one: a wrong file is to be known at once. The smallest,
        # since it is always wanted, and the largest takes five times its memory.
        self.smallest = self.sizes[0]
        first = self._load(self.smallest)
        self._detectors = {self.smallest: first}
        self.default_confidence = first.default_confidence
        self.precision = first.precision
        self.workers = first.workers

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a picture, at the size that fits the picture's own."""
        return self.detect_at(size_for(*self.seen_at_once(frame_bgr), self.sizes), frame_bgr)

    def seen_at_once(self, frame_bgr: UInt8Array) -> tuple[int, int]:
        """Returns the width and height of what of a frame the network is shown at a time."""
        height, width = frame_bgr.shape[:2]
        if self._strips is None:
            return width, height
        return self._strips.seen_at_once(width, height)

    def detect_at(self, size: int, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame at one of the sizes, large faces at the smallest size, too.

        At a large size a face close by is larger than most that the network was trained on.
        """
        return self.look_at(size, frame_bgr)[0]

    def look_at(self, size: int, frame_bgr: UInt8Array) -> tuple[Faces, Faces | None]:
        """Does what `detect_at` does.

        Returns:
            The faces, and all that the smallest size has found, if it was asked.
        """
        detector, for_large = self.load(size)
        found = detector.detect(frame_bgr)
        if for_large is None:
            return found, found if size == self.smallest else None
        near, near_scores = for_large.detect(frame_bgr)
        height, width = frame_bgr.shape[:2]
        shares = (near[:, 2:] - near[:, :2]) / np.array([width, height], np.float32)
        large = shares.max(axis=1) >= _LARGE_FACE
        return merged([found, (near[large], near_scores[large])]), (near, near_scores)

    def detect_small(self, size: int, picture_bgr: UInt8Array) -> Faces:
        """Finds the faces of a square picture of a few pixels, at its own size."""
        return self._at(size).detect(picture_bgr)

    def load(self, size: int) -> tuple[FaceDetector, FaceDetector | None]:
        """Returns the detector at a size and, if that is large, the one for the largest faces."""
        return self._at(size), self._at(self.smallest) if size >= 2 * self.smallest else None

    def _at(self, size: int) -> FaceDetector:
        with self._lock:
            if size not in self._detectors:
                self._detectors[size] = self._load(size)
            return self._detectors[size]

    def following(self, seconds_a_frame: float | None = None) -> "FollowingFaceDetector":
        """Returns a detector for the frames of one moving source.

        Args:
            seconds_a_frame: time between two frames of a live source, ``None`` where it can wait.
        """
        chooser = SizeChooser(self.sizes, seconds_a_frame, self.workers)
        return FollowingFaceDetector(self, chooser, thorough=self._thorough)


def load_sized_face_detector(
    place: Path,
    *,
    confidence: float | None = None,
    precision: str | None = None,
    face_size: int | None = None,
    lanes: int = 1,
    strips: Strips | None = None,
    counted_from: float = 0,
    thorough: bool = False,
) -> FaceDetector:
    """Loads a face detector, at several sizes if its card offers them and none is asked.

    Args:
        place: see `maskdet.vision.faces.loading.load_face_detector`, as the other arguments.
        confidence: score from which on a box is a face.
        precision: see `maskdet.vision.faces.loading.load_face_detector`.
        face_size: side of the input in pixels; ``None`` leaves the choice to the detector.
        lanes: frames worked on at a time.
        strips: how frames far from square are cut; ``None`` leaves them whole.
        counted_from: score from which on a face counts in the choice of the size.
        thorough: whether every frame of a moving source is looked at in full; otherwise small faces
            are looked for now and then, and followed in between.

    Raises:
        ModelError: the folder holds no face detector, or one that is damaged or cannot be used.
    """
    load = functools.partial(
        load_face_detector, place, confidence=confidence, precision=precision, lanes=lanes
    )
    sizes = input_sizes(place) if face_size is None else ()
    if len(sizes) < 2:
        detector = load(face_size=face_size)
        return detector if strips is None else TiledFaceDetector(detector, strips)
    return AutoSizedFaceDetector(
        lambda size: load(face_size=size), sizes, strips, counted_from, thorough=thorough
    )
