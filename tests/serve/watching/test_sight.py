"""States that a picture tells: frozen, dark, covered, too small."""

import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.serve.showing.status import CameraState
from maskdet.serve.watching.sight import Sight

RANDOM = np.random.default_rng(0)


def scene(level: int = 120, spread: int = 40) -> NDArray[np.uint8]:
    """Makes a picture that differs from every other one."""
    noise = RANDOM.normal(level, spread, (120, 160, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


def test_the_same_picture_for_long_is_frozen() -> None:
    """Only after its time, and no longer once it moves."""
    sight, still = Sight(frozen_after=30), scene()
    assert sight.judge(still, 0)[0] is CameraState.LIVE
    assert sight.judge(still, 29)[0] is CameraState.LIVE
    assert sight.judge(still, 30) == (CameraState.FROZEN, "the same picture for 30 s")
    assert sight.judge(scene(), 31)[0] is CameraState.LIVE
    assert sight.judge(still, 32)[0] is CameraState.LIVE


@pytest.mark.parametrize(
    ("level", "spread", "state"),
    [(4, 3, CameraState.DARK), (90, 2, CameraState.COVERED), (40, 12, CameraState.LIVE)],
)
def test_a_black_or_covered_lens(level: int, spread: int, state: CameraState) -> None:
    """Noise of a sensor is no picture, but a moment of it is no state; a dim scene is one."""
    sight = Sight(frozen_after=30)
    assert sight.judge(scene(level, spread), 0)[0] is CameraState.LIVE
    assert sight.judge(scene(level, spread), 2)[0] is CameraState.LIVE
    assert sight.judge(scene(level, spread), 4)[0] is state
    assert sight.judge(scene(), 5)[0] is CameraState.LIVE


def test_faces_of_too_few_pixels() -> None:
    """Twenty small faces say that the camera is too far away; large ones, or old ones, do not."""
    sight = Sight(frozen_after=30)
    small = np.array([[0, 0, 10, 12]], np.float32)
    for number in range(19):
        sight.saw_faces(small, number)
    assert sight.judge(scene(), 19)[0] is CameraState.LIVE
    sight.saw_faces(small, 19)
    assert sight.judge(scene(), 20) == (
        CameraState.SMALL_FACES, "faces are 12 pixels high: go nearer",
    )  # fmt: skip
    assert sight.judge(scene(), 400)[0] is CameraState.LIVE
    for number in range(30):
        sight.saw_faces(small * 5, 20 + number)
    assert sight.judge(scene(), 50)[0] is CameraState.LIVE
