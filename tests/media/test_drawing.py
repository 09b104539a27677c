"""Boxes and labels on a picture."""

import numpy as np
import pytest

from maskdet.detections import Detections
from maskdet.media.drawing import GREEN, ORANGE, RED, caption, draw_detections, label_colour
from maskdet.wording import label_text

LABELS = ("with_mask", "without_mask")


def faces(*boxes: tuple[float, float, float, float]) -> Detections:
    """Returns faces that alternate between masked and bare."""
    probabilities = np.tile(np.array([[0.9912, 0.0088], [0.0297, 0.9703]], np.float32), (9, 1))
    count = len(boxes)
    return Detections(
        LABELS,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.ones(count, np.float32),
        probabilities[:count],
        np.log(probabilities[:count]),
    )


def test_captions_read_as_users_know_them() -> None:
    """Two decimals, the usual words; other classes in their own words."""
    assert caption("with_mask", 0.9912) == "Mask: 99.12%"
    assert caption("without_mask", 0.97031) == "No Mask: 97.03%"
    assert caption("mask_worn_incorrectly", 0.91) == "Worn Incorrectly: 91.00%"
    assert label_text("mask_weared_incorrect") == "Mask Weared Incorrect"


def test_colours() -> None:
    """Green for a mask, red for none, others told apart from both and from one another."""
    labels = (*LABELS, "chin", "nose")
    colours = [label_colour(label, labels) for label in labels]
    assert colours[:2] == [GREEN, RED]
    assert len(set(colours)) == 4
    labels = (*LABELS, "mask_worn_incorrectly", "chin", "nose", "cheek")
    colours = [label_colour(label, labels) for label in labels]
    assert colours[2] == ORANGE
    assert (0, 165, 255) not in colours  # too near to it
    assert len(set(colours)) == 6


@pytest.mark.parametrize("side", [16, 60, 150])
def test_worn_incorrectly_can_be_told_without_colours(side: int) -> None:
    """Its box is of dashes, with whole corners, also where there is no room for its caption."""
    image = np.full((200, 300, 3), 90, np.uint8)
    shares = np.array([[0.1, 0.1, 0.8]], np.float32)
    box = np.array([[40, 40, 40 + side, 40 + side]], np.float32)
    labels = (*LABELS, "mask_worn_incorrectly")
    draw_detections(image, Detections(labels, box, np.ones(1, np.float32), shares, np.log(shares)))
    for corner in ((40, 40), (40, 40 + side), (40 + side, 40), (40 + side, 40 + side)):
        assert tuple(image[corner]) == ORANGE
    for line in (image[40 : 41 + side, 40], image[40 + side, 40 : 41 + side]):
        lit = (line == ORANGE).all(axis=1)
        assert 0.4 < lit.mean() < 0.9
        assert (np.diff(lit.astype(int)) == -1).sum() >= 1


def test_boxes_are_drawn_where_they_are() -> None:
    """A masked face's border is green, a bare one's red, the middle untouched."""
    image = np.full((200, 300, 3), 90, np.uint8)
    draw_detections(image, faces((20, 60, 100, 160), (150, 60, 250, 160)))
    assert tuple(image[110, 20]) == GREEN
    assert tuple(image[110, 150]) == RED
    assert (image[110, 60] == 90).all()


def test_boxes_keep_their_colour_in_video() -> None:
    """On a small frame, too, a border is as wide as the pixels that share a colour in a video."""
    image = np.full((120, 160, 3), 90, np.uint8)
    draw_detections(image, faces((30, 60, 90, 110)))
    assert (image[100, 25:35] == GREEN).all(axis=1).sum() >= 2


def test_captions_suit_the_picture_and_the_face() -> None:
    """Large in a large picture; that of a small face does not hide its neighbours."""
    heights = []
    for size in (480, 4800):
        image = np.zeros((size, size, 3), np.uint8)
        draw_detections(image, faces((0, size / 2, size / 2, size / 2 + size / 48)))
        drawn = np.flatnonzero(image.any(axis=(1, 2)))
        heights.append((drawn[-1] - drawn[0]) / size)
    assert heights[1] == pytest.approx(heights[0], rel=0.3)
    image = np.zeros((3000, 4000, 3), np.uint8)
    draw_detections(image, faces((2000, 1500, 2130, 1660)))
    columns = np.flatnonzero(image.any(axis=(0, 2)))
    assert columns[-1] - columns[0] < 3 * 130


@pytest.mark.parametrize(
    "box",
    [(0, 0, 299, 199), (-50, -50, 10, 10), (10, 10, 10, 10), (299, 199, 300, 200), (5, 0, 9, 4)],
)
def test_any_box_can_be_drawn(box: tuple[float, float, float, float]) -> None:
    """Boxes at and beyond the borders, empty and tiny ones: the caption stays inside."""
    image = np.zeros((200, 300, 3), np.uint8)
    draw_detections(image, faces(box))
    assert image.any()


def test_smallest_pictures_can_be_drawn_on() -> None:
    """A picture of one pixel is no reason to fail."""
    draw_detections(np.zeros((1, 1, 3), np.uint8), faces((0, 0, 1, 1)))


def test_no_faces_leaves_the_picture_alone() -> None:
    """Nothing found, nothing drawn."""
    image = np.zeros((20, 30, 3), np.uint8)
    assert not draw_detections(image, faces()).any()


def test_bare_faces_are_on_top() -> None:
    """Where boxes cross, the bare face's is seen whole, in whichever order they come."""
    boxes = ((20, 60, 120, 160), (80, 100, 180, 190))
    for order in (boxes, boxes[::-1]):
        image = np.full((220, 300, 3), 90, np.uint8)
        draw_detections(image, faces(*order))
        left, top, right, bottom = (int(side) for side in order[1])
        assert (image[top : bottom + 1, left] == RED).all()
        assert (image[top, left : right + 1] == RED).all()


def test_captions_hide_no_face() -> None:
    """In a crowd shoulder to shoulder every face's inside is left as it was."""
    boxes = [(x, y, x + 60.0, y + 70.0) for y in (4, 78, 152) for x in (10, 72, 134)]
    image = np.full((230, 300, 3), 90, np.uint8)
    draw_detections(image, faces(*boxes))
    for left, top, right, bottom in boxes:
        inside = image[int(top) + 4 : int(bottom) - 4, int(left) + 4 : int(right) - 4]
        assert (inside == 90).all()


def test_a_face_that_fills_the_picture_is_captioned() -> None:
    """There the caption stands on the forehead: a portrait without one says nothing."""
    image = np.full((480, 640, 3), 90, np.uint8)
    draw_detections(image, faces((2, 2, 638, 478)))
    assert (image[10:30, 10:200] == GREEN).all(axis=2).mean() > 0.2
    assert (image[80:400, 20:600] == 90).all()


def test_small_faces_have_thin_boxes() -> None:
    """In a large picture, too, the line of a face of 30 pixels leaves it to be seen."""
    image = np.full((2000, 3000, 3), 90, np.uint8)
    draw_detections(image, faces((1000, 1000, 1030, 1036), (100, 500, 500, 1000)))
    assert (image[1018, 1003:1027] == 90).all()
    assert (image[700, 96:104] != 90).any(axis=1).sum() >= 5
