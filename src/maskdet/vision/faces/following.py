"""Finds faces in the frames of one moving source: in full now and then, cheaply in between."""

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import Faces, merged
from maskdet.vision.faces.displacement import SAME_FACE
from maskdet.vision.faces.looks import LookPlanner
from maskdet.vision.faces.packing import Picture, packed
from maskdet.vision.faces.size_choice import COMFORTABLE, SizeChooser
from maskdet.vision.preprocessing import UInt8Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maskdet.vision.faces.sizes import AutoSizedFaceDetector


class FollowingFaceDetector:
    """Finds faces in the frames of one moving source, at the size its own frames ask for.

    Args:
        detector: the network at its sizes.
        chooser: of the full size.
        thorough: whether every frame is looked at in full, since a face that is overlooked in one
            frame costs more than time.
    """

    def __init__(
        self, detector: "AutoSizedFaceDetector", chooser: SizeChooser, *, thorough: bool = False
    ) -> None:
        self._detector = detector
        self._chooser = chooser
        self._planner = None if thorough else LookPlanner(detector.smallest)
        # Looks wait for one another: they would make a second network at a size that may not be
        # used again for long.
        self._look = threading.Lock()

    def detect(self, index: int, frame_bgr: UInt8Array, moment: float | None = None) -> Faces:
        """Finds the faces of a frame.

        Args:
            index: number of the frame, from 0; every frame must be given, about in order.
            frame_bgr: (H, W, 3) uint8.
            moment: of the frame, in seconds; ``None`` where frames follow each other closely.

        Returns:
            As `maskdet.vision.faces.detector.FaceDetector.detect`.
        """
        width, height = self._detector.seen_at_once(frame_bgr)
        size, first_look = self._chooser.choose(index, width, height)
        plan, heights, seconds = None, None, 0.0
        xyxy, small, followed = None, None, None
        try:
            if self._planner is not None and size > self._detector.smallest:
                plan = self._planner.plan(index, frame_bgr, size, moment)
            if plan is not None and plan.pictures is not None:
                near = self._detector.detect_at(self._detector.smallest, frame_bgr)
                xyxy, scores = self._with(near, plan.pictures, frame_bgr)
                return xyxy, scores
            look = first_look or (plan is not None and plan.thumbnail is not None)
            with self._look if look else contextlib.nullcontext():
                self._detector.load(size)  # not part of the time a frame takes
                start = time.perf_counter()
                (xyxy, scores), near_too = self._detector.look_at(size, frame_bgr)
                seconds = time.perf_counter() - start
            # What is too doubtful to be labelled changes nothing that is found.
            counted = xyxy[scores >= np.float32(self._detector.counted_from)]
            heights = counted[:, 3] - counted[:, 1]
            if plan is not None and plan.thumbnail is not None:
                small, followed = self._proof(xyxy, near_too, height, frame_bgr)
            return xyxy, scores
        finally:
            # Even if it failed: later frames wait to hear of it. What was only followed says
            # nothing of the size that finds what nobody knows of.
            self._chooser.saw(index, size, heights, height, seconds)
            if self._planner is not None:
                self._planner.saw(index, plan, xyxy, small, followed)

    def _proof(
        self, xyxy: FloatArray, near: Faces | None, height: int, frame_bgr: UInt8Array
    ) -> tuple["NDArray[np.bool_]", FloatArray]:
        """Looks at a look's frame the cheap way, too.

        Returns:
            (N,) bool, which of the faces need a cut-out, and (M, 4) what is found with those.
        """
        smallest = self._detector.smallest
        if near is None:
            near = self._detector.detect_at(smallest, frame_bgr)
        small = (xyxy[:, 3] - xyxy[:, 1]) * (smallest / height) < COMFORTABLE
        if len(near[0]) and len(xyxy):
            small |= intersection_over_union(xyxy, near[0]).max(axis=1) < SAME_FACE
        else:
            small[:] = True
        pictures = packed(xyxy[small], frame_bgr.shape[1], frame_bgr.shape[0], smallest)
        followed, _ = self._with(near, pictures, frame_bgr)
        return small, followed

    def _with(self, near: Faces, pictures: list[Picture], frame_bgr: UInt8Array) -> Faces:
        """Adds what packed pictures of a frame show to what the smallest size has found in it."""
        if not pictures:
            return near
        height, width = frame_bgr.shape[:2]
        looks = []
        for picture in pictures:
            found = self._detector.detect_small(picture.size, picture.drawn(frame_bgr))
            looks.append(picture.unpacked(found, width, height))
        xyxy, scores = near
        packed_boxes = np.concatenate([boxes for boxes, _ in looks])
        # Of a face that is too small for it, the smallest size gives a rough box, which may overlap
        # the good one too little to be known as the same.
        centres = (xyxy[:, None, :2] + xyxy[:, None, 2:]) / 2
        inside = np.all(
            (centres > packed_boxes[None, :, :2]) & (centres < packed_boxes[None, :, 2:]), axis=2
        ).any(axis=1)
        low = (xyxy[:, 3] - xyxy[:, 1]) * (self._detector.smallest / height) < COMFORTABLE
        kept = ~(inside & low)
        return merged([(xyxy[kept], scores[kept]), *looks])
