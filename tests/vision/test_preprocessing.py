"""The one door from a frame and a box to the classifier's input."""

import numpy as np
import pytest

from maskdet.boxes import clip_boxes, cut, expand_boxes
from maskdet.vision.preprocessing import face_inputs, picture_input, resize, scale_to_unit


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    """Returns (N, 4) float32 boxes."""
    return np.array(rows, np.float32).reshape(-1, 4)


def test_expand_adds_a_share_of_each_side() -> None:
    """A quarter of 40 x 80 on every side, and the input is left alone."""
    original = boxes((10, 20, 50, 100))
    assert expand_boxes(original, 0.25).tolist() == [[0, 0, 60, 120]]
    assert original.tolist() == [[10, 20, 50, 100]]


def test_clip_keeps_boxes_inside_and_copies() -> None:
    """Boxes are cut to the frame; the input is left alone."""
    original = boxes((-5, -1, 700, 90), (10, 20, 30, 40))
    assert clip_boxes(original, 640, 80).tolist() == [[0, 0, 640, 80], [10, 20, 30, 40]]
    assert original[0].tolist() == [-5, -1, 700, 90]


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((1, 2, 5, 4), (2, 4, 3)),
        ((0.4, 0.4, 2.2, 2.2), (3, 3, 3)),
        ((-10, -10, 3, 3), (3, 3, 3)),
        ((6, 6, 100, 100), (2, 4, 3)),
        ((3, 3, 3, 3), (1, 1, 3)),
        ((9, 1, 2, 5), (4, 1, 3)),
        ((50, 50, 60, 60), (1, 1, 3)),
        ((-60, -60, -50, -50), (1, 1, 3)),
    ],
)
def test_cut_is_never_empty(box: tuple[float, ...], shape: tuple[int, ...]) -> None:
    """Boxes at, over and beyond the borders, empty and reversed ones, of an 8 x 10 frame."""
    frame = np.zeros((8, 10, 3), np.uint8)
    assert cut(frame, np.array(box, np.float32)).shape == shape


def test_cut_takes_the_right_pixels() -> None:
    """The corner pixel belongs to the box's left and top."""
    frame = np.arange(8 * 10 * 3, dtype=np.uint8).reshape(8, 10, 3)
    assert (cut(frame, np.array([2, 3, 4, 6], np.float32)) == frame[3:6, 2:4]).all()


def test_red_arrives_in_the_first_channel() -> None:
    """A pure red BGR frame is red in RGB order for the network."""
    frame = np.zeros((20, 20, 3), np.uint8)
    frame[..., 2] = 255
    assert (picture_input(frame, 8) == (255, 0, 0)).all()
    batch = face_inputs(frame, boxes((2, 2, 10, 10), (0, 0, 0, 0)), margin=0.25, size=8)
    assert batch.shape == (2, 8, 8, 3)
    assert batch.dtype == np.uint8
    assert (batch == (255, 0, 0)).all()


def test_margin_reaches_the_crop() -> None:
    """With a margin of a half, an 8-pixel box takes in the ring of 4 pixels around it."""
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[8:24, 8:24] = 255
    box = boxes((12, 12, 20, 20))
    assert (face_inputs(frame, box, margin=0.5, size=16) == 255).all()
    assert (face_inputs(frame, box, margin=0.75, size=16)[0, 0, 0] < 255).all()


def test_no_faces_is_an_empty_batch() -> None:
    """No boxes, no crops."""
    frame = np.zeros((8, 8, 3), np.uint8)
    assert face_inputs(frame, boxes(), margin=0.2, size=4).shape == (0, 4, 4, 3)


def test_shrinking_averages() -> None:
    """A fine chequerboard shrinks to its mean; plain sampling would alias to black or white."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = resize(np.repeat(board[..., np.newaxis], 3, axis=2), 8, 8)
    assert np.abs(small.astype(int) - 127.5).max() <= 1


def test_scaling_to_unit_worked_out() -> None:
    """0, 127.5 and 255 stand for -1, 0 and 1."""
    pixels = np.array([0, 51, 255], np.uint8)
    assert scale_to_unit(pixels) == pytest.approx([-1, -0.6, 1])


@pytest.mark.training
def test_scaling_equals_keras() -> None:
    """The same as MobileNetV2's own preprocessing, for every pixel value."""
    from tensorflow.keras.applications.mobilenet_v2 import preprocess_input

    pixels = np.arange(256, dtype=np.uint8)
    keras = preprocess_input(pixels.astype(np.float32))
    np.testing.assert_allclose(scale_to_unit(pixels), keras, atol=1e-6)


def test_shrinking_is_free_of_aliasing() -> None:
    """Stripes a pixel wide become grey: every pixel counts; a picture enlarged keeps its range."""
    stripes = np.zeros((48, 48, 3), np.uint8)
    stripes[:, ::2] = 255
    # Three stripes to a pixel: one sample of them would be black or white.
    small = resize(stripes, 16, 16)
    assert small.shape == (16, 16, 3)
    assert small.min() >= 84
    assert small.max() <= 171
    assert set(np.unique(resize(stripes[:, :2], 48, 96))) >= {0, 255}
