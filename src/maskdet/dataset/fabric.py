"""Masks drawn by the program: surgical, cloth and KN95, in many colours and patterns.

A mask is drawn flat, on a canvas whose columns are angles around the head and whose rows are
millimetres down the face: see `maskdet.dataset.head`.
"""

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.head import LOWEST, WIDEST
from maskdet.dataset.prints import flowers, mouth
from maskdet.detections import FloatArray

Pixels = NDArray[np.floating[Any]]

CANVAS = 512  # rows and columns
KINDS = ("surgical", "cloth", "kn95")
PLACES = ("worn", "under_nose", "on_chin", "over_eyes", "on_forehead", "on_ear")

_MM_A_ROW = LOWEST / CANVAS

# BGR shares, as bought.
_SURGICAL = (
    (0.86, 0.74, 0.50), (0.90, 0.80, 0.62), (0.72, 0.76, 0.45), (0.95, 0.95, 0.94),
    (0.82, 0.73, 0.93), (0.16, 0.15, 0.15), (0.86, 0.66, 0.42),
)  # fmt: skip
_CLOTH = (
    (0.10, 0.10, 0.11), (0.45, 0.28, 0.16), (0.25, 0.22, 0.55), (0.30, 0.42, 0.24),
    (0.55, 0.56, 0.58), (0.35, 0.22, 0.12), (0.55, 0.66, 0.80), (0.92, 0.92, 0.92),
    (0.62, 0.48, 0.78), (0.20, 0.25, 0.70),
)  # fmt: skip
_PRINTS = {"flowers": flowers, "mouth": mouth}
_PATTERNS = ("plain", "plain", "stripes", "dots", "checks", "blotches", *_PRINTS)
_KN95 = ((0.95, 0.95, 0.95), (0.93, 0.94, 0.96), (0.14, 0.14, 0.14), (0.78, 0.77, 0.76))

# y of the outline in mm: top at the middle and at the side, bottom at the side and at the middle.
_OUTLINES = {
    "surgical": (13.0, 33.0, 92.0, 123.0),
    "cloth": (10.0, 36.0, 88.0, 126.0),
    "kn95": (8.0, 42.0, 84.0, 125.0),
}
_EXTENTS = {"surgical": 66.0, "cloth": 68.0, "kn95": 62.0}  # half the width, degrees
_OVER_NOSE = ("worn", "over_eyes")
# What is added to top-middle, top-side, bottom-side, bottom-middle where it is worn wrongly.
_SHIFTS = {
    "worn": (0.0, 0.0, 0.0, 0.0),
    "under_nose": (39.0, 24.0, 12.0, 8.0),
    "on_chin": (76.0, 52.0, 26.0, 14.0),
    "over_eyes": (20.0, 6.0, 0.0, -10.0),
    # Pushed up, it is gathered.
    "on_forehead": (28.0, 14.0, -8.0, -20.0),
    "on_ear": (0.0, 0.0, 0.0, 0.0),
}
# mm that it is pushed up the face.
_LIFTS = {"over_eyes": 66.0, "on_forehead": 110.0}
_LIFT_DEVIATION = 5.0
_SWING = (0.6, 1.2)  # radians


@dataclass(frozen=True)
class Fabric:
    """A mask, flat on the canvas.

    Attributes:
        colour: (S, S, 3) float32 BGR shares in [0, 1].
        alpha: (S, S) float32 in [0, 1].
        height: (S, S) float32, folds and seams in mm above the surface.
        corners: (4, 2) angle and y where the ear loops begin: left top, left bottom, right top,
            right bottom; ``None`` for none.
        over_nose: whether it is held away from the face by the nose.
        loops: BGR of the ear loops.
        lift: mm that it is pushed up the face.
        swing: of one that hangs from an ear, radians it is turned; ``None`` for one on the face.
    """

    colour: FloatArray
    alpha: FloatArray
    height: FloatArray
    corners: FloatArray | None
    over_nose: bool
    loops: tuple[float, float, float] = (0.93, 0.93, 0.93)
    lift: float = 0.0
    swing: float | None = None


def draw_fabric(kind: str, place: str, random: np.random.Generator) -> Fabric:
    """Draws a mask of a kind.

    Args:
        kind: one of `KINDS`.
        place: one of `PLACES`.
        random: chooses colour, pattern and small differences of shape.
    """
    outline = np.array(_OUTLINES[kind]) + np.array(_SHIFTS[place]) + random.normal(0, 1.8, 4)
    extent = np.deg2rad(_EXTENTS[kind] + random.normal(0, 2))
    angle, y = canvas_grid()
    across = np.clip(np.abs(angle) / extent, 0, 1.2)
    if place == "on_chin":
        # Pulled down it is gathered to a band.
        outline[3] = max(outline[3], outline[0] + 42)
    power = {"surgical": 1.7, "cloth": 1.25, "kn95": 1.05}[kind]
    top = outline[0] + (outline[1] - outline[0]) * across**power
    bottom = outline[3] - (outline[3] - outline[2]) * across**2.2
    # Positive inside, mm to the nearest edge, roughly.
    inside = np.minimum.reduce([y - top, bottom - y, (extent - np.abs(angle)) * 60])
    alpha = np.clip(inside / _MM_A_ROW / 1.5 + 0.5, 0, 1).astype(np.float32)
    share = np.clip((y - top) / np.maximum(bottom - top, 1), 0, 1)
    draw = {"surgical": _surgical, "cloth": _cloth, "kn95": _kn95}[kind]
    colour, height = draw(angle / extent, share, inside, random)
    corners = np.array(
        [[side * extent * 0.97, at] for side in (-1, 1) for at in (outline[1] + 3, outline[2] - 3)],
        np.float32,
    )
    dark = colour[CANVAS // 2, CANVAS // 2].mean() < 0.3
    loops = (0.13, 0.13, 0.13) if dark else (0.93, 0.93, 0.93)
    return Fabric(
        np.clip(colour, 0, 1).astype(np.float32),
        alpha,
        height.astype(np.float32),
        corners,
        place in _OVER_NOSE,
        loops,
        _LIFTS[place] + random.normal(0, _LIFT_DEVIATION) if place in _LIFTS else 0.0,
        random.uniform(*_SWING) if place == "on_ear" else None,
    )


def picture_fabric(picture_bgra: FloatArray, place: str) -> Fabric:
    """Lays a picture of a mask on the canvas, where a surgical mask would be.

    Args:
        picture_bgra: (H, W, 4) float32 in [0, 1].
        place: one of `PLACES`.
    """
    top, _, _, bottom = np.array(_OUTLINES["surgical"]) + np.array(_SHIFTS[place])
    extent = np.deg2rad(_EXTENTS["surgical"])
    angle, y = canvas_grid()
    height, width = picture_bgra.shape[:2]
    # A flat mask covers equal widths of cloth, which are equal angles.
    columns = ((angle / extent + 1) / 2 * (width - 1)).astype(np.float32)
    rows = ((y - top) / (bottom - top) * (height - 1)).astype(np.float32)
    laid = cv2.remap(
        picture_bgra, columns, rows, cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return Fabric(
        laid[..., :3],
        laid[..., 3],
        np.zeros_like(columns),
        None,
        place in _OVER_NOSE,
        lift=_LIFTS.get(place, 0.0),
        swing=sum(_SWING) / 2 if place == "on_ear" else None,
    )


def canvas_grid() -> tuple[FloatArray, FloatArray]:
    """Returns angle (radians) and y (mm) of every canvas point, each (S, S)."""
    angle = np.linspace(-WIDEST, WIDEST, CANVAS, dtype=np.float32)
    y = np.linspace(0, LOWEST, CANVAS, dtype=np.float32)
    grid = np.meshgrid(angle, y)
    return grid[0], grid[1]


def _smooth_noise(random: np.random.Generator, cells: int) -> FloatArray:
    """Returns (S, S) smooth noise of mean 0 and deviation about 1."""
    coarse = random.normal(size=(cells, cells)).astype(np.float32)
    return cast("FloatArray", cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC))


def _hem(inside: FloatArray, at: float, width: float) -> FloatArray:
    """Returns 1 along a line at some mm from the edge, falling to 0."""
    return cast("FloatArray", np.exp(-(((inside - at) / width) ** 2)))


def _surgical(
    across: FloatArray, share: FloatArray, inside: FloatArray, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    base = np.array(_SURGICAL[random.integers(len(_SURGICAL))]) * random.uniform(0.93, 1.04)
    colour = np.ones((CANVAS, CANVAS, 3)) * base
    height = 0.7 * _smooth_noise(random, 7) + 0.25 * _smooth_noise(random, 18)
    # Three pleats that open towards the middle: each a step down, soft above and sharp below.
    for place in np.array([0.34, 0.52, 0.70]) + random.normal(0, 0.015, 3):
        line = place + 0.05 * (share - 0.5) + 0.06 * (place - 0.5) * (1 - across**2)
        fold = share - line
        height += 1.5 * np.exp(-np.clip(-fold, 0, None) / 0.05) * (fold < 0)
        colour *= (1 - 0.16 * np.exp(-((fold / 0.010) ** 2)))[..., np.newaxis]
    # The wire over the nose, the welded edges.
    height += 0.5 * _hem(share * 100, 6, 2.5) * (np.abs(across) < 0.45)
    colour *= (1 - 0.07 * _hem(inside, 3.2, 0.7))[..., np.newaxis]
    colour *= (1 + 0.03 * random.normal(size=(CANVAS, CANVAS)))[..., np.newaxis]
    return colour, height


def _cloth(
    across: FloatArray, _: FloatArray, inside: FloatArray, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    first = np.array(_CLOTH[random.integers(len(_CLOTH))]) * random.uniform(0.9, 1.1)
    second: Pixels = np.array(_CLOTH[random.integers(len(_CLOTH))])
    colour = np.ones((CANVAS, CANVAS, 3)) * first
    pattern = random.choice(_PATTERNS)
    rows, columns = np.mgrid[0:CANVAS, 0:CANVAS]
    period = random.integers(14, 40)
    if pattern == "stripes":
        tilt = random.uniform(-0.5, 0.5)
        chosen = ((rows + tilt * columns) % period) < period * random.uniform(0.2, 0.5)
    elif pattern == "dots":
        row, column = rows % period - period / 2, (columns + rows // period * 7) % period
        chosen = row**2 + (column - period / 2) ** 2 < (period * 0.26) ** 2
    elif pattern == "checks":
        chosen = (rows // period + columns // period) % 2 == 0
    elif pattern == "blotches":
        chosen = _smooth_noise(random, 22) > random.uniform(0.2, 0.8)
    elif pattern in _PRINTS:
        second, chosen = _PRINTS[pattern](CANVAS, random)
    else:
        chosen = np.zeros((CANVAS, CANVAS), bool)
    blend = cv2.GaussianBlur(chosen.astype(np.float32), (0, 0), 0.8)[..., np.newaxis]
    colour = colour * (1 - blend) + second * blend
    # A seam down the middle, a hem along the edge, soft wrinkles.
    height = 1.2 * _smooth_noise(random, 6) + 0.5 * _smooth_noise(random, 14)
    if random.random() < 0.6:
        colour *= (1 - 0.22 * np.exp(-((across / 0.012) ** 2)))[..., np.newaxis]
        height -= 0.8 * np.exp(-((across / 0.03) ** 2))
    height += 0.6 * _hem(inside, 2.0, 1.6)
    colour *= (1 - 0.18 * _hem(inside, 4.2, 0.5))[..., np.newaxis]
    weave = 1 + 0.05 * random.normal(size=(CANVAS, CANVAS)) + 0.02 * np.sin(rows * 1.6)
    return colour * weave[..., np.newaxis], height


def _kn95(
    across: FloatArray, share: FloatArray, inside: FloatArray, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    base = np.array(_KN95[random.integers(len(_KN95))]) * random.uniform(0.95, 1.03)
    colour = np.ones((CANVAS, CANVAS, 3)) * base
    # A stiff cup, folded along the middle.
    height = 9.0 * (1 - np.clip(np.abs(across), 0, 1)) * np.clip(1 - (2 * share - 1) ** 2, 0, 1)
    height += 0.4 * _smooth_noise(random, 9)
    colour *= (1 - 0.10 * np.exp(-((across / 0.010) ** 2)))[..., np.newaxis]
    # The welded rim: a row of short dashes, and two curved lines across.
    dashes = (np.sin(np.arctan2(share - 0.5, across) * 90) > 0).astype(np.float32)
    colour *= (1 - 0.14 * _hem(inside, 4.0, 0.6) * dashes)[..., np.newaxis]
    for place in (0.30, 0.74):
        line = share - place - 0.10 * np.abs(across) * (place - 0.5) * 4
        height -= 0.7 * np.exp(-((line / 0.012) ** 2)) * (inside > 5)
    colour *= (1 + 0.02 * random.normal(size=(CANVAS, CANVAS)))[..., np.newaxis]
    return colour, height
