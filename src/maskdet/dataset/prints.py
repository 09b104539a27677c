"""What is printed on cloth masks: flowers in several colours, or a mouth as on joke masks."""

import math
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.floating[Any]]

_PETALS = 5
_FLOWERS = (18, 60)  # fewest and most on the whole canvas


def flowers(side: int, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Draws scattered flowers of a few colours.

    Args:
        side: of the canvas, in its points.
        random: chooses number, sizes and colours.

    Returns:
        (side, side, 3) float32 BGR shares, and (side, side) float32 in [0, 1], where they are.
    """
    colour = np.zeros((side, side, 3), np.float32)
    where = np.zeros((side, side), np.float32)
    palette = random.uniform(0.1, 1.0, (3, 3))
    for _ in range(int(random.integers(*_FLOWERS))):
        centre = random.uniform(0, side, 2)
        reach = side * random.uniform(0.012, 0.04)
        blue, green, red = (float(share) for share in palette[random.integers(3)])
        for number in range(_PETALS):
            bearing = 2 * math.pi * number / _PETALS + float(random.uniform(-0.2, 0.2))
            at = centre + reach * np.array([math.cos(bearing), math.sin(bearing)])
            _disc(colour, where, at, 0.75 * reach, (blue, green, red))
        _disc(colour, where, centre, 0.5 * reach, (0.25, 0.8, 0.95))
    return colour, where


def mouth(side: int, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Draws lips, often with teeth between them, where the mouth would be.

    Args and result are those of `flowers`.
    """
    colour = np.zeros((side, side, 3), np.float32)
    where = np.zeros((side, side), np.float32)
    # The mouth of the head's model lies at half the canvas's height, in its middle.
    centre = (side // 2, round(side * random.uniform(0.46, 0.56)))
    wide, high = side * random.uniform(0.09, 0.16), side * random.uniform(0.03, 0.09)
    lips = (0.2, 0.15, float(random.uniform(0.5, 0.9)))
    for shrink, paint in ((1.0, lips), (0.72, (0.05, 0.05, 0.1))):
        axes = (round(wide * shrink), round(high * shrink))
        cv2.ellipse(colour, centre, axes, 0, 0, 360, paint, -1)
        cv2.ellipse(where, centre, axes, 0, 0, 360, 1.0, -1)
    if random.random() < 0.7:
        reach, down = round(wide * 0.6), round(high * 0.35)
        for row in (-down, 1):
            corner = (centre[0] - reach, centre[1] + row)
            end = (centre[0] + reach, centre[1] + row + down - 1)
            cv2.rectangle(colour, corner, end, (0.92, 0.95, 0.95), -1)
        for step in np.linspace(-reach, reach, 9).astype(int).tolist():
            top, bottom = (centre[0] + step, centre[1] - down), (centre[0] + step, centre[1] + down)
            cv2.line(colour, top, bottom, (0.4, 0.4, 0.45), 1)
    return colour, where


def _disc(
    colour: Pixels,
    where: Pixels,
    at: NDArray[np.float64],
    radius: float,
    paint: tuple[float, float, float],
) -> None:
    centre = cast("tuple[int, int]", tuple(round(float(value)) for value in at))
    cv2.circle(colour, centre, max(1, round(radius)), paint, -1)
    cv2.circle(where, centre, max(1, round(radius)), 1.0, -1)
