"""The one door from a frame and a box to the classifier's input.

Training, detection, heat maps and evaluation all come through here, so that the network sees in use
what it saw in training.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import cut, expand_boxes
from maskdet.detections import FloatArray

UInt8Array = NDArray[np.uint8]


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
