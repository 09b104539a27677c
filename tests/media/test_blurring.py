"""What blurring leaves of a face."""

from pathlib import Path

import numpy as np
import pytest

from maskdet.media.blurring import blur_faces, blurred_pixels
from maskdet.media.inputs.decoding import read_picture

BOXES = [
    (20, 30, 60, 80),
    (-30, -20, 40, 50),
    (280, 180, 320, 240),
    (5, 5, 6, 6),
    (-90, -90, -50, -50),
    (10, 10, 10, 10),
]


@pytest.mark.parametrize("box", BOXES)
def test_what_changes_is_what_is_said(box: tuple[float, ...]) -> None:
    """The mask of blurred pixels is where the picture changes, at its edges and outside, too."""
    picture = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    boxes = np.array([box], np.float32)
    blurred = blur_faces(picture.copy(), boxes)
    said = blurred_pixels(boxes, 300, 200)
    changed = (blurred != picture).any(axis=2)
    assert not (changed & ~said).any()
    assert changed.sum() >= 0.9 * said.sum() or said.sum() < 10


def test_a_box_is_covered_whole_and_more() -> None:
    """Corners of the box itself, and a good part of its height above it, where hair is."""
    boxes = np.array([(100, 100, 150, 160)], np.float32)
    blurred = blurred_pixels(boxes, 300, 300)
    assert blurred[100:160, 100:150].all()
    assert blurred[84, 125]
    assert blurred[176, 125]
    assert not blurred[75, 125]


def test_large_faces_keep_no_detail(samples: Path) -> None:
    """However large the face, what is left of it is six by six smooth tiles."""
    picture = read_picture(samples / "astronaut.jpg")
    box = np.array([(100, 20, 380, 400)], np.float32)
    inside = blur_faces(picture.copy(), box)[60:360, 140:340].astype(int)
    for axis in (0, 1):
        assert np.abs(np.diff(inside, axis=axis)).mean() < 2
        assert np.abs(np.diff(inside, n=2, axis=axis)).max() < 12
