"""The one door from a frame and a box to the classifier's input.

Training, detection, heat maps and evaluation all come through here, so that the network sees in use
what it saw in training.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray

UInt8Array = NDArray[np.uint8]


def expand_boxes(xyxy: FloatArray, margin: float) -> FloatArray:
    """Grows each box on every side by a share of its own width and height.

    Args:
        xyxy: (N, 4) boxes in pixels.
        margin: 0.25 adds a quarter of the width left and right, of the height above and below.

    Returns:
        (N, 4) float32, a new array.
    """
    size = xyxy[:, 2:] - xyxy[:, :2]
    grown = np.concatenate([xyxy[:, :2] - margin * size, xyxy[:, 2:] + margin * size], axis=1)
    return cast("FloatArray", grown.astype(np.float32))


def clip_boxes(xyxy: FloatArray, width: int, height: int) -> FloatArray:
    """Returns a copy of (N, 4) boxes cut to a frame of the given size in pixels."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(xyxy, np.float32(0), limits)


def cut(frame_bgr: UInt8Array, box: FloatArray) -> UInt8Array:
    """Returns the pixels of a box as a view, never empty: at least one pixel inside the frame.

    Args:
        frame_bgr: (H, W, 3) uint8.
        box: (4,) left, top, right, bottom in pixels; may reach beyond the frame or be empty.
    """
    height, width = frame_bgr.shape[:2]
    left = int(np.clip(np.floor(box[0]), 0, width - 1))
    top = int(np.clip(np.floor(box[1]), 0, height - 1))
    right = int(np.clip(np.ceil(box[2]), left + 1, width))
    bottom = int(np.clip(np.ceil(box[3]), top + 1, height))
    return frame_bgr[top:bottom, left:right]


def resize(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    """Resizes to exactly (height, width): area averaging to shrink, linear to enlarge.

    Area averaging keeps a large face free of aliasing, which plain linear sampling does not.
    """
    shrinks = picture.shape[1] > width or picture.shape[0] > height
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast("UInt8Array", cv2.resize(picture, (width, height), interpolation=interpolation))


def picture_input(picture_bgr: UInt8Array, size: int) -> UInt8Array:
    """Makes the classifier's input from a picture that shows one face and little else.

    Args:
        picture_bgr: (H, W, 3) uint8.
        size: side of the network's square input in pixels.

    Returns:
        (size, size, 3) uint8, RGB.
    """
    resized = resize(picture_bgr, size, size)
    return cast("UInt8Array", cv2.cvtColor(resized, cv2.COLOR_BGR2RGB))


def face_inputs(frame_bgr: UInt8Array, xyxy: FloatArray, *, margin: float, size: int) -> UInt8Array:
    """Makes the classifier's input from every face of a frame.

    Args:
        frame_bgr: (H, W, 3) uint8.
        xyxy: (N, 4) face boxes in pixels.
        margin: share of the box's size that is added on every side; see `expand_boxes`.
        size: side of the network's square input in pixels.

    Returns:
        (N, size, size, 3) uint8, RGB.
    """
    batch = np.empty((len(xyxy), size, size, 3), np.uint8)
    for index, box in enumerate(expand_boxes(xyxy, margin)):
        batch[index] = picture_input(cut(frame_bgr, box), size)
    return batch


def scale_to_unit(pixels: UInt8Array) -> FloatArray:
    """Scales 0..255 to [-1, 1], as Keras's MobileNetV2 `preprocess_input` does.

    The exported graph holds this step, so the light runtime feeds it plain pixels; a Keras model
    needs it done.
    """
    return cast("FloatArray", pixels.astype(np.float32) / np.float32(127.5) - np.float32(1))
