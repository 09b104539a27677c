"""Boxes and labels as users know them: green "Mask: 99.12%", red "No Mask: 97.03%".

A mask that is worn incorrectly has an orange box, of dashes, so that it can be told from the others
where there is no room for its caption and by those who see orange, red and green alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2

from maskdet.detections import (
    INCORRECT_LABEL,
    MASK_LABEL,
    NO_MASK_LABEL,
    UNCERTAIN_LABEL,
    Detections,
)
from maskdet.media.captions import CaptionPlaces
from maskdet.media.files import printable
from maskdet.media.frames import UInt8Array
from maskdet.wording import label_text

Colour = tuple[int, int, int]

GREEN: Colour = (0, 200, 0)
RED: Colour = (0, 0, 230)
ORANGE: Colour = (0, 120, 245)
YELLOW: Colour = (0, 200, 230)
WHITE: Colour = (255, 255, 255)
DARK: Colour = (40, 40, 40)
# For labels beyond the usual ones; told apart from green and red, and from one another.
_OTHER_COLOURS: tuple[Colour, ...] = ((0, 165, 255), (230, 130, 0), (200, 0, 200), (180, 180, 0))
_USUAL_COLOURS = {
    MASK_LABEL: GREEN,
    NO_MASK_LABEL: RED,
    INCORRECT_LABEL: ORANGE,
    UNCERTAIN_LABEL: YELLOW,
}
# Whom an operator looks for: drawn last, on top of the others, and first to their captions.
_FOREMOST = (NO_MASK_LABEL, INCORRECT_LABEL)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Text that can be read at a frame height of 480 stays in proportion on larger frames.
_REFERENCE_HEIGHT = 480
_TEXT_SCALE = 0.55
# A caption is at most so many times as wide as its face; but not smaller than this share of its
# usual size, nor than can be read at all.
_CAPTION_WIDTH = 1.2
_SMALLEST_CAPTION = 0.4
_SMALLEST_SCALE = 0.35

# Video keeps colours for every second pixel only: a thinner line would lose its own. Pixels.
_THINNEST = 2
# Thickness of a small face's line, as a share of its width.
_LINE_WIDTH = 0.06
# Length of a dash and of a gap, in thicknesses of the line.
_DASH = 5


def label_colour(label: str, labels: tuple[str, ...]) -> Colour:
    """Returns the BGR colour of a label: green, red, orange, yellow uncertain, others in turn."""
    if label in _USUAL_COLOURS:
        return _USUAL_COLOURS[label]
    others = [name for name in labels if name not in _USUAL_COLOURS]
    # The first of the others' is an orange, too.
    first = 1 if INCORRECT_LABEL in labels else 0
    return _OTHER_COLOURS[(first + others.index(label)) % len(_OTHER_COLOURS)]


def captions(label: str, confidence: float) -> Iterator[str]:
    """Yields the texts that a face's box may bear, the one that says most first."""
    yield caption(label, confidence)
    yield label_text(label)


def caption(label: str, confidence: float) -> str:
    """Returns the text of a face's box, such as "Mask: 99.12%"."""
    return f"{label_text(label)}: {confidence * 100:.2f}%"


@dataclass(frozen=True)
class Bar:
    """A line of white text on a coloured bar.

    Attributes:
        text: what it says.
        scale: OpenCV's font scale.
        width: of the bar in pixels.
        height: likewise.
        pad: from the bar's left edge to the text, in pixels.
        rise: from the bar's lower edge to the text's baseline, in pixels.
    """

    text: str
    scale: float
    width: int
    height: int
    pad: int
    rise: int

    @classmethod
    def of(cls, text: str, scale: float) -> "Bar":
        """Measures the bar of a text."""
        # OpenCV ends the process over what is not UTF-8, as some file names are not.
        text = printable(text)
        (width, height), baseline = cv2.getTextSize(text, _FONT, scale, _thickness(scale))
        pad = max(2, round(height * 0.3))
        return cls(text, scale, width + 2 * pad, height + baseline + pad, pad, baseline)

    def draw(self, image: UInt8Array, corner: tuple[int, int], colour: Colour) -> None:
        """Draws it in place, its lower left corner given in pixels, as much as is inside."""
        left, bottom = corner
        right = left + self.width
        cv2.rectangle(image, (left, bottom - self.height), (right, bottom), colour, -1)
        place = left + self.pad, bottom - self.rise
        thickness = _thickness(self.scale)
        cv2.putText(image, self.text, place, _FONT, self.scale, WHITE, thickness, cv2.LINE_AA)


def _thickness(scale: float) -> int:
    return max(1, round(scale * 1.6))


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
    bar = Bar.of(text, scale)
    left = max(0, min(corner[0], image.shape[1] - bar.width))
    bottom = min(image.shape[0], max(corner[1], bar.height))
    bar.draw(image, (left, bottom), colour)


def text_scale(image: UInt8Array) -> float:
    """Returns the font scale that suits a picture's size."""
    shorter = min(image.shape[:2])
    return float(max(_SMALLEST_SCALE, _TEXT_SCALE * shorter / _REFERENCE_HEIGHT))


def draw_detections(image: UInt8Array, detections: Detections) -> UInt8Array:
    """Draws every face's box and label on the picture itself, bare faces on top.

    A caption stands where it hides no face and no other caption: above its box, below it or beside
    it. Where there is no room it is left out, first its confidence, then all of it; the box's
    colour still tells, and its dashes a mask that is worn incorrectly.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        detections: boxes in pixels of that picture.

    Returns:
        The same array.
    """
    scale = text_scale(image)
    line = max(_THINNEST, round(scale * 3))
    labels = detections.predicted_labels
    ranks = [_precedence(label) for label in labels]
    for index in sorted(range(len(labels)), key=lambda index: -ranks[index]):
        left, top, right, bottom = (round(float(side)) for side in detections.xyxy[index])
        colour = label_colour(labels[index], detections.labels)
        # A small face's own is no thicker than leaves it to be seen.
        own = max(_THINNEST, min(line, round(_LINE_WIDTH * (right - left))))
        if labels[index] == INCORRECT_LABEL:
            _dashed(image, (left, top, right, bottom), colour, own)
        else:
            cv2.rectangle(image, (left, top), (right, bottom), colour, own)
    places = CaptionPlaces(detections.xyxy, image.shape[1], image.shape[0], line)
    for index in sorted(range(len(labels)), key=ranks.__getitem__):
        face_width = float(detections.xyxy[index, 2] - detections.xyxy[index, 0])
        for text in captions(labels[index], float(detections.confidences[index])):
            bar = Bar.of(text, _caption_scale(text, face_width, scale))
            place = places.find(index, bar.width, bar.height)
            if place is not None:
                bar.draw(image, place, label_colour(labels[index], detections.labels))
                break
    return image


def _precedence(label: str) -> int:
    """Returns a label's place among those that an operator looks for, the most wanted first."""
    return _FOREMOST.index(label) if label in _FOREMOST else len(_FOREMOST)


def _dashed(image: UInt8Array, box: tuple[int, int, int, int], colour: Colour, line: int) -> None:
    """Draws a box of dashes in place, each side beginning and ending with one: corners are whole.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        box: left, top, right, bottom in pixels.
        colour: BGR.
        line: thickness in pixels.
    """
    left, top, right, bottom = box
    for (x, y), (to_x, to_y) in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        length = abs(to_x - x) + abs(to_y - y)
        # Dashes and gaps together, an odd number; even the smallest side has a gap.
        pieces = max(3, length // (_DASH * line) // 2 * 2 + 1)
        for piece in range(0, pieces, 2):
            begin, end = (
                (round(x + (to_x - x) * share), round(y + (to_y - y) * share))
                for share in (piece / pieces, (piece + 1) / pieces)
            )
            cv2.line(image, begin, end, colour, line)


def _caption_scale(text: str, face_width: float, scale: float) -> float:
    """Returns the font scale of a face's caption in a picture whose usual scale is given."""
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, max(1, round(scale * 1.6)))
    fit: float = min(1.0, max(_CAPTION_WIDTH * face_width / width, _SMALLEST_CAPTION))
    return max(_SMALLEST_SCALE, scale * fit)
