"""Whether something moves where no face is known."""

import numpy as np

from maskdet.vision.faces.motion import changes, is_elsewhere, spread, thumbnail

WIDTH, HEIGHT = 640, 360
NOBODY = np.zeros((0, 4), np.float32)


def scene(*patches: tuple[int, int, int], light: int = 90) -> np.ndarray:
    """A grey frame with bright squares: left, top, side."""
    frame = np.full((HEIGHT, WIDTH, 3), light, np.uint8)
    for left, top, side in patches:
        frame[top : top + side, left : left + side] = 220
    return frame


def moved(before: np.ndarray, now: np.ndarray, faces: np.ndarray = NOBODY) -> bool:
    """What the two frames' thumbnails say."""
    return is_elsewhere(changes(thumbnail(before), thumbnail(now)), faces, WIDTH, HEIGHT)


def test_a_frame_is_compared_small() -> None:
    """64 pixels on the longer side."""
    assert thumbnail(scene()).shape == (36, 64)
    assert thumbnail(scene().transpose(1, 0, 2)).shape == (64, 36)


def test_what_comes_in_moves() -> None:
    """Twelve pixels of 640 are enough; what stands still is not."""
    assert moved(scene(), scene((500, 100, 12)))
    assert not moved(scene((500, 100, 12)), scene((500, 100, 12)))


def test_light_that_changes_is_no_motion() -> None:
    """The camera measured it anew, or a cloud went by."""
    assert not moved(scene(light=90), scene(light=110))


def test_who_is_known_may_move() -> None:
    """Face and body; not what is beside them."""
    face = np.array([[200, 60, 260, 120]], np.float32)
    assert not moved(scene(), scene((210, 70, 40), (220, 250, 50)), face)
    assert moved(scene(), scene((400, 70, 40)), face)


def test_a_picture_of_another_shape_has_changed_all_over() -> None:
    """Nothing in it can be told from what was there before."""
    assert changes(thumbnail(scene().transpose(1, 0, 2)), thumbnail(scene())).all()


def test_what_moves_goes_on_to_move_about_there() -> None:
    """Two pixels of 64 further each way, and no more."""
    changed = np.zeros((36, 64), np.bool_)
    changed[10, 20] = True
    wider = spread(changed)
    assert wider[8:13, 18:23].all()
    assert wider.sum() == 25
