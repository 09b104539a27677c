"""Which frames are held back for blurring, and what is blurred in each."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from maskdet.detect.veiling import veiled
from maskdet.detections import Detections
from maskdet.errors import SourceError
from maskdet.media.frames import Frame
from maskdet.stream import Seen

IMAGE = np.zeros((120, 160, 3), np.uint8)
FACE = np.array([[40, 40, 80, 90]], np.float32)


class Video:
    """A moving source, for what only asks what it is."""

    kind, frame_rate, frame_count, folder = "video", 25.0, 12, None
    is_moving = True

    def __init__(self, name: str, *, live: bool = False) -> None:
        self.name, self.is_live = name, live
        self.failures: list[str] = []


class Picture(Video):
    """A source of pictures."""

    is_moving = False


def seen(source: Video, index: int, *, face: bool, doubtful: bool = False) -> Seen:
    """Returns a frame with a face, with one too doubtful to be labelled, or with none."""
    faces = Detections.empty(("with_mask", "without_mask"))
    if face:
        shares = np.array([[0.9, 0.1]], np.float32)
        faces = Detections(faces.labels, FACE, np.ones(1, np.float32), shares, np.log(shares))
    faces = replace(faces, doubtful=FACE if doubtful else FACE[:0])
    return Seen(source, Frame(source.name, index, index / 25, IMAGE), faces)  # type: ignore[arg-type]


def test_a_file_is_held_back_and_comes_whole() -> None:
    """All frames of two videos, in order; a face found late is blurred in those before it."""
    videos = Video("a.mp4"), Video("b.mp4")
    frames = [seen(one, index, face=index == 9) for one in videos for index in range(12)]
    result = list(veiled(frames))
    assert [(one.source, one.frame.index) for one in result] == [
        (one.source, one.frame.index) for one in frames
    ]
    blurred = [len(one.veiled) for one in result if one.veiled is not None]
    assert blurred == ([0] + [1] * 11) * 2


def test_pictures_after_a_video_come_after_it() -> None:
    """What is held back of a video comes before what follows it on the command line."""
    video, folder = Video("a.mp4"), Picture("photos")
    frames = [seen(video, index, face=True) for index in range(12)]
    frames += [seen(folder, 0, face=True) for _ in range(3)]
    assert [one.source for one in veiled(frames)] == [video] * 12 + [folder] * 3


def test_a_video_beside_a_camera_comes_whole() -> None:
    """The end of a file is not kept until the camera's, which may be never."""
    video, camera = Video("a.mp4"), Video("door", live=True)
    frames = [seen(one, index, face=True) for index in range(12) for one in (video, camera)]
    frames += [seen(camera, index, face=True) for index in range(12, 100)]
    results = veiled(iter(frames))
    result = [next(results) for _ in range(len(frames) - 10)]
    assert [one.frame.index for one in result if one.source is video] == list(range(12))
    assert [one.frame.index for one in result if one.source is camera][-1] > 80


def test_a_video_that_breaks_off_loses_no_frame() -> None:
    """What was read comes before the error does."""

    def broken() -> Iterator[Seen]:
        video = Video("a.mp4")
        yield from (seen(video, index, face=True) for index in range(5))
        raise SourceError("a.mp4: breaks off")

    results = veiled(broken())
    result = [next(results).frame.index for _ in range(5)]
    with pytest.raises(SourceError):
        next(results)
    assert result == [0, 1, 2, 3, 4]


def test_a_live_picture_comes_at_once() -> None:
    """Nothing is held back, and two cameras are told apart."""
    cameras = Video("a", live=True), Video("b", live=True)
    given = [
        seen(camera, index, face=index == 2 and camera is cameras[0])
        for index in range(6)
        for camera in cameras
    ]
    results = veiled(iter(given))
    for one in given:
        result = next(results)
        assert (result.source, result.frame.index) == (one.source, one.frame.index)
        expected = one.source is cameras[0] and one.frame.index >= 2
        assert result.veiled is not None
        assert (len(result.veiled) > 0) == expected


@pytest.mark.parametrize(("face", "doubtful", "count"), [(1, 0, 1), (0, 1, 1), (0, 0, 0)])
def test_pictures_stand_alone(face: int, doubtful: int, count: int) -> None:
    """A picture is blurred where its own faces are, doubtful ones too, and nowhere else."""
    folder = Picture("photos")
    before = seen(folder, 0, face=True)
    one = seen(folder, 0, face=bool(face), doubtful=bool(doubtful))
    _, result = veiled([before, one])
    assert result.veiled is not None
    assert len(result.veiled) == count
