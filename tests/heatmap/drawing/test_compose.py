"""The picture of a frame: panels that stay put, maps where they belong."""

import numpy as np
import pytest

from maskdet.detections import Detections, FloatArray
from maskdet.heatmap.drawing.colours import palette
from maskdet.heatmap.drawing.compose import Composer, Explained
from maskdet.heatmap.drawing.layout import MIN_SIDE, Layout, Seats
from maskdet.heatmap.drawing.panels import Brush, PanelShape
from maskdet.heatmap.methods.views import DIFFERENCE, shown_maps

LABELS = ("with_mask", "without_mask")
Box = tuple[float, float, float, float]


def faces_with_maps(*boxes: Box, tracks: list[int] | None = None) -> Detections:
    """Returns masked faces whose evidence lies in the lower left of the map."""
    count = len(boxes)
    cams = np.full((count, 7, 7, 2), -1, np.float32)
    cams[:, 5:, :2, 0] = 4
    return Detections(
        LABELS,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.ones(count, np.float32),
        np.tile(np.array([[0.9, 0.1]], np.float32), (count, 1)),
        np.tile(np.array([[2.2, 0]], np.float32), (count, 1)),
        cams,
        tracks=None if tracks is None else np.array(tracks, np.intp),
    )


def explained(faces: Detections, scale: float = 5.0) -> Explained:
    """Returns what is to be drawn of faces."""
    return Explained(faces, shown_maps(faces, DIFFERENCE), scale)


COMPOSER = Composer(Brush(palette("coldwarm", 0.7)), margin=0.2, exact=True)


def redness(picture: FloatArray) -> FloatArray:
    """Returns how much redder than blue each pixel of a BGR picture is."""
    found: FloatArray = picture[..., 2].astype(np.float32) - picture[..., 0]
    return found


def test_new_faces_sit_from_left_to_right() -> None:
    """Two places, three faces: the small one stands, the others in the order of the picture."""
    boxes: list[Box] = [(200, 0, 260, 60), (100, 0, 110, 10), (0, 0, 80, 80)]
    assert Seats(2).seat(faces_with_maps(*boxes)) == {0: 2, 1: 0}


def test_followed_faces_keep_their_places() -> None:
    """Faces that cross keep their places, one that leaves makes room for the next."""
    seats = Seats(2)
    left, right, far = (0, 0, 50, 50), (100, 0, 150, 50), (200, 0, 240, 40)
    assert seats.seat(faces_with_maps(left, right, tracks=[7, 8])) == {0: 0, 1: 1}
    assert seats.seat(faces_with_maps(left, right, tracks=[8, 7])) == {0: 1, 1: 0}
    assert seats.seat(faces_with_maps(right, far, tracks=[8, 9])) == {1: 0, 0: 1}
    assert seats.seat(Detections.empty(LABELS)) == {}


def test_layout_is_settled_by_the_first_frame() -> None:
    """The size depends on no face, is even for video, and panels fit in the frame's height."""
    layout = Layout(801, 600, places=3, size=None, note="note")
    assert layout.size[0] % 2 == layout.size[1] % 2 == 0
    assert layout.size[1] == 600
    assert layout.place(2)[1] + layout.shape.height <= 600
    small = Layout(120, 90, places=3, size=None, note="note")
    assert small.shape == PanelShape(MIN_SIDE)
    assert small.size[1] > 90
    assert Layout(120, 90, places=1, size=64, note="note").shape.side == 64


def test_crowds_get_columns() -> None:
    """Beside a picture of eight faces stand three columns of three."""
    layout = Layout(900, 700, places=8, size=None, note="")
    assert layout.rows == 3
    assert len({layout.place(number)[0] for number in range(8)}) == 3
    assert layout.place(3) == (900 + layout.shape.width, 0)


def test_evidence_is_painted_where_it_is() -> None:
    """In the frame and in the panel the lower left of the face is red, its upper right is not."""
    frame = np.full((400, 400, 3), 128, np.uint8)
    faces = faces_with_maps((100, 100, 300, 300))
    layout = Layout(400, 400, places=1, size=140, note="note")
    picture = COMPOSER.draw(frame, explained(faces), layout, Seats(1))
    assert picture.shape == (layout.size[1], layout.size[0], 3)
    heat = redness(picture)
    assert heat[270:290, 110:150].mean() > 60
    assert np.abs(heat[110:180, 220:290]).mean() < 20
    left, top = layout.place(0)
    shape = layout.shape
    map_ = heat[top + shape.line :, left + 2 * shape.gap + shape.side :][: shape.side, : shape.side]
    assert map_[-30:-8, 8:30].mean() > 60
    assert np.abs(map_[10:60, 80:130]).mean() < 20
    # The face beside it is as the classifier saw it.
    face = picture[top + shape.line :, left + shape.gap :][: shape.side, : shape.side]
    assert (face == 128).all()


def test_every_face_is_painted_though_not_every_one_has_a_panel() -> None:
    """The face without a place is painted in the frame."""
    frame = np.full((300, 600, 3), 128, np.uint8)
    faces = faces_with_maps((20, 50, 120, 150), (220, 50, 330, 160), (450, 50, 530, 130))
    layout = Layout(600, 300, places=2, size=96, note="note")
    picture = COMPOSER.draw(frame, explained(faces), layout, Seats(2))
    for left, bottom in ((20, 150), (220, 160), (450, 130)):
        assert redness(picture)[bottom + 3 : bottom + 8, left + 5 : left + 12].mean() > 20


def test_frames_that_change_size_keep_the_layout() -> None:
    """A later frame of another size is fitted in, its panels are as before."""
    layout, seats = Layout(400, 300, places=3, size=None, note="note"), Seats(3)
    faces = faces_with_maps((50, 50, 150, 150))
    shapes = {
        COMPOSER.draw(np.full((*size, 3), 90, np.uint8), explained(faces), layout, seats).shape
        for size in ((300, 400), (600, 400), (200, 700))
    }
    assert len(shapes) == 1


def test_a_frame_without_faces() -> None:
    """Nothing is painted, and the picture has the same size."""
    layout = Layout(400, 300, places=3, size=None, note="note")
    empty = explained(Detections.empty(LABELS), 0.0)
    picture = COMPOSER.draw(np.full((300, 400, 3), 90, np.uint8), empty, layout, Seats(3))
    assert (picture[:300, :400] == 90).all()
    assert COMPOSER.draw_classic(np.full((30, 40, 3), 90, np.uint8), empty).shape == (300, 600, 3)


def test_the_classic_picture_says_whose_map_it_shows() -> None:
    """The label stands on the map; of several faces a white frame marks the one that is shown."""
    for boxes, marked in (
        (((30, 30, 90, 90),), False),
        (((20, 20, 50, 50), (90, 60, 190, 170)), True),
    ):
        frame = np.full((300, 300, 3), 90, np.uint8)
        picture = COMPOSER.draw_classic(frame, explained(faces_with_maps(*boxes)))
        bar = picture[285:298, 302:320].reshape(-1, 3)
        assert any(tuple(colour) in {(0, 200, 0), (0, 0, 230)} for colour in bar.tolist())
        left, top, _, _ = boxes[-1]
        white = (picture[top - 4 : top - 1, left + 10 : left + 60] == 255).all()
        assert white == marked


def test_panels_say_how_the_map_adds_up() -> None:
    """The mean of the map and the biases are the difference of the logits; inexact maps say not."""
    faces = faces_with_maps((0, 0, 50, 50))
    # 4 cells of 49 are 5 above the other class's: 20 / 49.
    assert COMPOSER.text(explained(faces), 0, "1").sum == "logit +2.20 = map +0.41, biases +1.79"
    inexact = Composer(Brush(palette("jet", 0.5)), margin=0.2, exact=False)
    assert inexact.text(explained(faces), 0, "").sum == ""


@pytest.mark.parametrize("layout", ["panels", "classic"])
def test_a_face_at_the_edge(layout: str) -> None:
    """A box that reaches beyond the frame is drawn as far as it is in it."""
    frame = np.full((120, 160, 3), 90, np.uint8)
    faces = explained(faces_with_maps((-30, 60, 40, 140)))
    if layout == "classic":
        assert COMPOSER.draw_classic(frame, faces).shape == (300, 600, 3)
    else:
        place = Layout(160, 120, places=1, size=64, note="")
        assert COMPOSER.draw(frame, faces, place, Seats(1)).ndim == 3
