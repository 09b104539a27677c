"""Faces followed from frame to frame, each with a number and a label that does not flicker.

Linking: boxes are predicted by their last motion and assigned to the new ones by the Hungarian
method on overlap (SORT: Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016, with a
smoothed velocity in place of the Kalman filter). Tracks end by time: after a gap in the stream none
goes on, whoever stands there then.

A face found twice in a frame, as happens when a hand or a mask makes its outline doubtful, begins a
second track upon the first. When one box is left it is the first track's, whichever it fits better.

Label: the log-probabilities of the frames are accumulated with forgetting, so that one blurred
frame does not outweigh the ones before it, and the label changes only when the accumulated
evidence is clearly for another (hysteresis). A frame counts, and pushes out what came before, by
how sharp the face is in it beside its sharpest lately: what motion has smeared says little. That a
mask is worn incorrectly must have been so for a moment, for masks are adjusted. The probability of
the label is another thing: the mean of what the frames said, as sure as they were.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import cut, intersection_over_union
from maskdet.detections import FloatArray
from maskdet.pace import Pace
from maskdet.vision.matching import best_pairs
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.track import Track, TrackingOptions


class Tracker:
    """Follows the faces of one source; frames come in order.

    Args:
        classes: number of labels.
        options: how.
        incorrect: index of the label of masks worn incorrectly, ``None`` where there is none.
    """

    # Sides of the grey thumbnail in which a face is compared with itself. Pixels.
    _THUMBNAIL = 24
    # By so many of them a box may tremble.
    _PLAY = 2

    def __init__(
        self, classes: int, options: TrackingOptions | None = None, incorrect: int | None = None
    ) -> None:
        self.options = options or TrackingOptions()
        self.tracks: list[Track] = []
        self._pace = Pace()
        self._classes = classes
        self._incorrect = incorrect
        self._next_number = 1

    def link(self, xyxy: FloatArray, time: float | None = None) -> list[Track]:
        """Finds each box's track, beginning new ones; call once a frame.

        Args:
            xyxy: (N, 4) float32 boxes in pixels.
            time: of the frame, in seconds; ``None`` for one usual interval after the one before.

        Returns:
            N tracks, in the order of the boxes.
        """
        now = self._pace.advance(time)
        if self._pace.has_gap:
            self.tracks = []
        found: list[Track | None] = [None] * len(xyxy)
        for track_index, box_index in self._assign(xyxy):
            track, box = self.tracks[track_index], xyxy[box_index]
            # Movement a second since it was last seen. The little time between the frames of a
            # burst, as after a stutter, says nothing.
            elapsed = max(now - track.seen_at, self._pace.usual / 2)
            movement = (box - track.box) / np.float32(elapsed)
            share = np.float32(self.options.velocity_share if track.seen > 1 else 1.0)
            track.velocity = track.velocity + share * (movement - track.velocity)
            track.box, track.seen_at = box.copy(), now
            found[box_index] = track
        self.tracks = [track for track in self.tracks if now - track.seen_at <= self._patience]
        linked = []
        for box, known in zip(xyxy, found, strict=True):
            track = known or self._begin(box)
            track.seen += 1
            linked.append(track)
        return linked

    @property
    def _patience(self) -> float:
        """Seconds for which a face may be missing."""
        options, usual = self.options, self._pace.usual
        # Half an interval more: frames are not on the dot.
        allowed = (options.max_age + 0.5) * usual
        return min(max(allowed, options.shortest_age), options.longest_age)

    def _begin(self, box: FloatArray) -> Track:
        now = self._pace.now
        zeros = np.zeros(4, np.float32)
        none = np.zeros(self._classes, np.float32)
        track = Track(self._next_number, box.copy(), zeros, none, none, now)
        seen = [other for other in self.tracks if other.seen_at == now]
        if seen:
            others = np.stack([other.box for other in seen])
            overlaps = intersection_over_union(box[np.newaxis], others)[0]
            if overlaps.max() >= self.options.min_overlap:
                track.twin_of = seen[int(overlaps.argmax())].number
        self._next_number += 1
        self.tracks.append(track)
        return track

    def _assign(self, xyxy: FloatArray) -> list[tuple[int, int]]:
        """Pairs (track, box) that belong together."""
        if not self.tracks or len(xyxy) == 0:
            return []
        predicted = self._predicted()
        overlap = intersection_over_union(predicted, xyxy)
        # A fast or small face may not overlap its prediction: then nearness decides, as less
        # than any overlap.
        centres = (predicted[:, None, :2] + predicted[:, None, 2:]) / 2
        distance = np.linalg.norm(centres - (xyxy[None, :, :2] + xyxy[None, :, 2:]) / 2, axis=2)
        width = np.maximum((predicted[:, 2] - predicted[:, 0])[:, None], 1)
        ratio = width / np.maximum((xyxy[:, 2] - xyxy[:, 0])[None], 1)
        nearness = np.clip(1 - distance / (self.options.reach * width), 0, 1)
        nearness[(ratio < 0.5) | (ratio > 2)] = 0
        affinity = np.where(
            overlap >= self.options.min_overlap, 1 + overlap, nearness * self.options.min_overlap
        )
        return self._untwinned(best_pairs(affinity), predicted, xyxy)

    def _untwinned(
        self, pairs: list[tuple[int, int]], predicted: FloatArray, xyxy: FloatArray
    ) -> list[tuple[int, int]]:
        """Gives the boxes of twins to the tracks they began upon, where those have none."""
        taken = {index for index, _ in pairs}
        of_number = {track.number: index for index, track in enumerate(self.tracks)}
        for place, (twin, box) in enumerate(pairs):
            first = of_number.get(self.tracks[twin].twin_of or 0)
            if first is None or first in taken:
                continue
            overlap = intersection_over_union(predicted[first : first + 1], xyxy[box : box + 1])
            if overlap.item() >= self.options.same_face:
                pairs[place] = first, box
                taken.add(first)
                # It ends with this frame.
                self.tracks[twin].seen_at = -math.inf
        return pairs

    def _predicted(self) -> FloatArray:
        """Returns (T, 4) where each track's face should be in the newest frame."""
        return np.stack([self._expected(track) for track in self.tracks])

    def _expected(self, track: Track) -> FloatArray:
        unseen = np.float32(self._pace.now - track.seen_at)
        box: FloatArray = track.box + track.velocity * unseen
        return box

    def lost(self) -> FloatArray:
        """Returns (M, 4) boxes where faces are expected that the last frame did not show."""
        now = self._pace.now
        boxes = [self._expected(track) for track in self.tracks if track.seen_at < now]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def needs_classifying(self, track: Track, frame_bgr: UInt8Array) -> bool:
        """Tells whether a face must be looked at again, or its last answer still stands.

        Args:
            track: a track just linked.
            frame_bgr: (H, W, 3) uint8, the frame.
        """
        before = track.thumbnail
        now = self._thumbnail(frame_bgr, track.box, track.extent)
        self._compare_sharpness(track, now)
        settled = track.label >= 0 and track.shares[track.label] >= self.options.settled_at
        if (
            not settled
            or before is None
            # Half an interval less: frames are not on the dot.
            or self._pace.now - track.read_at >= self.options.recheck - self._pace.usual / 2
            or self._change(before, now) >= self.options.change
        ):
            track.extent = track.box[2:] - track.box[:2]
            track.thumbnail = self._thumbnail(frame_bgr, track.box, track.extent)
            track.read_at = self._pace.now
            return True
        return False

    def _thumbnail(
        self, frame_bgr: UInt8Array, box: FloatArray, extent: FloatArray | None
    ) -> NDArray[np.int16]:
        """Returns a face as a tiny grey picture, cut out of its frame at a width and height."""
        if extent is not None:
            centre = (box[:2] + box[2:]) / 2
            box = np.concatenate([centre - extent / 2, centre + extent / 2])
        side = self._THUMBNAIL
        small = cv2.resize(cut(frame_bgr, box), (side, side), interpolation=cv2.INTER_AREA)
        grey: NDArray[np.int16] = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
        return grey

    def _change(self, before: NDArray[np.int16], now: NDArray[np.int16]) -> float:
        """Returns by how many grey levels a face has changed, its middle laid where it fits best.

        Boxes tremble, and more so from one way of finding a face to another. That is no change, so
        what is left of it, a part of a pixel, is blurred away.
        """
        play, blur = self._PLAY, (3, 3)
        middle = cv2.blur(before.astype(np.float32), blur)[play:-play, play:-play]
        smooth = cv2.blur(now.astype(np.float32), blur)
        misfit = cv2.matchTemplate(smooth, middle, cv2.TM_SQDIFF)
        row, column = np.unravel_index(int(misfit.argmin()), misfit.shape)
        there = smooth[row : row + len(middle), column : column + len(middle)]
        return float(np.abs(there - middle).mean())

    def _compare_sharpness(self, track: Track, thumbnail: NDArray[np.int16]) -> None:
        """Measures a face by the mean step between neighbouring pixels of its thumbnail."""
        sharpness = float(sum(np.abs(np.diff(thumbnail, axis=axis)).mean() for axis in (0, 1)))
        track.sharpest = max(sharpness, track.sharpest * self.options.sharpest_kept)
        track.clarity = sharpness / track.sharpest if track.sharpest > 0 else 1.0

    def update(self, track: Track, probabilities: FloatArray) -> None:
        """Adds a frame's evidence to a track and decides its label.

        Args:
            track: a track just linked.
            probabilities: (C,) float32, the classifier's answer for this frame.
        """
        options = self.options
        floor = (1 - options.certainty) / max(self._classes - 1, 1)
        log_probabilities = np.log(np.clip(probabilities, floor, options.certainty))
        clarity = track.clarity
        kept = options.forgetting**clarity
        log_evidence = kept * track.log_evidence + clarity * log_probabilities
        track.log_evidence = log_evidence.astype(np.float32)
        track.evidence = (kept * track.evidence + clarity * probabilities).astype(np.float32)
        track.weight = kept * track.weight + clarity
        self._decide(track)

    def _decide(self, track: Track) -> None:
        """Changes a track's label where the evidence says so, for long enough."""
        shares = track.shares
        best = int(shares.argmax())
        if track.label < 0:
            track.label = best
            return
        rivals = shares[best] + shares[track.label]
        leans = best != track.label and shares[best] >= self.options.switch_at * rivals
        if not leans or best != self._incorrect:
            track.leaning_since = None
        elif track.leaning_since is None:
            track.leaning_since = self._pace.now
        if leans and (
            track.leaning_since is None
            or self._pace.now - track.leaning_since >= self.options.adjusting
        ):
            track.label, track.leaning_since = best, None
