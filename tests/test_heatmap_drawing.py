"""From a class activation map to the picture beside the frame."""

import numpy as np
import pytest

from maskdet.detections import Detections
from maskdet.heatmap.layout import panel_faces, panel_side, side_by_side
from maskdet.heatmap.overlay import blend, enlarge, positive_evidence
from maskdet.heatmap.run import explain

LABELS = ("with_mask", "without_mask")


def faces_with_maps(*boxes: tuple[float, float, float, float]) -> Detections:
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
    )


def test_evidence_worked_out() -> None:
    """What speaks against is 0, the most is 1, the rest in proportion."""
    scaled = positive_evidence(np.array([[-3, 0], [1, 4]], np.float32))
    assert scaled.tolist() == [[0, 0], [0.25, 1]]


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_no_evidence_is_flat(value: float) -> None:
    """A map without positive evidence is zero everywhere, not a division by zero."""
    assert not positive_evidence(np.full((7, 7), value, np.float32)).any()


def test_enlarging_keeps_places() -> None:
    """The hot cell's patch of the picture is the hot part, and the range stays in [0, 1]."""
    evidence = np.zeros((7, 7), np.float32)
    evidence[6, 0] = 1
    large = enlarge(evidence, 224)
    assert large.shape == (224, 224)
    assert large.min() >= 0
    assert large.max() <= 1
    row, column = np.unravel_index(large.argmax(), large.shape)
    assert row >= 192
    assert column < 32


def test_blend_goes_from_blue_to_red() -> None:
    """No evidence is blue, the most is red, and the face shines through."""
    face = np.full((2, 2, 3), 100, np.uint8)
    cold = blend(face, np.zeros((2, 2), np.float32), 0.5)
    hot = blend(face, np.ones((2, 2), np.float32), 0.5)
    assert cold[0, 0, 0] > cold[0, 0, 2]
    assert hot[0, 0, 2] > hot[0, 0, 0]
    assert (blend(face, np.ones((2, 2), np.float32), 0.0) == face).all()


def test_panels_show_the_largest_faces_from_left_to_right() -> None:
    """Two of three faces: the small one is left out, the others in the order of the picture."""
    faces = faces_with_maps((200, 0, 260, 60), (100, 0, 110, 10), (0, 0, 80, 80))
    assert panel_faces(faces, 2) == [2, 0]


def test_layout_depends_on_the_frame_alone() -> None:
    """The size is the same with and without panels; the frame stays as it is."""
    frame = np.full((600, 800, 3), 7, np.uint8)
    side = panel_side(600, 3)
    panel = np.full((side, side, 3), 200, np.uint8)
    full = side_by_side(frame, [panel], 3)
    assert full.shape == side_by_side(frame, [], 3).shape == (600, 1000, 3)
    assert (full[:, :800] == 7).all()
    assert (full[:side, 800:] == 200).all()


def test_small_frames_get_readable_panels() -> None:
    """A frame lower than its panels is put on a taller canvas."""
    canvas = side_by_side(np.zeros((90, 120, 3), np.uint8), [], 2)
    assert canvas.shape == (320, 280, 3)


def test_explain_paints_the_evidence_where_it_is() -> None:
    """The lower left of the panel, where the map is hot, is redder than the upper right."""
    frame = np.full((400, 400, 3), 128, np.uint8)
    picture = explain(
        frame, faces_with_maps((100, 100, 300, 300)), margin=0.2, rows=1, alpha=0.6
    ).astype(int)
    panel = picture[:, 400:]
    redness = panel[..., 2] - panel[..., 0]
    assert redness[300:360, 20:90].mean() > 50
    assert redness[20:200, 200:380].mean() < -50


def test_detections_without_maps_are_a_programming_error() -> None:
    """The message says how to get them."""
    with pytest.raises(ValueError, match="maps=True"):
        explain(
            np.zeros((10, 10, 3), np.uint8),
            Detections(
                LABELS,
                np.zeros((1, 4), np.float32),
                np.ones(1, np.float32),
                np.ones((1, 2), np.float32),
                np.ones((1, 2), np.float32),
            ),
            margin=0.0,
            rows=1,
            alpha=0.5,
        )
