"""Cut-outs around small faces, packed into pictures and taken back."""

import numpy as np
import pytest

from maskdet.vision.faces.packing import packed

WIDTH, HEIGHT, SMALLEST = 960, 540, 320


def boxes(*places: tuple[float, float, float, float]) -> np.ndarray:
    """Boxes as an array."""
    return np.array(places, np.float32).reshape(-1, 4)


def test_a_face_alone_fills_a_small_picture() -> None:
    """A cut-out of three times its longer side about its middle, in a picture of 128 pixels."""
    (picture,) = packed(boxes((100, 100, 130, 140)), WIDTH, HEIGHT, SMALLEST)
    (tile,) = picture.tiles
    assert picture.size == 128
    assert tile.source == (55, 60, 175, 180)
    assert tile.place == (0, 0, 128, 128)


@pytest.mark.parametrize(
    ("faces", "sizes", "last"),
    [
        (2, [224], (112, 0, 224, 112)),
        (4, [224], (112, 112, 224, 224)),
        (9, [320], (212, 212, 318, 318)),
        (10, [320, 128], (0, 0, 128, 128)),
    ],
)
def test_several_share_a_picture(
    faces: int, sizes: list[int], last: tuple[int, int, int, int]
) -> None:
    """Two by two, then three by three, then another picture."""
    places = [(80 + 90 * at, 50 + 40 * at, 100 + 90 * at, 70 + 40 * at) for at in range(faces)]
    pictures = packed(boxes(*places), WIDTH, HEIGHT, SMALLEST)
    assert [picture.size for picture in pictures] == sizes
    assert pictures[-1].tiles[-1].place == last
    assert sum(len(picture.tiles) for picture in pictures) == faces


def test_a_cut_out_stays_inside_the_frame() -> None:
    """At an edge it is moved inwards; where the frame is lower than it, it is no square."""
    (picture,) = packed(boxes((0, 500, 40, 540)), WIDTH, HEIGHT, SMALLEST)
    assert picture.tiles[0].source == (0, 420, 120, 540)
    (picture,) = packed(boxes((100, 0, 140, 40)), WIDTH, 60, SMALLEST)
    assert picture.tiles[0].source == (60, 0, 180, 60)
    assert picture.tiles[0].place == (0, 0, 128, 64)


def test_a_cut_out_keeps_its_place_until_its_face_has_moved_far() -> None:
    """By an eighth of its side. Then it goes by a quarter, and its size is what it was."""
    before = boxes((100, 100, 130, 140))
    for by, moved in ((0, 0), (14, 0), (16, 30), (44, 30), (46, 60), (-16, -30), (-400, -55)):
        now = before + np.array([by - 2, 0, by + 2, 0], np.float32)
        (picture,) = packed(before, WIDTH, HEIGHT, SMALLEST, now=now)
        (tile,) = picture.tiles
        assert tile.source == (55 + moved, 60, 175 + moved, 180)
    now = before + np.array([0, 20, 0, 20], np.float32)
    assert packed(before, WIDTH, HEIGHT, SMALLEST, now=now)[0].tiles[0].source == (55, 90, 175, 210)


@pytest.mark.parametrize("reach", [2.0, 3.0])
@pytest.mark.parametrize("corner", [(0, 0), (WIDTH - 80, HEIGHT - 80), (10, HEIGHT - 100)])
def test_a_face_that_comes_away_from_an_edge_keeps_room(
    corner: tuple[int, int], reach: float
) -> None:
    """Its cut-out was moved inwards before; it must not be moved past the face."""
    left, top = corner
    before = boxes((left, top, left + 80, top + 80))
    inwards = [1 if left < WIDTH / 2 else -1, 1 if top < HEIGHT / 2 else -1]
    for by in range(0, 150, 5):
        now = before + by * np.array(inwards * 2, np.float32)
        (picture,) = packed(before, WIDTH, HEIGHT, SMALLEST, reach, now=now)
        source = np.array(picture.tiles[0].source)
        room = np.array([1, 1, -1, -1]) * (now[0] - source)
        at_edge = source == [0, 0, WIDTH, HEIGHT]
        assert (room[~at_edge] >= 80 * (reach / 2 - 0.5 - reach / 8) - 1).all(), (by, source)


def test_who_has_left_a_neighbours_cut_out_gets_one() -> None:
    """Whether a face lies in another's is told by where it is now."""
    before = boxes((100, 100, 140, 140), (135, 100, 163, 128))
    now = before + np.array([[0] * 4, [30, 0, 30, 0]], np.float32)
    assert [len(one.tiles) for one in packed(before, WIDTH, HEIGHT, SMALLEST, now=now)] == [2]


def test_neighbours_share_a_cut_out() -> None:
    """A face with room around it in another's needs none; one much smaller does."""
    near = boxes((100, 100, 140, 140), (135, 100, 163, 128))
    assert [len(one.tiles) for one in packed(near, WIDTH, HEIGHT, SMALLEST)] == [1]
    tiny = boxes((100, 100, 140, 140), (145, 100, 157, 112))
    assert [len(one.tiles) for one in packed(tiny, WIDTH, HEIGHT, SMALLEST)] == [2]


def test_nobody_needs_no_picture() -> None:
    """No face, no picture."""
    assert packed(boxes(), WIDTH, HEIGHT, SMALLEST) == []


def test_what_is_found_is_taken_back_to_the_frame() -> None:
    """A box in the second tile of four, of 3 sides of 40 pixels, lies where that was cut out."""
    places = boxes((100, 100, 140, 140), (500, 300, 540, 340))
    (picture,) = packed(places, WIDTH, HEIGHT, SMALLEST)
    side = 112 / 3
    second = boxes((112 + side, side, 112 + 2 * side, 2 * side))
    xyxy, scores = picture.unpacked((second, np.array([0.9], np.float32)), WIDTH, HEIGHT)
    np.testing.assert_allclose(xyxy, [[500, 300, 540, 340]], atol=1e-3)
    assert scores.tolist() == [np.float32(0.9)]


def test_a_face_that_a_cut_goes_through_is_left_out() -> None:
    """Unless the frame itself ends there."""
    (inner,) = packed(boxes((100, 100, 140, 140)), WIDTH, HEIGHT, SMALLEST)
    (edge,) = packed(boxes((0, 100, 40, 140)), WIDTH, HEIGHT, SMALLEST)
    found = boxes((0, 40, 30, 80)), np.array([0.9], np.float32)
    assert len(inner.unpacked(found, WIDTH, HEIGHT)[0]) == 0
    assert len(edge.unpacked(found, WIDTH, HEIGHT)[0]) == 1


def test_a_picture_shows_the_frames_pixels() -> None:
    """Each tile the mean of what it was cut from, black where there is none."""
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[60:180, 55:175] = 200
    frame[200:400, 400:600] = 90
    faces = boxes((100, 100, 130, 140), (490, 280, 510, 320))
    (picture,) = packed(faces, WIDTH, HEIGHT, SMALLEST)
    drawn = picture.drawn(frame)
    assert drawn.shape == (224, 224, 3)
    assert (drawn[:112, :112] == 200).all()
    assert (drawn[:112, 112:] == 90).all()
    assert (drawn[112:] == 0).all()
