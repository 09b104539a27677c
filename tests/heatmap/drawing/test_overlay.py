"""From a class activation map to numbers and colours: which map, how large, on which scale."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from maskdet.detections import Detections
from maskdet.errors import MaskdetError
from maskdet.heatmap.drawing.colours import COLOUR_MAPS, painted, palette
from maskdet.heatmap.drawing.overlay import (
    ZERO,
    blurred,
    colour_indices,
    enlarge,
    opened,
    spline_matrix,
)
from maskdet.heatmap.methods.views import DIFFERENCE, PREDICTED, resolve_view, shown_maps

LABELS = ("with_mask", "without_mask")


def one_face(cams: NDArray[np.float32], logits: list[float], labels: tuple[str, ...]) -> Detections:
    """Returns one face whose probabilities follow its logits."""
    row = np.array([logits], np.float32)
    shares = np.exp(row) / np.exp(row).sum()
    return Detections(
        labels, np.zeros((1, 4), np.float32), np.ones(1, np.float32), shares, row, cams[np.newaxis]
    )


def test_views_worked_out() -> None:
    """Predicted is the label's map, difference less the other's, a label's name its own."""
    cams = np.zeros((1, 2, 2), np.float32)
    cams[0, 0], cams[0, 1] = (3, 1), (5, -1)
    face = one_face(cams, [2.0, 0.5], LABELS)
    assert shown_maps(face, PREDICTED).maps[0].tolist() == [[3, 5]]
    assert shown_maps(face, "without_mask").maps[0].tolist() == [[1, -1]]
    difference = shown_maps(face, DIFFERENCE)
    assert difference.maps[0].tolist() == [[2, 6]]
    assert difference.totals.tolist() == [1.5]


def test_difference_of_three_is_against_the_runner_up() -> None:
    """With three classes the label is compared with the next best one."""
    cams = np.array([[[4, 1, 2]]], np.float32)
    face = one_face(cams, [3.0, -1.0, 2.0], ("a", "b", "c"))
    shown = shown_maps(face, DIFFERENCE)
    assert shown.maps.tolist() == [[[2]]]
    assert shown.totals.tolist() == [1.0]


def test_default_view() -> None:
    """Two classes are best told by their difference, more by the predicted one."""
    assert resolve_view(None, LABELS) == DIFFERENCE
    assert resolve_view(None, ("a", "b", "c")) == DIFFERENCE
    with pytest.raises(MaskdetError, match="with_mask, without_mask"):
        resolve_view("helmet", LABELS)


def test_no_faces_no_maps() -> None:
    """A frame without faces has no maps, and detections without maps are a programming error."""
    assert len(shown_maps(Detections.empty(LABELS), DIFFERENCE).maps) == 0
    bare = Detections(
        LABELS,
        np.zeros((1, 4), np.float32),
        np.ones(1, np.float32),
        np.ones((1, 2), np.float32),
        np.ones((1, 2), np.float32),
    )
    with pytest.raises(ValueError, match="maps=True"):
        shown_maps(bare, DIFFERENCE)


@pytest.mark.parametrize(("cells", "pixels"), [(7, 35), (14, 300), (4, 9)])
def test_enlarging_is_the_spline_of_scipy(cells: int, pixels: int) -> None:
    """The matrix gives what scipy's cubic spline does, at the centres of the cells the map."""
    map_ = np.random.default_rng(0).normal(size=(cells, cells)).astype(np.float32)
    places = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    grid = np.meshgrid(places, places, indexing="ij")
    expected = map_coordinates(map_.astype(float), grid, order=3, mode="mirror")
    matrix = spline_matrix(cells, pixels)
    np.testing.assert_allclose(matrix @ map_ @ matrix.T, expected, atol=1e-5)


def test_enlarging_keeps_places_and_range() -> None:
    """The hot cell's patch is the hot part, nothing overshoots, and a flat map stays flat."""
    map_ = np.full((7, 7), -1, np.float32)
    map_[6, 0] = 2
    large = enlarge(map_, 210, 140)
    assert large.shape == (140, 210)
    assert (large.min(), large.max()) == (-1, 2)
    row, column = np.unravel_index(large.argmax(), large.shape)
    assert row >= 120
    assert column < 30
    np.testing.assert_allclose(enlarge(np.full((7, 7), 3, np.float32), 50, 50), 3, atol=1e-5)
    assert enlarge(np.full((1, 1), 3, np.float32), 4, 5).tolist() == [[3] * 4] * 5


def test_zero_is_in_the_middle() -> None:
    """Evidence for and against go to the two ends alike; what is beyond the scale is cut."""
    indices = colour_indices(np.array([[-2, -1, 0, 1, 2, 9]], np.float32), 2.0)
    assert indices.tolist() == [[1, 64, ZERO, 192, 255, 255]]


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_flat_maps_are_shown_flat(value: float) -> None:
    """No range is divided by: nothing is one colour, and so is the same everywhere."""
    flat = np.full((9, 9), value, np.float32)
    assert len(np.unique(colour_indices(flat, value))) == 1
    assert (colour_indices(np.zeros((2, 2), np.float32), 0.0) == ZERO).all()


def test_opening_removes_specks_of_either_sign() -> None:
    """A single pixel goes, a 2x2 block stays, whether it speaks for or against."""
    values = np.zeros((8, 8), np.float32)
    values[1, 1], values[1, 6] = 3, -3
    values[4:6, 1:3], values[4:6, 5:7] = 2, -2
    result = opened(values)
    assert result[1, 1] == result[1, 6] == 0
    assert result[4:6, 1:3].min() == 2
    assert result[4:6, 5:7].max() == -2


def test_blur() -> None:
    """0 leaves the map, a kernel spreads a peak and keeps its sum."""
    peak = np.zeros((21, 21), np.float32)
    peak[10, 10] = 1
    assert blurred(peak, 0) is peak
    assert 0 < blurred(peak, 5)[10, 10] < 0.5
    assert blurred(peak, 5).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_colour_maps(name: str) -> None:
    """Every colour map is a whole one, and alpha 0 leaves the face as it is."""
    assert palette(name, 0.5).colours.shape == (256, 1, 3)
    assert palette(name, 0.5).opacity.max() == pytest.approx(0.5)
    face = np.full((4, 4, 3), 100, np.uint8)
    hot = np.full((4, 4), 255, np.uint8)
    assert np.abs(painted(face, hot, palette(name, 0.0)).astype(int) - 100).max() <= 1


def test_diverging_colours_let_the_face_through() -> None:
    """Warm for, cold against, and the face itself where there is no evidence."""
    face = np.full((1, 3, 3), 100, np.uint8)
    against, nothing, most = painted(
        face, np.array([[1, ZERO, 255]], np.uint8), palette("coldwarm", 0.8)
    )[0].astype(int)
    assert against[0] - against[2] > 100
    assert np.abs(nothing - 100).max() <= 1
    assert most[2] - most[0] > 100


def test_fading_spares_the_edge() -> None:
    """A map painted within a picture has no hard edge."""
    face, hot = np.zeros((100, 100, 3), np.uint8), np.full((100, 100), 255, np.uint8)
    whole = painted(face, hot, palette("jet", 1.0), fade=True).max(axis=2).astype(int)
    assert whole[50, 0] < 15
    assert (np.diff(whole[50, :10]) >= 0).all()
    assert whole[50, 50] == cv2.applyColorMap(hot, cv2.COLORMAP_JET)[0, 0].max()
