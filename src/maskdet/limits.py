"""What options may be, said once for the command line and for Python: numbers and their limits."""

from collections.abc import Mapping
from dataclasses import dataclass

FACE_DETECTORS = ("ssd", "yunet")
# Of the files that are run; face detectors have none of float32.
RUN_PRECISIONS = ("auto", "float32", "float16", "int8")


@dataclass(frozen=True)
class Range:
    """Limits of a number, which belong to it unless they are open.

    Attributes:
        low: the smallest.
        high: the largest; ``None`` for no limit.
        whole: whether it has to be a whole number.
        low_open: whether it has to be larger than `low`.
        high_open: whether it has to be smaller than `high`.
    """

    low: float
    high: float | None = None
    whole: bool = False
    low_open: bool = False
    high_open: bool = False

    def holds(self, number: float) -> bool:
        """Tells whether a number is within the limits."""
        low = number > self.low if self.low_open else number >= self.low
        if self.high is None:
            return low
        return low and (number < self.high if self.high_open else number <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"{'above' if self.low_open else 'at least'} {self.low:g}"
        if self.low_open:
            return f"above {self.low:g} and {'below' if self.high_open else 'up to'} {self.high:g}"
        return f"{self.low:g} to {'less than ' if self.high_open else ''}{self.high:g}"


# Shares of something, and what is counted.
UNIT = Range(0, 1)
SHARE = Range(0, 1, high_open=True)
PART = Range(0, 1, low_open=True, high_open=True)
COUNT = Range(0, whole=True)
POSITIVE = Range(1, whole=True)
# Of pictures in a step, of units in a layer, of pixels of a side: more fits no memory.
SEVERAL = Range(1, 8192, whole=True)
SIDE = Range(32, 2048, whole=True)
# What grows with a network's weights, or with their steps: beyond it there is nothing but noise.
RATE = Range(0, 10, low_open=True)
DECAY = Range(0, 10)

# By the names that options have on the command line, dashes as underscores.
RUNNING: Mapping[str, Range] = {
    "confidence": Range(0, 1, low_open=True),
    "face_size": Range(100, 2000, whole=True),
    "min_face": Range(0),
    "crop_margin": Range(-0.4, 2),
    "min_confidence": UNIT,
    "timeout": Range(0, low_open=True),
    "max_megapixels": Range(0, 1000, low_open=True),
    "max_frames": POSITIVE,
    "reconnect": COUNT,
    # Of a frame in pixels; a wider one would be enlarged beyond what memory holds.
    "width": Range(16, 16384, whole=True),
    "gamma": Range(0.1, 10),
    "resolution": Range(64, 1024, whole=True),
    "alpha": UNIT,
    "size": Range(48, 1024, whole=True),
    "tolerance": Range(0),
}

TRAINING: Mapping[str, Range] = {
    "validation": PART,
    "test": SHARE,
    "max_bad": SHARE,
    "repeats": Range(1, 100, whole=True),
    "folds": Range(0, 100, whole=True),
    "fold": Range(0, 100, whole=True),
    "alpha": Range(0.25, 2),
    "head_units": SEVERAL,
    "dropout": SHARE,
    "image_size": SIDE,
    "epochs": COUNT,
    "views": COUNT,
    "fine_tune": COUNT,
    "fine_tune_rate": RATE,
    "coarse_epochs": COUNT,
    "coarse_size": SIDE,
    "batch_size": SEVERAL,
    "learning_rate": RATE,
    "warm_up": SHARE,
    "label_smoothing": SHARE,
    "patience": COUNT,
    "crop_margin": SHARE,
    "seed": COUNT,
}
