"""Boxes and labels as users know them: green "Mask: 99.12%", red "No Mask: 97.03%"."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, UNCERTAIN_LABEL, Detections, FloatArray
from maskdet.media.files import printable
from maskdet.wording import label_text

UInt8Array = NDArray[np.uint8]
Colour = tuple[int, int, int]

GREEN: Colour = (0, 200, 0)
RED: Colour = (0, 0, 230)
YELLOW: Colour = (0, 200, 230)
WHITE: Colour = (255, 255, 255)
DARK: Colour = (40, 40, 40)
# For labels beyond the usual two; told apart from green and red, and from one another.
_OTHER_COLOURS: tuple[Colour, ...] = ((0, 165, 255), (230, 130, 0), (200, 0, 200), (180, 180, 0))

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Text that can be read at a frame height of 480 stays in proportion on larger frames.
_REFERENCE_HEIGHT = 480
_TEXT_SCALE = 0.55
# A caption is at most so many times as wide as its face, or it would hide the neighbours in a
# crowd; but not smaller than this share of its usual size, nor than can be read at all.
_CAPTION_WIDTH = 1.6
_SMALLEST_CAPTION = 0.4
_SMALLEST_SCALE = 0.35

# Blurring covers hair and chin, and leaves this many tiles of a face a side.
_BLUR_MARGIN = 0.15
_BLUR_TILES = 6


def label_colour(label: str, labels: tuple[str, ...]) -> Colour:
    """Returns the BGR colour of a label: green mask, red none, yellow uncertain, others in turn."""
    if label == UNCERTAIN_LABEL:
        return YELLOW
    if label == MASK_LABEL:
        return GREEN
    if label == NO_MASK_LABEL:
        return RED
    others = [name for name in labels if name not in (MASK_LABEL, NO_MASK_LABEL)]
    return _OTHER_COLOURS[others.index(label) % len(_OTHER_COLOURS)]


def caption(label: str, confidence: float) -> str:
    """Returns the text of a face's box, such as "Mask: 99.12%"."""
    return f"{label_text(label)}: {confidence * 100:.2f}%"


def draw_text(
    image: UInt8Array, text: str, corner: tuple[int, int], colour: Colour, scale: float
) -> None:
    """Writes white text on a coloured bar, in place, moved as needed to stay inside the picture.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        text: what to write.
        corner: x, y of the bar's bottom left corner in pixels.
        colour: BGR of the bar.
        scale: OpenCV's font scale.
    """
    # OpenCV ends the process over what is not UTF-8, as some file names are not.
    text = printable(text)
    thickness = max(1, round(scale * 1.6))
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, thickness)
    pad = max(2, round(height * 0.3))
    bar_width, bar_height = width + 2 * pad, height + baseline + pad
    left = max(0, min(corner[0], image.shape[1] - bar_width))
    bottom = min(image.shape[0], max(corner[1], bar_height))
    cv2.rectangle(image, (left, bottom - bar_height), (left + bar_width, bottom), colour, -1)
    cv2.putText(
        image, text, (left + pad, bottom - baseline), _FONT, scale, WHITE, thickness, cv2.LINE_AA
    )


def text_scale(image: UInt8Array) -> float:
    """Returns the font scale that suits a picture's size."""
    shorter = min(image.shape[:2])
    return float(max(_SMALLEST_SCALE, _TEXT_SCALE * shorter / _REFERENCE_HEIGHT))


def draw_detections(image: UInt8Array, detections: Detections) -> UInt8Array:
    """Draws every face's box and label on the picture itself.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        detections: boxes in pixels of that picture.

    Returns:
        The same array.
    """
    scale = text_scale(image)
    # Video keeps colours for every second pixel only: a thinner line would lose its own.
    line = max(2, round(scale * 3))
    faces = [
        (
            [round(float(side)) for side in box],
            caption(label, float(confidence)),
            label_colour(label, detections.labels),
        )
        for box, label, confidence in zip(
            detections.xyxy, detections.predicted_labels, detections.confidences, strict=True
        )
    ]
    for (left, top, right, bottom), _, colour in faces:
        cv2.rectangle(image, (left, top), (right, bottom), colour, line)
    # Above all boxes, which else would cross them.
    for (left, top, right, _), text, colour in faces:
        draw_text(image, text, (left, top), colour, _caption_scale(text, right - left, scale))
    return image


def _caption_scale(text: str, face_width: int, scale: float) -> float:
    """Returns the font scale of a face's caption in a picture whose usual scale is given."""
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, max(1, round(scale * 1.6)))
    fit: float = min(1.0, max(_CAPTION_WIDTH * face_width / width, _SMALLEST_CAPTION))
    return max(_SMALLEST_SCALE, scale * fit)


def blur_faces(image: UInt8Array, xyxy: FloatArray) -> UInt8Array:
    """Makes faces unrecognisable, in place.

    Each face is reduced to a few mosaic tiles, then smoothed, inside an ellipse a little larger
    than its box: a plain Gaussian of fixed width leaves large faces recognisable.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        xyxy: (N, 4) boxes in pixels.

    Returns:
        The same array.
    """
    for box in expand_boxes(xyxy, _BLUR_MARGIN):
        height, width = image.shape[:2]
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
        if right <= left or bottom <= top:
            continue
        region = image[top:bottom, left:right]
        tiles = cv2.resize(region, (_BLUR_TILES, _BLUR_TILES), interpolation=cv2.INTER_AREA)
        smooth = cv2.resize(tiles, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        mask = np.zeros(region.shape[:2], np.uint8)
        # The ellipse of the whole box, of which a part may lie outside the picture.
        centre = (float(box[0] + box[2]) / 2 - left, float(box[1] + box[3]) / 2 - top)
        axes = (float(box[2] - box[0]), float(box[3] - box[1]))
        cv2.ellipse(mask, (centre, axes, 0.0), 255, -1)
        region[mask > 0] = smooth[mask > 0]
    return image
