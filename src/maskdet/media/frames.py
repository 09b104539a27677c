"""A frame on its way through the program, and what every source of frames is."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Kind = Literal["picture", "pictures", "video", "camera", "stream"]

# What a video that reports no frame rate is taken to run at: the commonest rate of such files.
FALLBACK_FRAME_RATE = 25.0


def usable_rate(rate: float | None) -> float:
    """Returns a reported frame rate, or the usual one for none, -1, 0, NaN and infinity."""
    return rate if rate and rate > 0 and math.isfinite(rate) else FALLBACK_FRAME_RATE


@dataclass(frozen=True)
class Frame:
    """One picture on its way through the program.

    Attributes:
        source: what the records call it: the picture's path, the video's path, the camera.
        index: number within its source, from 0.
        time: seconds since the source's first frame; 0 for pictures.
        image: (H, W, 3) uint8, BGR.
        wall_time: when a live source gave it, with the zone; ``None`` for what is recorded, whose
            own word for it is seldom true.
    """

    source: str
    index: int
    time: float
    image: UInt8Array
    wall_time: datetime | None = None


class Source(Protocol):
    """An iterator of frames that knows what it is.

    Attributes:
        kind: what it is.
        name: what it is called in messages.
        folder: the folder it was found in or below, which the user named; ``None`` if there is
            none. What is written of it keeps its place below.
        frame_rate: frames a second, ``None`` for pictures.
        failures: one line for each thing that could not be read and was passed over.
    """

    kind: Kind
    name: str
    folder: Path | None
    frame_rate: float | None
    failures: list[str]

    @property
    def paths(self) -> Sequence[Path]:
        """The files it reads; none of a camera, a server or a pipe."""
        ...

    @property
    def frame_count(self) -> int | None:
        """How many frames are to come, ``None`` where nobody knows."""
        ...

    @property
    def is_moving(self) -> bool:
        """Whether the frames follow one another in time, as in a video."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether frames come at their own pace, and are lost when nobody looks."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Reads the frames; releases the device or file when the iteration ends."""
        ...
