"""The face detector's choice of its input size."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.following import FollowingFaceDetector
from maskdet.vision.faces.size_choice import (
    COMFORTABLE,
    DELAY,
    FIRST_LOOKS,
    LOOK_EVERY,
    SizeChooser,
    size_for,
)
from maskdet.vision.faces.sizes import AutoSizedFaceDetector

SIZES = (304, 448, 608, 704)
HEIGHT = 720


class Fake:
    """A detector that finds faces of given heights, if they are large enough at its size."""

    default_confidence = 0.4
    precision = None
    workers = 2

    def __init__(self, size: int, heights: tuple[float, ...]) -> None:
        self.size, self.heights = size, heights
        self.calls = 0

    def detect(self, frame_bgr: np.ndarray) -> Faces:
        """Finds what is at least ten pixels high at its size, side by side, and not over 350."""
        self.calls += 1
        scale = self.size / len(frame_bgr)
        seen = [height for height in self.heights if 10 <= height * scale <= 350]
        lefts = 400 * np.arange(len(seen))
        boxes = np.array(
            [(left, 0, left + height, height) for left, height in zip(lefts, seen, strict=True)],
            np.float32,
        ).reshape(-1, 4)
        return boxes, np.ones(len(boxes), np.float32)


def detector_of(*heights: float) -> tuple[AutoSizedFaceDetector, dict[int, Fake]]:
    """A sized detector before faces of these heights, and the detectors it has loaded.

    It looks at every frame in full, which is what the size is chosen for.
    """
    loaded: dict[int, Fake] = {}

    def load(size: int) -> Fake:
        loaded[size] = Fake(size, heights)
        return loaded[size]

    return AutoSizedFaceDetector(load, SIZES, thorough=True), loaded


FRAME = np.zeros((HEIGHT, 1280, 3), np.uint8)


def look_at(following: FollowingFaceDetector, first: int, count: int) -> None:
    """Shows a followed source so many frames, numbered from the first."""
    for index in range(first, first + count):
        following.detect(index, FRAME)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(200, 150, 304), (320, 240, 304), (500, 600, 448), (640, 480, 608), (4000, 3000, 704)],
)
def test_a_picture_is_looked_at_with_the_pixels_it_has(width: int, height: int, size: int) -> None:
    """The largest size that is no larger than the picture, or else the smallest there is."""
    assert size_for(width, height, SIZES) == size


@pytest.mark.parametrize(("face", "size"), [(300, 304), (60, 448), (45, 608), (20, 704)])
def test_a_video_takes_the_size_its_faces_need(face: float, size: int) -> None:
    """The smallest at which they are comfortably large; 60 of 720 pixels are 37 of 448."""
    detector, loaded = detector_of(face)
    look_at(detector.following(), 0, FIRST_LOOKS + 5)
    calls = {one: fake.calls for one, fake in loaded.items()}
    assert calls[704] == FIRST_LOOKS + (5 if size == 704 else 0)
    assert calls[size] >= 5
    assert size == 704 or face * size / HEIGHT >= COMFORTABLE


def test_a_face_that_fills_the_frame_is_found_at_a_small_size() -> None:
    """It is too large for the large size, which finds the small one; neither is found twice."""
    for heights in ((600,), (600, 14), (300, 14)):
        detector, _ = detector_of(*heights)
        xyxy, scores = detector.detect(FRAME)
        assert sorted(xyxy[:, 3].tolist(), reverse=True) == list(heights)
        assert len(scores) == len(heights)


def test_a_video_without_faces_takes_a_middling_size() -> None:
    """Whoever comes nearer will be found, at less than half the price."""
    detector, loaded = detector_of()
    look_at(detector.following(), 0, 10)
    assert loaded[448].calls == 10 - FIRST_LOOKS


def test_now_and_then_it_looks_again() -> None:
    """A crowd that comes into view after the first frames is found at the next full look."""
    detector, loaded = detector_of(300)
    following = detector.following()
    look_at(following, 0, FIRST_LOOKS + 2)
    for fake in loaded.values():
        fake.heights = (300, 20, 20)  # too small for 304
    look_at(following, FIRST_LOOKS + 2, LOOK_EVERY - FIRST_LOOKS + DELAY - 2)
    assert loaded[704].calls == FIRST_LOOKS + 1
    look_at(following, LOOK_EVERY + DELAY, 5)
    assert loaded[704].calls == FIRST_LOOKS + 1 + 5


def test_frames_that_race_are_looked_at_alike() -> None:
    """Whichever of two frames is ready first: the same frames get the same sizes."""

    def sizes(seed: int) -> list[int]:
        generator = np.random.default_rng(seed)
        pauses = generator.uniform(0, 0.002, 90)
        taken: list[int] = [0] * len(pauses)
        chooser = SizeChooser(SIZES, workers=2)

        def find(index: int) -> None:
            taken[index], _ = chooser.choose(index, 1280, HEIGHT)
            time.sleep(pauses[index])
            heights = np.array([300.0 if index % 40 < 20 else 45.0], np.float32)
            chooser.saw(index, taken[index], heights, HEIGHT, pauses[index])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(find, range(len(pauses))))
        return taken

    first = sizes(1)
    assert len(set(first)) == 3
    assert all(sizes(seed) == first for seed in (2, 3, 4))


def test_a_frame_that_fails_keeps_no_other_waiting() -> None:
    """Later frames hear of it, and go on with what is known."""
    chooser = SizeChooser(SIZES)
    for index in range(FIRST_LOOKS):
        chooser.saw(index, 704, None, HEIGHT, 0.0)
    assert chooser.choose(FIRST_LOOKS, 1280, HEIGHT) == (448, False)


def test_every_source_is_followed_on_its_own() -> None:
    """What one camera shows does not choose for another."""
    detector, loaded = detector_of(300)
    look_at(detector.following(), 0, FIRST_LOOKS + 1)
    look_at(detector.following(), 0, 1)
    # Each look at full size is one at the smallest, too, which is what the last frame needs.
    assert (loaded[304].calls, loaded[704].calls) == (FIRST_LOOKS + 2, FIRST_LOOKS + 1)


def test_a_live_source_is_never_slower_than_its_frames() -> None:
    """At 50 ms for the large size and 25 frames a second, one worker takes one of 20 ms."""
    chooser = SizeChooser(SIZES, seconds_a_frame=0.04, workers=1)
    crowd = np.array([20.0], np.float32)
    patient = SizeChooser(SIZES, seconds_a_frame=None)
    for index in range(FIRST_LOOKS):
        for one in (chooser, patient):
            size, _ = one.choose(index, 1280, HEIGHT)
            one.saw(index, size, crowd, HEIGHT, 0.05 * (size / 704) ** 2)
    assert chooser.choose(FIRST_LOOKS, 1280, HEIGHT)[0] == 448
    assert patient.choose(FIRST_LOOKS, 1280, HEIGHT)[0] == 704


def test_a_slow_machine_learns_from_the_looks_it_can_afford() -> None:
    """People who come nearer need less, even where what they needed before could not be had."""
    chooser = SizeChooser(SIZES, seconds_a_frame=0.025, workers=1)
    for index in range(3 * LOOK_EVERY):
        size, _ = chooser.choose(index, 1280, HEIGHT)
        heights = np.array([20.0 if index < LOOK_EVERY - 1 else 300.0], np.float32)
        chooser.saw(index, size, heights, HEIGHT, 0.04 * (size / 704) ** 2)
        if index == LOOK_EVERY - 1:
            assert size == 448
    assert size == 304


def test_a_source_too_fast_for_any_size_gets_the_smallest() -> None:
    """It does what it can."""
    chooser = SizeChooser(SIZES, seconds_a_frame=0.001)
    chooser.saw(0, 704, np.zeros(0, np.float32), HEIGHT, 0.05)
    assert chooser.choose(1, 1280, HEIGHT)[0] == 304
