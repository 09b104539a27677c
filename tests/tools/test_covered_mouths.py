"""What is painted before bare mouths."""

import numpy as np
import pytest

from covered_mouths import KINDS, cover

LANDMARKS = np.array([[80, 70], [120, 70], [100, 95], [85, 118], [115, 118]], np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_it_covers_the_mouth_and_not_the_eyes(kind: str) -> None:
    """The mouth changes, the eyes do not, the picture handed in neither; a seed repeats it."""
    face = np.full((220, 200, 3), (120, 150, 200), np.uint8)
    before = face.copy()
    covered = cover(face, LANDMARKS, kind, np.random.default_rng(5))
    assert np.array_equal(face, before)
    change = np.abs(covered.astype(int) - face).max(axis=2)
    assert (change[112:130, 90:110] > 8).mean() > 0.5
    assert change[60:76, 70:130].max() <= 8
    again = cover(face, LANDMARKS, kind, np.random.default_rng(5))
    assert np.array_equal(covered, again)
