"""Draws altered views of a picture, as training should see more than was photographed.

Everything geometric is one warp from the picture, or from around the face box, straight to the
network's input, so that a view is sampled once. What the light and the camera do comes after.
"""

import math
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.class_folders.faces_file import Box
from maskdet.train.camera import Camera, distort
from maskdet.vision.preprocessing import UInt8Array, face_inputs, picture_input, resize


@dataclass(frozen=True)
class Augmentation:
    """How far views may differ from the picture. Probabilities are per view.

    Attributes:
        rotation: largest turn in degrees, either way.
        zoom: largest change of scale, 0.15 is 0.85 to 1.15.
        shift: largest shift along each axis as a share of the input's side.
        shear: largest shear, as the tangent of its angle.
        flip: whether to mirror half of the views.
        margin: smallest and largest margin around a face box, as shares of its size; ``None``
            keeps the card's.
        whole: share of views that show the whole picture though a face box is known.
        camera: what light and camera do after that.
    """

    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    flip: bool = False
    margin: tuple[float, float] | None = None
    whole: float = 0.0
    camera: Camera = field(default_factory=Camera)


AUGMENTATIONS = {
    "none": Augmentation(),
    # What the usual scripts ask of ImageDataGenerator.
    "classic": Augmentation(rotation=20, zoom=0.15, shift=0.2, shear=0.15, flip=True),
    # What the small network's notebook asks of it.
    "light": Augmentation(rotation=15, shift=0.1, flip=True),
    # For a model that is to stand street, stage and moving heads.
    "strong": Augmentation(
        rotation=25,
        zoom=0.1,
        shift=0.08,
        shear=0.12,
        flip=True,
        margin=(-0.05, 0.4),
        whole=0.2,
        camera=Camera(
            light=0.7,
            colour=0.6,
            grey=0.08,
            coarse=0.45,
            blur=0.35,
            noise=0.2,
            jpeg=0.3,
            occlusion=0.25,
        ),
    ),
}


def plain_view(picture_bgr: UInt8Array, box: Box | None, *, margin: float, size: int) -> UInt8Array:
    """Makes the input that the runtime would make.

    Args:
        picture_bgr: (H, W, 3) uint8.
        box: xyxy of the face in its pixels; ``None`` takes the whole picture.
        margin: share of the box added around it.
        size: side of the input in pixels.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    if box is None:
        return picture_input(picture_bgr, size)
    boxes = np.array([box], np.float32)
    return cast("UInt8Array", face_inputs(picture_bgr, boxes, margin=margin, size=size)[0])


def augmented_view(
    picture_bgr: UInt8Array,
    box: Box | None,
    *,
    margin: float,
    size: int,
    how: Augmentation,
    random: np.random.Generator,
) -> UInt8Array:
    """Draws a view.

    Args:
        picture_bgr: (H, W, 3) uint8.
        box: the face in it, in pixels, or ``None`` where the picture is the face.
        margin: the card's margin around a box.
        size: side of the view in pixels.
        how: how far it may differ.
        random: decides everything.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    if how == Augmentation():
        return plain_view(picture_bgr, box, margin=margin, size=size)
    height, width = picture_bgr.shape[:2]
    region = np.array([0, 0, width, height], np.float64)
    if box is not None and random.random() >= how.whole:
        region = _around(box, margin if how.margin is None else float(random.uniform(*how.margin)))
    view = distort(_warp(picture_bgr, region, size, how, random), how.camera, random)
    return cast("UInt8Array", cv2.cvtColor(view, cv2.COLOR_BGR2RGB))


def _around(box: Box, margin: float) -> NDArray[np.float64]:
    left, top, right, bottom = box
    across, down = margin * (right - left), margin * (bottom - top)
    return np.array([left - across, top - down, right + across, bottom + down])


def _warp(
    picture_bgr: UInt8Array,
    region: NDArray[np.float64],
    size: int,
    how: Augmentation,
    random: np.random.Generator,
) -> UInt8Array:
    """Turns, scales, shifts, shears and mirrors a region into a (size, size, 3) view.

    What lies beyond the picture repeats its nearest pixel, as a crop at the frame's edge does not:
    the runtime squeezes such crops, training shows both.
    """
    span_x, span_y = max(1.0, region[2] - region[0]), max(1.0, region[3] - region[1])
    shrink = min(span_x, span_y) / size
    if shrink > 1.3:
        # A warp samples linearly: without averaging first, shrinking aliases.
        height, width = picture_bgr.shape[:2]
        smaller = resize(picture_bgr, max(1, round(width / shrink)), max(1, round(height / shrink)))
        region = region * np.array([smaller.shape[1] / width, smaller.shape[0] / height] * 2)
        picture_bgr = smaller
        span_x, span_y = max(1.0, region[2] - region[0]), max(1.0, region[3] - region[1])
    angle = math.radians(random.uniform(-how.rotation, how.rotation))
    zoom_x, zoom_y = random.uniform(1 - how.zoom, 1 + how.zoom, 2)
    shift_x, shift_y = random.uniform(-how.shift, how.shift, 2) * size
    shear = random.uniform(-how.shear, how.shear)
    mirror = -1.0 if how.flip and random.random() < 0.5 else 1.0
    # From the input's pixels back to the picture's, about both centres.
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    skew = np.array([[1.0, shear], [0.0, 1.0]])
    scale = np.diag([mirror * zoom_x * span_x / size, zoom_y * span_y / size])
    matrix = scale @ turn @ skew
    centre_out = np.array([size / 2 + shift_x, size / 2 + shift_y])
    centre_in = np.array([region[0] + region[2], region[1] + region[3]]) / 2
    offset = centre_in - matrix @ centre_out
    view = cv2.warpAffine(
        picture_bgr,
        np.hstack([matrix, offset[:, np.newaxis]]),
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cast("UInt8Array", view)
