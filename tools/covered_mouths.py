"""Paints what is before a bare mouth: a hand, a cup, a microphone, food, a clear shield.

A mask is not the only thing that covers a mouth, and photographs of bare faces that eat, drink and
speak are few. `build_classifier.py` teaches with these, `benchmarks/painted_objects.py` measures on
others.
"""

import math
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.vision.preprocessing import UInt8Array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

KINDS = ("hand", "cup", "microphone", "food")
# Measured on, not taught: masked faces stand behind shields, too, and of those none are painted.
MORE_KINDS = ("shield",)

_FOOD = ((45, 100, 180), (60, 140, 215), (50, 160, 90), (50, 50, 190), (110, 190, 235))  # BGR
_FINE = 2  # times as large as the picture is drawn, to be smooth
_EXTENT = 3.0  # half the side of the drawing, in distances between the eyes

Colour = tuple[float, float, float]


class _Drawing:
    """A layer to draw on: x right, y down from the mouth, in distances between the eyes."""

    def __init__(self, scale: float) -> None:
        side = max(8, round(2 * _EXTENT * scale))
        self.scale = scale
        self.colour = np.zeros((side, side, 3), np.float32)
        self.alpha = np.zeros((side, side), np.float32)

    def _at(self, point: tuple[float, float]) -> tuple[int, int]:
        return tuple(round((value + _EXTENT) * self.scale) for value in point)  # type: ignore[return-value]

    def line(
        self, start: tuple[float, float], end: tuple[float, float], width: float, colour: Colour
    ) -> None:
        """Draws a line with round ends."""
        thick = max(1, round(width * self.scale))
        cv2.line(self.colour, self._at(start), self._at(end), colour, thick, cv2.LINE_AA)
        cv2.line(self.alpha, self._at(start), self._at(end), 1.0, thick)

    def ellipse(
        self, centre: tuple[float, float], axes: tuple[float, float], turn: float, colour: Colour
    ) -> None:
        """Draws a filled ellipse."""
        sides = tuple(max(1, round(axis * self.scale)) for axis in axes)
        for layer, paint in ((self.colour, colour), (self.alpha, 1.0)):
            cv2.ellipse(layer, self._at(centre), sides, turn, 0, 360, paint, -1)

    def polygon(
        self, points: list[tuple[float, float]], colour: Colour, opacity: float = 1.0
    ) -> None:
        """Draws a filled polygon."""
        corners = np.array([self._at(point) for point in points])
        cv2.fillPoly(self.colour, [corners], colour)
        cv2.fillPoly(self.alpha, [corners], opacity)


def cover(
    picture_bgr: UInt8Array, landmarks: FloatArray, kind: str, random: np.random.Generator
) -> UInt8Array:
    """Returns a copy of a picture with something before the mouth of a face.

    Args:
        picture_bgr: (H, W, 3) uint8.
        landmarks: (5, 2) pixels: right eye, left eye, nose, corners of the mouth.
        kind: one of `KINDS` or `MORE_KINDS`.
        random: chooses shapes and colours.
    """
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    eyes = max(eyes, 0.8 * float(np.linalg.norm(landmarks[3:].mean(0) - landmarks[:2].mean(0))))
    drawing = _Drawing(eyes * _FINE)
    paint: dict[str, Callable[[_Drawing, Colour, np.random.Generator], None]] = {
        "hand": _hand, "cup": _cup, "microphone": _microphone, "food": _food,
        "shield": _shield,
    }  # fmt: skip
    paint[kind](drawing, _skin(picture_bgr, landmarks, random), random)
    return _lay(picture_bgr, drawing, landmarks, eyes, random)


def _skin(picture_bgr: UInt8Array, landmarks: FloatArray, random: np.random.Generator) -> Colour:
    """Returns a colour near that of the skin between eyes and mouth."""
    points = (0.5 * landmarks[:2] + 0.5 * landmarks[3:]).round().astype(int)
    height, width = picture_bgr.shape[:2]
    samples = [
        picture_bgr[np.clip(y - 2, 0, height - 1) : y + 3, np.clip(x - 2, 0, width - 1) : x + 3]
        for x, y in np.clip(points, 0, [width - 1, height - 1])
    ]
    found = np.concatenate([sample.reshape(-1, 3) for sample in samples])
    colour = np.median(found, axis=0) * random.uniform(0.75, 1.1) * random.uniform(0.95, 1.05, 3)
    return cast("Colour", tuple(np.clip(colour, 5, 250).tolist()))


def _times(colour: Colour, factor: float) -> Colour:
    return cast("Colour", tuple(min(255.0, factor * value) for value in colour))


def _hand(drawing: _Drawing, skin: Colour, random: np.random.Generator) -> None:
    """Fingers across the mouth, or a fist before it."""
    side = float(random.choice([-1, 1]))
    if random.random() < 0.35:
        wide, high = random.uniform(0.55, 0.75), random.uniform(0.5, 0.7)
        drawing.line((side * 0.3, 0.5), (side * random.uniform(0.8, 2.2), 2.8), 0.8, skin)
        drawing.ellipse((0, 0.15), (wide, high), 0, skin)
        for number in range(4):
            x = (number - 1.5) * wide * 0.5
            drawing.ellipse((x, -0.25 * high), (wide * 0.24, high * 0.5), 0, _times(skin, 0.72))
            drawing.ellipse((x, -0.25 * high), (wide * 0.21, high * 0.47), 0, _times(skin, 1.05))
        return
    lift, thick = random.uniform(-0.1, 0.3), random.uniform(0.24, 0.32)
    drawing.line((side * 1.5, 0.5), (side * 2.2, 2.8), 0.9, skin)
    drawing.ellipse((side * 1.25, 0.3), (0.8, 0.62), side * 25, _times(skin, 0.95))
    for number in range(4):
        y = lift + (number - 1.5) * thick * 1.02
        reach = -side * (random.uniform(0.55, 0.95) - 0.12 * abs(number - 1.3))
        ends = ((side * 1.1, y + 0.08), (reach, y))
        drawing.line(*ends, thick, _times(skin, 0.7))
        drawing.line(*ends, thick * 0.86, skin)
        drawing.line(
            (ends[0][0], ends[0][1] - 0.03), (reach, y - 0.03), thick * 0.35, _times(skin, 1.1)
        )
        drawing.ellipse((reach, y - 0.02), (thick * 0.2, thick * 0.24), 0, _times(skin, 1.18))


def _cup(drawing: _Drawing, skin: Colour, random: np.random.Generator) -> None:
    """A mug or paper cup at the lips, with fingers around it."""
    colour = (245.0, 245.0, 245.0) if random.random() < 0.4 else tuple(random.uniform(20, 240, 3))
    top, bottom = random.uniform(0.5, 0.75), random.uniform(0.36, 0.6)
    upper, lower = random.uniform(-0.25, 0.0), random.uniform(1.1, 1.7)
    steps = 12
    for step in range(steps):
        left, right = (2 * (step + add) / steps - 1 for add in (0, 1.05))
        light = 1.0 - 0.35 * abs((left + right) / 2 + 0.3)
        drawing.polygon(
            [
                (left * top, upper),
                (right * top, upper),
                (right * bottom, lower),
                (left * bottom, lower),
            ],
            _times(cast("Colour", colour), light),
        )
    drawing.ellipse((0, upper), (top, 0.12), 0, _times(cast("Colour", colour), 0.9))
    side = float(random.choice([-1, 1]))
    for number in range(3):
        y = upper + 0.55 + 0.27 * number
        drawing.line((side * 0.9, y), (-side * 0.3, y + 0.03), 0.26, _times(skin, 0.75))
        drawing.line((side * 0.9, y), (-side * 0.3, y + 0.03), 0.22, skin)


def _microphone(drawing: _Drawing, skin: Colour, random: np.random.Generator) -> None:
    """A ball of wire or foam on a stick."""
    level = random.uniform(20, 120)
    colour = (level, level, level) if random.random() < 0.8 else tuple(random.uniform(20, 220, 3))
    colour = cast("Colour", colour)
    lean, radius = random.uniform(-1.2, 1.2), random.uniform(0.28, 0.45)
    y = random.uniform(0.1, 0.4)
    drawing.line((0, y), (lean, 2.8), 0.28, _times(colour, 0.5))
    drawing.ellipse((0.7 * lean, 0.7 * 2.6), (0.45, 0.4), 0, skin)
    drawing.ellipse((0, y), (radius, radius * 1.15), 0, colour)
    for step in np.linspace(-0.8, 0.8, 7):
        half = radius * math.sqrt(1 - step**2)
        drawing.line(
            (-half, y + step * radius), (half, y + step * radius), 0.02, _times(colour, 0.7)
        )
        drawing.line(
            (step * radius, y - half), (step * radius, y + half), 0.02, _times(colour, 0.7)
        )
    drawing.ellipse((-0.1, y - 0.12), (radius * 0.3, radius * 0.22), 0, _times(colour, 1.35))


def _food(drawing: _Drawing, skin: Colour, random: np.random.Generator) -> None:
    """Bread, fruit or the like, in layers, held from below."""
    colour = cast("Colour", _FOOD[random.integers(len(_FOOD))])
    wide, high = random.uniform(0.45, 0.8), random.uniform(0.3, 0.6)
    y, turn = random.uniform(0.1, 0.4), float(random.uniform(-20, 20))
    drawing.ellipse((0, y), (wide, high), turn, colour)
    if random.random() < 0.6:
        filling = cast("Colour", _FOOD[random.integers(len(_FOOD))])
        drawing.ellipse((0, y), (wide * 1.03, high * 0.35), turn, filling)
        drawing.ellipse((0, y - high * 0.3), (wide * 0.9, high * 0.5), turn, _times(colour, 1.08))
    side = float(random.choice([-1, 1]))
    for number in range(3):
        x = side * (wide * 0.8 - 0.22 * number)
        drawing.line((x + side * 0.3, y + 1.3), (x, y + high * 0.6), 0.25, _times(skin, 0.78))
        drawing.line((x + side * 0.3, y + 1.3), (x, y + high * 0.6), 0.21, skin)


def _shield(drawing: _Drawing, _: Colour, random: np.random.Generator) -> None:
    """A clear sheet before the whole face, with glare, under a band around the forehead."""
    wide, top, bottom = (
        random.uniform(1.3, 1.6),
        -random.uniform(2.1, 2.5),
        random.uniform(1.0, 1.6),
    )
    narrow = wide * random.uniform(0.75, 0.95)
    sheet = [
        (-wide, top),
        (wide, top),
        (wide, 0.3),
        (narrow, bottom),
        (-narrow, bottom),
        (-wide, 0.3),
    ]
    level = random.uniform(170, 255)
    drawing.polygon(sheet, (level, level, level), random.uniform(0.06, 0.22))
    for _glare in range(random.integers(1, 4)):
        x, thick = random.uniform(-1, 0.9) * narrow, random.uniform(0.05, 0.35)
        lean = random.uniform(0.1, 0.5)
        low = bottom - random.uniform(0.2, 1.2)
        stripe = [(x, low), (x + thick, low), (x + thick + lean, top), (x + lean, top)]
        drawing.polygon(stripe, (255, 255, 255), random.uniform(0.2, 0.55))
    band = random.uniform(0.2, 0.45)
    colour = cast("Colour", tuple(random.uniform(30, 250, 3)))
    ends = [(-wide, top), (wide, top), (wide, top + band), (-wide, top + band)]
    drawing.polygon(ends, colour, random.uniform(0.7, 1.0))
    for start, end in zip(sheet[1:], [*sheet[2:], sheet[0]], strict=True):
        drawing.polygon([start, end, (end[0] * 0.985, end[1]), (start[0] * 0.985, start[1])],
                        (235, 235, 235), 0.5)  # fmt: skip


def _lay(
    picture_bgr: UInt8Array,
    drawing: _Drawing,
    landmarks: FloatArray,
    eyes: float,
    random: np.random.Generator,
) -> UInt8Array:
    """Turns the drawing with the face, lays it on, as sharp and as lit as the picture."""
    across = landmarks[1] - landmarks[0]
    angle = math.atan2(float(across[1]), float(across[0])) + random.uniform(-0.3, 0.3)
    mouth = landmarks[3:].mean(axis=0) + random.uniform(-0.08, 0.08, 2) * eyes
    height, width = picture_bgr.shape[:2]
    turn = (
        np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) / _FINE
    )
    middle = np.full(2, drawing.alpha.shape[0] / 2)
    matrix = np.hstack([turn, (mouth - turn @ middle)[:, np.newaxis]])
    # Averaged first: the warp samples linearly, and the drawing is `_FINE` times as large.
    blur = _FINE * max(0.5, 0.012 * eyes)
    texture = random.normal(0, random.uniform(2, 9), drawing.alpha.shape).astype(np.float32)
    alpha = cv2.GaussianBlur(drawing.alpha, (0, 0), blur)
    inked = drawing.colour * drawing.alpha[..., np.newaxis]
    colour = cv2.GaussianBlur(inked, (0, 0), blur) / np.maximum(alpha, 1e-3)[..., np.newaxis]
    colour = colour + cv2.GaussianBlur(texture, (0, 0), _FINE)[..., np.newaxis] * _FINE
    corners = random.uniform(0.75, 1.15, (3, 3)).astype(np.float32)
    shade = cv2.resize(corners, alpha.shape[::-1], interpolation=cv2.INTER_CUBIC)
    colour = colour * shade[..., np.newaxis]
    placed_alpha, placed = (
        cv2.warpAffine(layer.astype(np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR)
        for layer in (alpha, colour)
    )
    shadow = cv2.GaussianBlur(placed_alpha, (0, 0), max(0.8, 0.06 * eyes))
    darker = picture_bgr * (1 - 0.35 * shadow * (1 - placed_alpha))[..., np.newaxis]
    share = placed_alpha[..., np.newaxis]
    result: NDArray[np.float32] = darker * (1 - share) + placed * share
    return cast("UInt8Array", np.clip(result, 0, 255).round().astype(np.uint8))
