"""Which cameras of this machine answer."""

import sys
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import SourceError
from maskdet.media.inputs.feeds import CameraFeed

# Where the system does not list them, these are tried.
_TRIED_NUMBERS = range(4)


@dataclass(frozen=True)
class AnsweringCamera:
    """A camera that gave a picture.

    Attributes:
        number: what `--source` takes.
        width: of its pictures in pixels.
        height: likewise.
        frame_rate: frames a second it says it gives.
    """

    number: int
    width: int
    height: int
    frame_rate: float


def camera_numbers() -> list[int]:
    """Returns the numbers of the cameras there may be, in order."""
    if sys.platform.startswith("linux"):
        names = (path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
        return sorted(int(name) for name in names if name.isdecimal())
    return list(_TRIED_NUMBERS)


def answering_cameras() -> tuple[AnsweringCamera, ...]:
    """Opens every camera and reads one picture; those held by another program do not answer."""
    found = []
    for number in camera_numbers():
        try:
            feed = CameraFeed(number)
        except SourceError:
            continue
        try:
            image = next(iter(feed))
            height, width = image.shape[:2]
            found.append(AnsweringCamera(number, width, height, feed.frame_rate))
        except SourceError:
            continue
        finally:
            feed.close()
    return tuple(found)
