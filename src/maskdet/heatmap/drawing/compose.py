"""Draws the picture of a frame: maps on every face, boxes, and the panels beside it."""

from dataclasses import dataclass

import cv2
import numpy as np

from maskdet.boxes import cut, expand_boxes
from maskdet.detections import Detections, FloatArray
from maskdet.heatmap.drawing.layout import Layout, Seats
from maskdet.heatmap.drawing.panels import BACKGROUND, Brush, PanelText, draw_panel
from maskdet.heatmap.methods.views import ShownMaps
from maskdet.media.drawing import (
    WHITE,
    draw_detections,
    draw_text,
    label_colour,
    text_scale,
)
from maskdet.media.frames import UInt8Array
from maskdet.vision.preprocessing import resize
from maskdet.wording import label_text

# What earlier scripts recorded: two squares side by side, five frames a second.
CLASSIC_SIDE = 300  # pixels
CLASSIC_FRAME_RATE = 5.0
_CLASSIC_TEXT = 0.4  # OpenCV's font scale


@dataclass(frozen=True)
class Explained:
    """What is to be drawn of a frame.

    Attributes:
        detections: its N faces.
        shown: their maps.
        scale: the value at the end of the colour map.
        sentences: where each map's evidence lies, in words; none leaves them out.
    """

    detections: Detections
    shown: ShownMaps
    scale: float
    sentences: tuple[str, ...] = ()


class Composer:
    """Draws frames.

    Args:
        brush: how maps become colours.
        margin: the classifier's crop margin: a map covers the whole crop.
        exact: whether maps add up to the logit, which panels then show.
    """

    def __init__(self, brush: Brush, *, margin: float, exact: bool) -> None:
        self._brush = brush
        self._margin = margin
        self._exact = exact

    def draw(
        self, frame_bgr: UInt8Array, found: Explained, layout: Layout, seats: Seats
    ) -> UInt8Array:
        """Draws a frame with its panels.

        Args:
            frame_bgr: (H, W, 3) uint8, drawn on.
            found: what is in it.
            layout: where things are.
            seats: who sits where.

        Returns:
            (layout.size[1], layout.size[0], 3) uint8 BGR.
        """
        detections, shape = found.detections, layout.shape
        seated = seats.seat(detections)
        faces = {
            index: self._face(frame_bgr, found, index, shape.side) for index in seated.values()
        }
        self._paint_faces(frame_bgr, found)
        draw_detections(frame_bgr, detections)
        # One face needs no number to find its panel.
        numbers = {i: str(p + 1) for p, i in seated.items()} if len(detections) > 1 else {}
        for index, number in numbers.items():
            left, bottom = (round(float(value)) for value in detections.xyxy[index, [0, 3]])
            draw_text(frame_bgr, number, (left, bottom), BACKGROUND, 0.8 * text_scale(frame_bgr))
        canvas = layout.canvas(frame_bgr, len(detections) - len(seated))
        for place, index in seated.items():
            left, top = layout.place(place)
            draw_panel(
                canvas[top : top + shape.height, left : left + shape.width],
                shape,
                faces[index],
                found.shown.maps[index],
                found.scale,
                self._brush,
                self.text(found, index, numbers.get(index, "")),
            )
        return canvas

    def draw_classic(self, frame_bgr: UInt8Array, found: Explained) -> UInt8Array:
        """Draws what earlier scripts did: the annotated frame, and the largest face's map.

        Args:
            frame_bgr: (H, W, 3) uint8, drawn on.
            found: what is in it.

        Returns:
            (300, 600, 3) uint8 BGR; the right half is dark where there is no face. Where there is
            one it says whose map it is, and of several faces a white frame marks that one.
        """
        side, detections = CLASSIC_SIDE, found.detections
        canvas = np.full((side, 2 * side, 3), BACKGROUND, np.uint8)
        shown = list(Seats(1).seat(detections).values())
        for index in shown:
            face = self._face(frame_bgr, found, index, side)
            canvas[:, side:] = self._brush.paint(face, found.shown.maps[index], found.scale)
        draw_detections(frame_bgr, detections)
        height, width = frame_bgr.shape[:2]
        canvas[:, :side] = resize(frame_bgr, side, side)
        for index in shown:
            text = self.text(found, index, "")
            several = f", largest of {len(detections)}" if len(detections) > 1 else ""
            draw_text(canvas, text.title + several, (side, side), text.colour, _CLASSIC_TEXT)
            if several:
                box = detections.xyxy[index] * side / np.array([width, height] * 2)
                left, top, right, bottom = (round(float(value)) for value in box)
                frame = canvas[:, :side]
                cv2.rectangle(frame, (left - 3, top - 3), (right + 3, bottom + 3), WHITE, 2)
        return canvas

    def _face(self, frame_bgr: UInt8Array, found: Explained, index: int, side: int) -> UInt8Array:
        """Cuts a face out as the classifier sees it, before anything is painted on it."""
        crop = expand_boxes(found.detections.xyxy[[index]], self._margin)[0]
        return resize(cut(frame_bgr, crop), side, side)

    def _paint_faces(self, frame_bgr: UInt8Array, found: Explained) -> None:
        """Paints every face's map where it belongs in the frame, the largest first."""
        crops = expand_boxes(found.detections.xyxy, self._margin)
        areas: FloatArray = (crops[:, 2:] - crops[:, :2]).prod(axis=1)
        for index in np.argsort(-areas, kind="stable"):
            place = cut(frame_bgr, crops[index])
            place[:] = self._brush.paint(place, found.shown.maps[index], found.scale, fade=True)

    def text(self, found: Explained, index: int, number: str) -> PanelText:
        """Returns what a face's panel says."""
        detections, shown = found.detections, found.shown
        label = detections.predicted_labels[index]
        total, mean = float(shown.totals[index]), float(shown.maps[index].mean())
        sum_ = f"logit {total:+.2f} = map {mean:+.2f}, biases {total - mean:+.2f}"
        return PanelText(
            title=f"{label_text(label)} {detections.confidences[index]:.1%}",
            colour=label_colour(label, detections.labels),
            sum=sum_ if self._exact else "",
            sentence=found.sentences[index] if found.sentences else "",
            number=number,
        )
