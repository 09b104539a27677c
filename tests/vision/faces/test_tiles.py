"""A frame cut into tiles, and what is found there put together again."""

import numpy as np
import pytest

from maskdet.vision.faces.tiles import TiledFaceDetector, TileGrid


@pytest.mark.parametrize("text", ["2", "0x2", "2x0", "axb", "2x2x2", ""])
def test_grids_that_are_none(text: str) -> None:
    """Anything but auto, off and NxM is refused."""
    with pytest.raises(ValueError, match="columns by rows"):
        TileGrid.parse(text)


def test_grids_are_read() -> None:
    """Off is no grid, auto chooses by size."""
    assert TileGrid.parse("off") is None
    assert TileGrid.parse("3x2") == TileGrid(3, 2)
    auto = TileGrid.parse("auto")
    assert auto is not None
    assert len(auto.boxes(640, 480)) == 1
    assert len(auto.boxes(1920, 1080)) == 6


def test_tiles_worked_out() -> None:
    """Two tiles of 700 px with a quarter in common: 0-400 and 300-700."""
    assert TileGrid(2, 1).boxes(700, 100).tolist() == [[0, 0, 400, 100], [300, 0, 700, 100]]


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (1921, 1079)])
def test_tiles_cover_the_frame(size: tuple[int, int]) -> None:
    """Every pixel lies in a tile, and no tile reaches outside."""
    width, height = size
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in TileGrid(3, 2).boxes(width, height).astype(int):
        assert 0 <= left < right <= width or width < 3
        covered[top:bottom, left:right] = True
    assert covered.all()


class BlobDetector:
    """Finds bright rectangles, but only those at least a fifth as wide as what it is shown."""

    default_confidence = 0.5
    workers = 1

    def detect(self, frame_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the box of each separate bright rectangle."""
        import cv2

        count, _, stats, _ = cv2.connectedComponentsWithStats(
            (frame_bgr[..., 0] > 128).astype(np.uint8)
        )
        found = [
            (x, y, x + w, y + h) for x, y, w, h, _ in stats[1:count] if w >= frame_bgr.shape[1] / 5
        ]
        return np.array(found, np.float32).reshape(-1, 4), np.ones(len(found), np.float32)


def test_small_faces_are_found_and_not_twice() -> None:
    """A face too small for the whole frame is found in a tile; one on a cut comes out whole."""
    frame = np.zeros((400, 700, 3), np.uint8)
    frame[50:150, 20:120] = 255
    frame[200:300, 305:395] = 255
    assert len(BlobDetector().detect(frame)[0]) == 0
    boxes, scores = TiledFaceDetector(BlobDetector(), TileGrid(2, 1)).detect(frame)
    assert sorted(boxes.tolist()) == [[20, 50, 120, 150], [305, 200, 395, 300]]
    assert len(scores) == 2


def test_faces_cut_by_a_tile_are_left_to_the_next() -> None:
    """A face that reaches over a tile's edge counts only where it lies whole."""
    frame = np.zeros((400, 700, 3), np.uint8)
    frame[100:200, 350:450] = 255
    boxes, _ = TiledFaceDetector(BlobDetector(), TileGrid(2, 1)).detect(frame)
    assert boxes.tolist() == [[350, 100, 450, 200]]
