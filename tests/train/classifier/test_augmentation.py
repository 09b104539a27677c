"""Augmented views: never anything but what was asked for, and always repeatable."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.train import camera
from maskdet.train.classifier.augmentation import AUGMENTATIONS, Augmentation, augmented_view
from maskdet.train.classifier.options import AUGMENTATION_NAMES
from maskdet.vision.preprocessing import face_inputs, picture_input
from train_pictures import made_up_face

FACE = made_up_face(np.random.default_rng(0), "with_mask", 80)
BOX = (20.0, 24.0, 60.0, 70.0)


def view(
    how: Augmentation, seed: int = 0, box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """Draws a view of 64 pixels."""
    random = np.random.default_rng(seed)
    return augmented_view(FACE, box, margin=0.25, size=64, how=how, random=random)


def test_no_augmentation_is_what_the_runtime_sees() -> None:
    """Both a plain picture and a boxed face come through the runtime's own door."""
    assert np.array_equal(view(Augmentation()), picture_input(FACE, 64))
    expected = face_inputs(FACE, np.array([BOX], np.float32), margin=0.25, size=64)[0]
    assert np.array_equal(view(Augmentation(), box=BOX), expected)


def test_every_name_has_an_augmentation() -> None:
    """The command's choices are the ones there are."""
    assert set(AUGMENTATION_NAMES) == set(AUGMENTATIONS)


@pytest.mark.parametrize("name", AUGMENTATION_NAMES)
@pytest.mark.parametrize("box", [None, BOX, (-5.0, -5.0, 90.0, 90.0), (10.0, 10.0, 10.5, 10.5)])
def test_views_repeat(name: str, box: tuple[float, float, float, float] | None) -> None:
    """The same seed gives the same view, of the right kind, wherever the box lies."""
    for seed in range(6):
        first = view(AUGMENTATIONS[name], seed, box)
        assert (first.shape, first.dtype) == ((64, 64, 3), np.uint8)
        assert np.array_equal(first, view(AUGMENTATIONS[name], seed, box))


def test_views_differ() -> None:
    """Other seeds give other views."""
    assert not np.array_equal(view(AUGMENTATIONS["classic"], 0), view(AUGMENTATIONS["classic"], 1))


def test_flip_mirrors() -> None:
    """Flipping alone gives the picture or its mirror image, to rounding."""
    plain = picture_input(FACE, 64).astype(int)
    for seed in range(8):
        found = view(Augmentation(flip=True, zoom=1e-9), seed).astype(int)
        errors = [np.abs(found - wanted)[2:-2, 2:-2].mean() for wanted in (plain, plain[:, ::-1])]
        assert min(errors) < 6


def test_colour_order_survives() -> None:
    """A pure red picture (BGR) stays red, first channel of RGB, under geometry."""
    red = np.zeros((50, 50, 3), np.uint8)
    red[..., 2] = 255
    how = AUGMENTATIONS["classic"]
    random = np.random.default_rng(0)
    found = augmented_view(red, None, margin=0, size=32, how=how, random=random)
    assert (found == np.array([255, 0, 0])).all()


@pytest.mark.parametrize("angle", [0.0, 0.7, 1.57, 2.4])
def test_motion_blur_keeps_brightness(angle: float) -> None:
    """Its kernel is a line that sums to 1."""
    kernel = camera._line(9, angle)  # noqa: SLF001 - the sum is the point
    assert kernel.sum() == pytest.approx(1)
    assert 5 <= np.count_nonzero(kernel) <= 9


def test_occlusion_spares_nose_and_mouth() -> None:
    """Patches do not lie over the middle of the lower face, where they would be a mask."""
    white = np.full((100, 100, 3), 255, np.uint8)
    covered = np.zeros((100, 100))
    for seed in range(200):
        result = camera.occlude(white, np.random.default_rng(seed))
        covered += (result != 255).any(axis=2)
    assert covered[62:72, 45:55].mean() < 0.25 * covered[40:60, 5:15].mean()


@pytest.mark.parametrize(
    "step",
    [
        camera.change_colour,
        camera.change_light,
        camera.move,
        camera.defocus,
        camera.coarsen,
        camera.add_noise,
        camera.compress,
        camera.occlude,
    ],
)
def test_steps_leave_their_input_alone(step: object) -> None:
    """Each step returns a picture of the same kind and does not write into its input."""
    before = FACE.copy()
    for seed in range(10):
        after = step(FACE, np.random.default_rng(seed))  # type: ignore[operator]
        assert (after.shape, after.dtype) == (FACE.shape, np.uint8)
    assert np.array_equal(FACE, before)


def test_distort_can_give_grey() -> None:
    """A grey view has three equal channels."""
    grey = camera.distort(FACE, camera.Camera(grey=1), np.random.default_rng(0))
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert cv2.cvtColor(FACE, cv2.COLOR_BGR2GRAY)[5, 5] == grey[5, 5, 0]


def test_preview_sheet(tmp_path: Path) -> None:
    """The sheet shows the plain input first in each row."""
    from maskdet.train.classifier.dataset import prepare
    from maskdet.train.classifier.options import TrainOptions
    from maskdet.train.classifier.preview import COLUMNS, ROWS, TILE, write_sheet
    from train_pictures import write_classes

    options = TrainOptions(
        dataset=(write_classes(tmp_path / "d", 8),), image_size=64, augmentation="strong"
    )
    write_sheet(prepare(options).feeds["train"], options, tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (ROWS * TILE, COLUMNS * TILE, 3)
