"""A frame cut into tiles, and what is found there put together again."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.media.frames import Frame
from maskdet.media.inputs.decoding import read_picture
from maskdet.stream import StreamOptions, detect_frames
from maskdet.vision.faces.tiles import WIDEST, Strips, TiledFaceDetector, TileGrid, parse_tiles
from maskdet.vision.networks import NetworkOptions, load_detector


@pytest.mark.parametrize("text", ["2", "0x2", "2x0", "axb", "2x2x2", ""])
def test_grids_that_are_none(text: str) -> None:
    """Anything but auto, off and NxM is refused."""
    with pytest.raises(ValueError, match="columns by rows"):
        parse_tiles(text)


def test_grids_are_read() -> None:
    """Off is no grid, auto chooses by size, wide by shape."""
    assert parse_tiles("off") is None
    assert parse_tiles("3x2") == TileGrid(3, 2)
    assert isinstance(parse_tiles("wide"), Strips)
    auto = parse_tiles("auto")
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


@pytest.mark.parametrize(
    "size", [(1, 1), (640, 480), (1920, 800), (200, 500), (60, 20), (500, 200), (1, 64)]
)
def test_ordinary_frames_are_not_cut(size: tuple[int, int]) -> None:
    """Photographs, cinema film, phones held upright, and what is too small to gain anything."""
    assert Strips().boxes(*size).tolist() == [[0, 0, *size]]
    assert Strips().seen_at_once(*size) == size


@pytest.mark.parametrize(
    "size", [(501, 200), (1600, 400), (3840, 1080), (20000, 600), (20000, 3), (10001, 777)]
)
def test_strips_cover_wide_frames(size: tuple[int, int]) -> None:
    """Tiles like ordinary photographs follow one another; a face as wide as most fits into one."""
    width, height = size
    boxes = Strips().boxes(width, height)
    lefts, rights = boxes[:, 0], boxes[:, 2]
    assert lefts[0] == 0
    assert rights[-1] == width
    assert (boxes[:, [1, 3]] == [0, height]).all()
    assert (rights[:-1] - lefts[1:] >= 0.75 * height - 1).all()
    assert height < 48 or (rights - lefts <= WIDEST * height).all()
    turned = Strips().boxes(height, width)
    assert (turned == boxes[:, [1, 0, 3, 2]]).all()
    # With tiles asked for, too, none is far from square.
    auto = TileGrid().boxes(width, height)
    assert height < 64 or (auto[:, 2] - auto[:, 0] <= WIDEST * height).all()


def placed(picture: np.ndarray, between: int, tall: bool) -> tuple[np.ndarray, np.ndarray]:
    """Returns a panorama with a picture at its start, middle and end, and where they are."""
    grey = np.full((picture.shape[0], between, 3), 120, np.uint8)
    parts = [picture, grey, picture, grey, picture]
    step = picture.shape[1] + between
    if not tall:
        return np.hstack(parts), np.array([(n * step, 0) for n in range(3)])
    turned = [np.ascontiguousarray(part.transpose(1, 0, 2)) for part in parts]
    turned[::2] = [picture] * 3
    return np.vstack(turned), np.array([(0, n * step) for n in range(3)])


@pytest.mark.parametrize("tall", [False, True])
@pytest.mark.parametrize("between", [0, 270, 1001, 2500])
def test_faces_of_panoramas_are_found(samples: Path, between: int, tall: bool) -> None:
    """Every face of a picture placed in a row is found as in the picture itself, and no other."""
    whole = read_picture(samples / "astronaut.jpg")
    picture = cv2.resize(whole[:400, 50:450], (300, 300), interpolation=cv2.INTER_AREA)
    panorama, places = placed(picture, between, tall)
    detector = load_detector(NetworkOptions()).faces
    (alone,), _ = detector.detect(picture)
    found, _ = detector.detect(panorama)
    expected = alone + np.tile(places, 2)
    assert len(found) == 3
    assert found[np.argsort(found[:, 1 if tall else 0])] == pytest.approx(expected, abs=14)


def test_tiles_off_means_off(samples: Path) -> None:
    """Asked to cut nothing, a panorama is looked at whole, in which nobody can be seen."""
    picture = cv2.resize(read_picture(samples / "astronaut.jpg"), (300, 300))
    panorama, _ = placed(picture, 1001, tall=False)
    assert len(load_detector(NetworkOptions(tiles="off")).faces.detect(panorama)[0]) == 0
    for face_size in (320, None):
        for tiles in ("wide", "auto"):
            options = NetworkOptions(tiles=tiles, face_size=face_size)
            assert len(load_detector(options).faces.detect(panorama)[0]) == 3


class Cameras:
    """Two cameras' pictures side by side with a gap, as recorders write them."""

    kind, name, frame_rate, frame_count = "video", "gate.mp4", 25.0, 12
    folder = None
    is_moving, is_live = True, False

    def __init__(self, image: np.ndarray) -> None:
        self.failures: list[str] = []
        self._image = image

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.frame_count):
            yield Frame(self.name, index, index / self.frame_rate, self._image.copy())


def test_wide_videos_are_followed(samples: Path) -> None:
    """In a video, too, every face is found in every frame, once the size is chosen as well."""
    picture = cv2.resize(read_picture(samples / "astronaut.jpg"), (300, 300))
    panorama, _ = placed(picture, 400, tall=False)
    source = Cameras(panorama)
    seen = list(detect_frames([source], load_detector(NetworkOptions()), StreamOptions()))
    assert [len(one.detections) for one in seen] == [3] * source.frame_count
    assert {tuple(one.detections.tracks.tolist()) for one in seen} <= {
        tuple(order) for order in itertools.permutations((1, 2, 3))
    }


class BlobDetector:
    """Finds bright rectangles, but only those at least a fifth as wide as what it is shown."""

    default_confidence = 0.5
    precision = None
    workers = 1

    def detect(self, frame_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the box of each separate bright rectangle."""
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
