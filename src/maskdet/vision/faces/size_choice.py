"""Chooses the face detector's input size: small for faces close by, large for crowds.

A larger input finds smaller faces and takes longer in proportion to its area. A picture is worth
the time; in a video or before a camera, what the first frames show tells how much is needed, and
a look now and then whether that has changed.
"""

import threading
from collections import deque
from collections.abc import Sequence

import numpy as np

from maskdet.detections import FloatArray

# Height in pixels of the network's input from which on nearly every face is found.
COMFORTABLE = 36.0
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
