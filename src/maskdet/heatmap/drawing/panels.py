"""One face's panel: the face, its map over it, its label, and a colour bar in logits."""

from dataclasses import dataclass

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.heatmap.drawing.colours import Palette, painted
from maskdet.heatmap.drawing.overlay import blurred, colour_indices, enlarge, opened
from maskdet.heatmap.drawing.words import LONGEST
from maskdet.media.drawing import Colour
from maskdet.media.frames import UInt8Array

BACKGROUND: Colour = (30, 28, 26)
INK: Colour = (225, 225, 225)
FAINT: Colour = (150, 150, 150)
# The smallest font scale that can be read.
MIN_TEXT = 0.35
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Brush:
    """How maps become colours.

    Attributes:
        palette: the colours.
        blur_kernel: side of a Gaussian over the enlarged map, in pixels; 0 for none.
        morphology: whether the enlarged map is eroded and dilated.
    """

    palette: Palette
    blur_kernel: int = 0
    morphology: bool = False

    def paint(
        self, face_bgr: UInt8Array, map_: FloatArray, scale: float, *, fade: bool = False
    ) -> UInt8Array:
        """Paints a map over a face.

        Args:
            face_bgr: (H, W, 3) uint8.
            map_: (h, w) float32, signed.
            scale: the value at the end of the colour map.
            fade: whether the colours fade out at the very edge, for a map within a picture.

        Returns:
            (H, W, 3) uint8 BGR, a new picture.
        """
        height, width = face_bgr.shape[:2]
        values = blurred(enlarge(map_, width, height), self.blur_kernel)
        if self.morphology:
            values = opened(values)
        return painted(face_bgr, colour_indices(values, scale), self.palette, fade=fade)


@dataclass(frozen=True)
class PanelText:
    """What a panel says.

    Attributes:
        title: label and confidence.
        colour: BGR of the label.
        sum: how the map adds up; empty where it does not.
        sentence: where the evidence lies, in words; empty for none.
        number: what ties the panel to its face in the frame; empty for none.
    """

    title: str
    colour: Colour
    sum: str = ""
    sentence: str = ""
    number: str = ""


@dataclass(frozen=True)
class PanelShape:
    """Measures of a panel, all in pixels, which follow from the side of a face in it.

    Attributes:
        side: width and height of the face and of the map.
        worded: whether there is room for a sentence.
    """

    side: int
    worded: bool = True

    @property
    def text(self) -> float:
        """OpenCV's font scale."""
        return float(np.clip(self.side / 300, MIN_TEXT, 0.8))

    @property
    def line(self) -> int:
        """Height of a line of text."""
        return round(34 * self.text) + 4

    @property
    def gap(self) -> int:
        """Between pictures."""
        return max(4, self.side // 24)

    @property
    def bar(self) -> int:
        """Width of the colour bar with its numbers."""
        return self.gap + max(10, self.side // 14) + round(135 * self.text)

    @property
    def width(self) -> int:
        """Of the panel."""
        return 3 * self.gap + 2 * self.side + self.bar

    @property
    def height(self) -> int:
        """Of the panel."""
        sentence = self.sentence_lines * self.small_line if self.worded else 0
        return self.side + 2 * self.line + sentence + self.gap

    @property
    def small_text(self) -> float:
        """OpenCV's font scale of what stands below the face."""
        return max(MIN_TEXT, 0.8 * self.text)

    @property
    def small_line(self) -> int:
        """Height of a line of the sentence."""
        return round(34 * self.small_text) + 2

    @property
    def sentence_lines(self) -> int:
        """How many lines the longest sentence takes."""
        return len(self.wrapped(LONGEST))

    def wrapped(self, sentence: str) -> list[str]:
        """Breaks a sentence into lines that are no wider than the panel, at its spaces."""
        room = self.width - 2 * self.gap
        lines: list[str] = []
        for word in sentence.split():
            longer = f"{lines[-1]} {word}" if lines else word
            (width, _), _ = cv2.getTextSize(longer, _FONT, self.small_text, 1)
            if lines and width <= room:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines


def write(
    canvas: UInt8Array, text: str, corner: tuple[int, int], scale: float, colour: Colour = INK
) -> None:
    """Writes a line, its lower left corner given in pixels."""
    cv2.putText(canvas, text, corner, _FONT, scale, colour, 1, cv2.LINE_AA)


def draw_panel(
    canvas: UInt8Array,
    shape: PanelShape,
    face_bgr: UInt8Array,
    map_: FloatArray,
    scale: float,
    brush: Brush,
    text: PanelText,
) -> None:
    """Draws a panel.

    Args:
        canvas: (shape.height, shape.width, 3) uint8 BGR, drawn on.
        shape: its measures.
        face_bgr: (shape.side, shape.side, 3) uint8, the face as the classifier sees it.
        map_: (h, w) float32, signed.
        scale: the value at the end of the colour map.
        brush: how maps become colours.
        text: what it says.
    """
    side, gap, line = shape.side, shape.gap, shape.line
    top, left, right = line, gap, 2 * gap + side
    canvas[top : top + side, left : left + side] = face_bgr
    canvas[top : top + side, right : right + side] = brush.paint(face_bgr, map_, scale)
    baseline = line - max(4, line // 4)
    dot = max(4, round(11 * shape.text))
    cv2.circle(canvas, (left + dot, line // 2), dot, text.colour, -1, cv2.LINE_AA)
    title = f"{text.number}  {text.title}" if text.number else text.title
    write(canvas, title, (left + 3 * dot, baseline), shape.text)
    write(canvas, text.sum, (left, top + side + baseline), shape.small_text, FAINT)
    # What a label of somebody's own makes longer than there is room for is cut.
    below = top + side + line if text.sum else top + side + max(2, gap // 2)
    for number, words in enumerate(shape.wrapped(text.sentence)[: shape.sentence_lines]):
        place = left, below + number * shape.small_line + round(24 * shape.small_text)
        write(canvas, words, place, shape.small_text, INK)
    _draw_bar(canvas, shape, (right + side + gap, top), scale, brush.palette)


def _draw_bar(
    canvas: UInt8Array, shape: PanelShape, corner: tuple[int, int], scale: float, palette: Palette
) -> None:
    """Draws the colour bar: the most evidence for at the top, zero in the middle, against below.

    The words stand beside the ends, under and over their numbers.
    """
    left, top = corner
    width = max(10, shape.side // 14)
    ramp = np.linspace(255, 1, shape.side).round().astype(np.uint8)[:, np.newaxis]
    canvas[top : top + shape.side, left : left + width] = cv2.applyColorMap(ramp, palette.colours)
    rise = round(11 * shape.text)
    for value, row in ((scale, 2 * rise), (0, shape.side // 2 + rise), (-scale, shape.side)):
        label = f"{value:+.{_decimals(scale)}f}" if value and scale else "0"
        if value or row == shape.side // 2 + rise:
            write(canvas, label, (left + width + 4, top + row), 0.9 * shape.text, FAINT)
    step = round(30 * shape.text)
    for word, row in (("for", 2 * rise + step), ("against", shape.side - step)):
        write(canvas, word, (left + width + 4, top + row), 0.9 * shape.text, INK)


def _decimals(scale: float) -> int:
    """Returns how many decimals show about two digits of a scale."""
    return int(np.clip(1 - np.floor(np.log10(scale)), 0, 3)) if scale > 0 else 0
