"""The picture `maskdet heatmap` shows: the frame, and beside it a column of faces with maps."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import Detections
from maskdet.heatmap.overlay import blend, enlarge, positive_evidence
from maskdet.media.drawing import caption, draw_text, label_colour, text_scale
from maskdet.vision.preprocessing import face_inputs

UInt8Array = NDArray[np.uint8]

BACKGROUND = (32, 32, 32)
# Below this side a panel cannot be read. Pixels.
MIN_PANEL_SIDE = 160


def panel_faces(detections: Detections, count: int) -> list[int]:
    """Chooses the faces that get a panel: the `count` largest, listed from left to right."""
    sides = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
    largest = np.argsort(-sides.prod(axis=1), kind="stable")[:count]
    return sorted((int(index) for index in largest), key=lambda index: detections.xyxy[index, 0])


def draw_panel(
    frame_bgr: UInt8Array,
    detections: Detections,
    index: int,
    *,
    margin: float,
    side: int,
    alpha: float,
) -> UInt8Array:
    """Draws one face as the classifier saw it, its map painted over, its label below.

    Args:
        frame_bgr: (H, W, 3) uint8, without boxes drawn on.
        detections: the frame's faces, with heat maps.
        index: which face.
        margin: the classifier's crop margin.
        side: side of the panel in pixels.
        alpha: weight of the map's colours.

    Returns:
        (side, side, 3) uint8 BGR.
    """
    if detections.cams is None:
        raise ValueError("detections carry no heat maps; load the detector with maps=True")
    crop_rgb = face_inputs(frame_bgr, detections.xyxy[index : index + 1], margin=margin, size=side)[
        0
    ]
    kind = int(detections.label_indices[index])
    evidence = enlarge(positive_evidence(detections.cams[index, :, :, kind]), side)
    panel = blend(cast("UInt8Array", cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2BGR)), evidence, alpha)
    label = detections.labels[kind]
    draw_text(
        panel,
        caption(label, float(detections.confidences[index])),
        (0, side),
        label_colour(label, detections.labels),
        text_scale(panel),
    )
    return panel


def side_by_side(frame_bgr: UInt8Array, panels: list[UInt8Array], rows: int) -> UInt8Array:
    """Puts the annotated frame and a column of `rows` panels beside one another.

    The size depends on the frame and on `rows` alone, so that it stays the same through a video.

    Args:
        frame_bgr: (H, W, 3) uint8.
        panels: at most `rows` pictures of `panel_side` pixels; missing ones are left dark.
        rows: places in the column.

    Returns:
        (max(H, rows * side), W + side, 3) uint8 BGR.
    """
    height, width = frame_bgr.shape[:2]
    side = panel_side(height, rows)
    canvas = np.full((max(height, rows * side), width + side, 3), BACKGROUND, np.uint8)
    canvas[:height, :width] = frame_bgr
    for row, panel in enumerate(panels):
        canvas[row * side : (row + 1) * side, width:] = panel
    return canvas


def panel_side(frame_height: int, rows: int) -> int:
    """Returns the side of a panel, so that `rows` of them are as high as the frame. Pixels."""
    return max(MIN_PANEL_SIDE, frame_height // rows)
