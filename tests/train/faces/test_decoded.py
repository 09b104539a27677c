"""Pictures kept decoded while training."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.errors import DatasetError
from maskdet.train.faces.decoded import DecodedPictures


def test_as_many_as_there_is_room_for(tmp_path: Path) -> None:
    """The first is kept and the same again without its file; the next is read each time."""
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((10, 20, 3), 100 + number, np.uint8))
    pictures = DecodedPictures(room=1_000)
    first = pictures.read(paths[0])
    assert np.array_equal(first, np.full((10, 20, 3), 100))
    for _ in range(2):
        assert np.array_equal(pictures.read(paths[1]), first + 1)
    for path in paths:
        path.unlink()
    assert pictures.read(paths[0]) is first
    with pytest.raises(DatasetError, match=r"1\.png.*it could be read before"):
        pictures.read(paths[1])
