"""Near-duplicates: what counts as the same picture."""

import cv2
import numpy as np
import pytest

from maskdet.duplicates import (
    difference_bits,
    group_duplicates,
    hash_picture,
    near_pairs,
    stack_hashes,
)
from train_pictures import made_up_face


def test_bits_tell_rising_from_falling() -> None:
    """Brightness that rises from left to right gives 1, that falls gives -1."""
    rising = np.tile(np.arange(0, 240, 8, dtype=np.uint8), (30, 1))
    assert (difference_bits(rising, 8) == 1).all()
    assert (difference_bits(rising[:, ::-1].copy(), 8) == -1).all()
    assert difference_bits(rising, 8).shape == (64,)


def changed(face: np.ndarray, how: str) -> np.ndarray:
    """Returns a copy such as one finds in public data sets."""
    if how == "noisy":
        noise = np.random.default_rng(1).normal(0, 6, face.shape)
        return np.clip(face + noise, 0, 255).astype(np.uint8)
    if how == "smaller":
        return cv2.resize(face, (40, 40), interpolation=cv2.INTER_AREA)
    if how == "mirrored":
        return cv2.flip(face, 1)
    return cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1)


@pytest.mark.parametrize("how", ["noisy", "smaller", "mirrored", "compressed"])
def test_copies_share_a_group(how: str) -> None:
    """A changed copy is in the group of its picture, other pictures are not."""
    random = np.random.default_rng(0)
    faces = [made_up_face(random, "without_mask", 96) for _ in range(5)]
    hashes = stack_hashes([hash_picture(face) for face in [*faces, changed(faces[2], how)]])
    groups, pairs = group_duplicates(hashes, [None] * 6)
    assert groups[5] == groups[2]
    assert len(set(groups.tolist())) == 5
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(2, 5)]


def test_given_groups_join() -> None:
    """Pictures said to be of one photograph share a group though they look different."""
    random = np.random.default_rng(0)
    rows = [hash_picture(made_up_face(random, "without_mask")) for _ in range(4)]
    groups, pairs = group_duplicates(stack_hashes(rows), ["a", None, "a", None])
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3
    assert len(pairs.first) == 0


def test_no_pictures_have_no_pairs() -> None:
    """Comparing with an empty set finds nothing."""
    one = stack_hashes([hash_picture(np.zeros((9, 9, 3), np.uint8))])
    assert len(near_pairs(stack_hashes([]), one).first) == 0
    assert len(near_pairs(one, stack_hashes([])).first) == 0
