"""Finds faces in the frames of one moving source: in full now and then, cheaply in between."""

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.faces.detector import Faces, merged
from maskdet.vision.faces.displacement import found_again
from maskdet.vision.faces.expectation import Proof
from maskdet.vision.faces.looks import Following, LookPlanner
from maskdet.vision.faces.packing import CLOSE_REACH, Picture, packed
from maskdet.vision.faces.size_choice import COMFORTABLE, SizeChooser
from maskdet.vision.preprocessing import UInt8Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maskdet.vision.faces.sizes import AutoSizedFaceDetector


# A look may find a face elsewhere than those who follow it do. So much of that is taken over at a
# look: no box jumps, and what is left is halved by each. Less makes boxes no steadier, and slower.
_TAKEN = np.float32(0.5)


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
        xyxy, proof = None, None
        try:
            if self._planner is not None:
                plan = self._planner.plan(index, frame_bgr, size, moment)
            if plan is not None and plan.following is not None and plan.only_follows:
                xyxy, scores = self._follow(plan.following, height, frame_bgr)
                return xyxy, scores
            large = first_look or (
                plan is not None and plan.is_look and size > self._detector.smallest
            )
            with self._look if large else contextlib.nullcontext():
                self._detector.load(size)  # not part of the time a frame takes
                start = time.perf_counter()
                (xyxy, scores), near = self._detector.look_at(size, frame_bgr)
                seconds = time.perf_counter() - start
            # What is too doubtful to be labelled changes nothing that is found.
            counted = xyxy[scores >= np.float32(self._detector.counted_from)]
            heights = counted[:, 3] - counted[:, 1]
            if plan is None or not plan.is_look:
                return xyxy, scores
            if near is None:
                near = self._detector.detect_at(self._detector.smallest, frame_bgr)
            steady = xyxy
            if plan.following is not None:
                cut_outs = self._cut_outs(plan.following, frame_bgr)
                apart = plan.following.apart
                followed = merged(cut_outs) if apart else self._joined(near, cut_outs, height)
                steady = _steadied(xyxy, followed[0])
                xyxy = steady + _TAKEN * (xyxy - steady)
            proof = self._proof(xyxy, near, height, frame_bgr)
            return steady, scores
        finally:
            # Even if it failed: later frames wait to hear of it. What was only followed says
            # nothing of the size that finds what nobody knows of.
            self._chooser.saw(index, size, heights, height, seconds)
            if self._planner is not None:
                self._planner.saw(index, plan, xyxy, proof)

    def _proof(self, xyxy: FloatArray, near: Faces, height: int, frame_bgr: UInt8Array) -> Proof:
        """Looks at a look's frame the cheap ways, too.

        Args:
            xyxy: (N, 4) what the look has found.
            near: what the smallest size has found.
            height: of what the network is shown at a time, in pixels.
            frame_bgr: the frame.
        """
        small = self._is_low(xyxy, height) | (found_again(xyxy, near[0]) < 0)
        sides = frame_bgr.shape[1], frame_bgr.shape[0], self._detector.smallest
        cut_outs = self._look_into(packed(xyxy[small], *sides), frame_bgr)
        close = self._look_into(packed(xyxy[~small], *sides, CLOSE_REACH), frame_bgr)
        apart, _ = merged([*cut_outs, *close])
        return Proof(small, self._joined(near, cut_outs, height)[0], apart)

    def _follow(self, following: Following, height: int, frame_bgr: UInt8Array) -> Faces:
        """Finds known faces in cut-outs, and looks at the whole frame if that is not enough.

        Args:
            following: which faces, and where.
            height: of what the network is shown at a time, in pixels.
            frame_bgr: the frame.
        """
        cut_outs = self._cut_outs(following, frame_bgr)
        if following.apart:
            found = merged(cut_outs)
            if following.expected.are_in(found[0]):
                return found
        near = self._detector.detect_at(self._detector.smallest, frame_bgr)
        return self._joined(near, cut_outs, height)

    def _cut_outs(self, following: Following, frame_bgr: UInt8Array) -> list[Faces]:
        """Returns what each of the cut-outs shows, its boxes as a look would find them."""
        looks = self._look_into(following.pictures, frame_bgr)
        return [following.expected.corrected(faces) for faces in looks]

    def _look_into(self, pictures: list[Picture], frame_bgr: UInt8Array) -> list[Faces]:
        """Returns what each packed picture of a frame shows, in pixels of the frame."""
        height, width = frame_bgr.shape[:2]
        return [
            picture.unpacked(
                self._detector.detect_small(picture.size, picture.drawn(frame_bgr)), width, height
            )
            for picture in pictures
        ]

    def _joined(self, near: Faces, cut_outs: list[Faces], height: int) -> Faces:
        """Adds what cut-outs of a frame show to what the smallest size has found in it."""
        if not cut_outs:
            return near
        xyxy, scores = near
        theirs = np.concatenate([boxes for boxes, _ in cut_outs])
        # Of a face that is too small for it, the smallest size gives a rough box, which may overlap
        # the good one too little to be known as the same.
        centres = (xyxy[:, None, :2] + xyxy[:, None, 2:]) / 2
        inside = np.all((centres > theirs[None, :, :2]) & (centres < theirs[None, :, 2:]), axis=2)
        kept = ~(inside.any(axis=1) & self._is_low(xyxy, height))
        return merged([(xyxy[kept], scores[kept]), *cut_outs])

    def _is_low(self, xyxy: FloatArray, height: int) -> "NDArray[np.bool_]":
        """Returns (N,) which faces are lower than the smallest size finds with ease."""
        low: NDArray[np.bool_] = (xyxy[:, 3] - xyxy[:, 1]) * (
            self._detector.smallest / height
        ) < COMFORTABLE
        return low


def _steadied(xyxy: FloatArray, followed: FloatArray) -> FloatArray:
    """Returns a look's faces, (N, 4), where whoever follows them finds them, if that finds them."""
    again = found_again(xyxy, followed)
    # One box that stands for two faces is neither's.
    claims = np.bincount(again[again >= 0], minlength=len(followed))
    same = again >= 0
    same[same] = claims[again[same]] == 1
    steady = xyxy.copy()
    steady[same] = followed[again[same]]
    return steady
