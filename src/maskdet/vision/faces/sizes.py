"""Chooses the face detector's input size: small for faces close by, large for crowds.

A larger input finds smaller faces and takes longer in proportion to its area. A picture is worth
the time; in a video or before a camera, what the first frames show tells how much is needed, and
a look now and then whether that has changed.
"""

import contextlib
import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import FaceDetector, Faces, merged
from maskdet.vision.faces.loading import input_sizes, load_face_detector
from maskdet.vision.faces.tiles import Strips, TiledFaceDetector
from maskdet.vision.preprocessing import UInt8Array

# Height in pixels of the network's input from which on nearly every face is found.
COMFORTABLE = 36.0
# Of a frame's side: from here on a face is taken from the look at the smallest size, too.
_LARGE_FACE = 0.1
# Looked at at full size: the first frames of a source, then one frame in so many.
FIRST_LOOKS, LOOK_EVERY = 3, 60
# What a frame shows counts for those from so many later on. By then it is surely known, so that
# frames do not wait for one another, and a file gives the same faces however its frames raced.
DELAY = 8
# Share of the time between two frames of a live source that finding faces may take, all workers
# busy; the classifier and the rest need some, too.
_SHARE_OF_FRAME_TIME = 0.7


def size_for(width: int, height: int, sizes: Sequence[int]) -> int:
    """Returns the size for a frame of which nothing is known: the largest that gains anything.

    Args:
        width: of the frame in pixels.
        height: of the frame in pixels.
        sizes: to choose from, ascending.
    """
    # More pixels than the frame has show nothing more.
    useful = [size for size in sizes if size <= max(width, height)]
    return useful[-1] if useful else sizes[0]


def _is_look(index: int) -> bool:
    return index < FIRST_LOOKS or index % LOOK_EVERY == 0


class SizeChooser:
    """Chooses the size for the frames of one moving source. May be called from several threads.

    Args:
        sizes: to choose from, ascending.
        seconds_a_frame: time between two frames of a live source, ``None`` where it can wait.
        workers: how many frames are worked on at a time, fewer than `DELAY`.
    """

    def __init__(
        self, sizes: Sequence[int], seconds_a_frame: float | None = None, workers: int = 1
    ) -> None:
        self._sizes = tuple(sizes)
        self._allowed = (
            None if seconds_a_frame is None else seconds_a_frame * workers * _SHARE_OF_FRAME_TIME
        )
        self._seconds: dict[int, float] = {}
        self._heights: list[FloatArray] = []
        # What frames have shown that wait for an earlier one, and the size wanted after each frame.
        self._waiting: dict[int, tuple[int, FloatArray] | None] = {}
        self._wanted: deque[int] = deque(maxlen=2 * DELAY)
        self._learned = 0
        self._changed = threading.Condition()

    def choose(self, index: int, width: int, height: int) -> tuple[int, bool]:
        """Chooses the input size for a frame; waits for earlier ones if they are far behind.

        Args:
            index: number of the frame, from 0; `saw` must be called for each.
            width: of the frame in pixels.
            height: of the frame in pixels.

        Returns:
            The size, and whether it is that of a look rather than the one settled on.
        """
        with self._changed:
            largest = size_for(width, height, self._sizes)
            if _is_look(index):
                return self._affordable(largest), True
            known = max(index - DELAY, FIRST_LOOKS - 1)
            self._changed.wait_for(lambda: self._learned > known)
            wanted = self._wanted[known - self._learned]
            return self._affordable(min(wanted, largest)), False

    def saw(
        self, index: int, size: int, heights: FloatArray | None, height: int, seconds: float
    ) -> None:
        """Learns from a frame.

        Args:
            index: number of the frame.
            size: input size it was looked at with.
            heights: (N,) of the faces found, in pixels of the frame; ``None`` if looking failed.
            height: of the frame in pixels.
            seconds: that it took.
        """
        with self._changed:
            if heights is None:
                self._waiting[index] = None
            else:
                known = self._seconds.get(size)
                # The first run of a size is slow, and a busy moment should not decide: the least
                # counts most.
                self._seconds[size] = seconds if known is None else min(known * 1.02, seconds)
                self._waiting[index] = size, heights / np.float32(height)
            while self._learned in self._waiting:
                shown = self._waiting.pop(self._learned)
                before = self._wanted[-1] if self._wanted else None
                # Between looks, a size smaller than wanted overlooks what it was wanted for.
                if before is not None and (
                    shown is None or (shown[0] < before and not _is_look(self._learned))
                ):
                    self._wanted.append(before)
                else:
                    self._wanted.append(self._want(shown))
                self._learned += 1
            self._changed.notify_all()

    def _want(self, shown: tuple[int, FloatArray] | None) -> int:
        """Returns the size wanted after a frame that showed this."""
        if shown is not None:
            self._heights = [*self._heights[1 - FIRST_LOOKS :], shown[1]]
        shares = np.concatenate([np.zeros(0, np.float32), *self._heights])
        if len(shares) == 0:
            # Nobody there: a middling size finds whoever comes nearer.
            return self._sizes[(len(self._sizes) - 1) // 2]
        smallest = float(np.quantile(shares, 0.1))
        enough = [one for one in self._sizes if smallest * one >= COMFORTABLE]
        return enough[0] if enough else self._sizes[-1]

    def _affordable(self, wanted: int) -> int:
        """Returns the largest size up to the wanted one that keeps up with a live source."""
        if self._allowed is None or not self._seconds:
            return wanted
        fitting = [
            size
            for size in self._sizes
            if size <= wanted and self._expected_seconds(size) <= self._allowed
        ]
        return fitting[-1] if fitting else self._sizes[0]

    def _expected_seconds(self, size: int) -> float:
        if size in self._seconds:
            return self._seconds[size]
        nearest = min(self._seconds, key=lambda known: abs(known - size))
        return self._seconds[nearest] * (size / nearest) ** 2


class AutoSizedFaceDetector:
    """A face detector at several input sizes; see `maskdet.vision.faces.detector.FaceDetector`.

    Args:
        load: makes the detector at an input size.
        sizes: to choose from, ascending.
        strips: how frames far from square are cut; ``None`` leaves them whole.
        counted_from: score from which on a face counts in the choice of the size.
    """

    def __init__(
        self,
        load: Callable[[int], FaceDetector],
        sizes: Sequence[int],
        strips: Strips | None = None,
        counted_from: float = 0,
    ) -> None:
        self.counted_from = counted_from
        self._load = load if strips is None else lambda size: TiledFaceDetector(load(size), strips)
        self._strips = strips
        self._sizes = tuple(sorted(sizes))
        self._lock = threading.Lock()
        # Loaded when first wanted, but for one: a wrong file is to be known at once.
        self._detectors = {self._sizes[-1]: self._load(self._sizes[-1])}
        first = self._detectors[self._sizes[-1]]
        self.default_confidence = first.default_confidence
        self.workers = first.workers

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a picture, at the size that fits the picture's own."""
        return self.detect_at(size_for(*self.seen_at_once(frame_bgr), self._sizes), frame_bgr)

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
        detector, for_large = self.load(size)
        found = detector.detect(frame_bgr)
        if for_large is None:
            return found
        near, near_scores = for_large.detect(frame_bgr)
        height, width = frame_bgr.shape[:2]
        shares = (near[:, 2:] - near[:, :2]) / np.array([width, height], np.float32)
        large = shares.max(axis=1) >= _LARGE_FACE
        return merged([found, (near[large], near_scores[large])])

    def load(self, size: int) -> tuple[FaceDetector, FaceDetector | None]:
        """Returns the detector at a size and, if that is large, the one for the largest faces."""
        smallest = self._sizes[0]
        return self._at(size), self._at(smallest) if size >= 2 * smallest else None

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
        return FollowingFaceDetector(self, SizeChooser(self._sizes, seconds_a_frame, self.workers))


class FollowingFaceDetector:
    """Finds faces in the frames of one moving source, at the size its own frames ask for."""

    def __init__(self, detector: AutoSizedFaceDetector, chooser: SizeChooser) -> None:
        self._detector = detector
        self._chooser = chooser
        # Looks wait for one another: they would make a second network at a size that may not be
        # used again for long.
        self._look = threading.Lock()

    def detect(self, index: int, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame.

        Args:
            index: number of the frame, from 0; every frame must be given, about in order.
            frame_bgr: (H, W, 3) uint8.

        Returns:
            As `maskdet.vision.faces.detector.FaceDetector.detect`.
        """
        width, height = self._detector.seen_at_once(frame_bgr)
        size, look = self._chooser.choose(index, width, height)
        heights, seconds = None, 0.0
        try:
            with self._look if look else contextlib.nullcontext():
                self._detector.load(size)  # not part of the time a frame takes
                start = time.perf_counter()
                xyxy, scores = self._detector.detect_at(size, frame_bgr)
                seconds = time.perf_counter() - start
            # What is too doubtful to be labelled changes nothing that is found.
            counted = xyxy[scores >= np.float32(self._detector.counted_from)]
            heights = counted[:, 3] - counted[:, 1]
        finally:
            # Even if it failed: later frames wait to hear of it.
            self._chooser.saw(index, size, heights, height, seconds)
        return xyxy, scores


def load_sized_face_detector(
    place: Path,
    *,
    confidence: float | None = None,
    precision: str | None = None,
    face_size: int | None = None,
    lanes: int = 1,
    strips: Strips | None = None,
    counted_from: float = 0,
) -> FaceDetector:
    """Loads a face detector, at several sizes if its card offers them and none is asked.

    Args:
        place: see `maskdet.vision.faces.loading.load_face_detector`, as the other arguments.
        confidence: score from which on a box is a face.
        precision: which of the card's files.
        face_size: side of the input in pixels; ``None`` leaves the choice to the detector.
        lanes: frames worked on at a time.
        strips: how frames far from square are cut; ``None`` leaves them whole.
        counted_from: score from which on a face counts in the choice of the size.

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
    return AutoSizedFaceDetector(lambda size: load(face_size=size), sizes, strips, counted_from)
