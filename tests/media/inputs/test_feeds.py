"""What feeds leave out: frames that nobody wants cost neither pixels nor, of cameras, decoding."""

import itertools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.media.inputs import containers, feeds
from maskdet.media.inputs.feeds import CameraFeed, StreamFeed


class Clock:
    """Stands for the `time` module: each frame comes a 25th of a second after the one before."""

    def __init__(self) -> None:
        self.frames = itertools.count()

    def monotonic(self) -> float:
        """Returns when the next frame comes."""
        return next(self.frames) / 25


class Camera:
    """Stands for OpenCV's: counts what is decoded, of the last one that was opened."""

    grabbed = decoded = 0

    def __init__(self, _: object) -> None:
        Camera.grabbed = Camera.decoded = 0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Tells that it is there."""
        return True

    def get(self, _: int) -> float:
        """Returns its frame rate."""
        return 25.0

    def grab(self) -> bool:
        """Takes one of fifty frames."""
        Camera.grabbed += 1
        return Camera.grabbed <= 50

    def retrieve(self) -> tuple[bool, Any]:
        """Decodes it."""
        Camera.decoded += 1
        return True, np.zeros((4, 4, 3), np.uint8)


def test_a_cameras_frames_are_decoded_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two seconds at 25 frames a second five a second are decoded; then it is gone, as ever."""
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(feeds, "time", Clock())
    feed = CameraFeed(0, rate=5)
    images = []
    with pytest.raises(feeds.SourceError, match="empty pictures"):
        images.extend(feed)
    assert len(images) == Camera.decoded == 10


def test_a_streams_frames_become_pictures_as_wanted(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a stream is decoded, as each frame needs those before; a fifth becomes pixels."""
    converted = []
    monkeypatch.setattr(
        containers, "_to_bgr", lambda picture: converted.append(picture) or np.zeros((4, 4, 3))
    )
    every = sum(1 for _ in StreamFeed(str(samples / "astronaut.mp4"), 5))
    assert every == len(converted) == 12
    monkeypatch.setattr(feeds, "time", Clock())
    feed = StreamFeed(str(samples / "astronaut.mp4"), 5, rate=5)
    assert sum(1 for _ in feed) == 3
    assert len(converted) == every + 3
    feed.close()
