"""Draws pictures that show no face: writing, noise, shapes. Photographs of streets have few such.

Round letters, two dots and a line: to a network that has seen nothing but streets and portraits, a
page of text is a crowd.
"""

import string

import cv2
import numpy as np

from maskdet.vision.preprocessing import UInt8Array

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
_LETTERS = [*string.ascii_letters, *"eeaaoo", *string.digits, *".,:;!?()@%&    "]


def draw_blank(size: int, random: np.random.Generator) -> UInt8Array:
    """Draws a (size, size, 3) picture without a face."""
    picture = _ground(size, random)
    kind = random.random()
    if kind < 0.5:
        _write(picture, random)
    elif kind < 0.75:
        _draw_shapes(picture, random)
    else:
        _draw_noise(picture, random)
    return picture


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    blue, green, red = (int(value) for value in random.integers(0, 256, 3))
    return blue, green, red


def _ground(size: int, random: np.random.Generator) -> UInt8Array:
    """A plain, or a smooth, unquiet background."""
    if random.random() < 0.5:
        light = random.random() < 0.6
        shade = random.integers(200, 256, 3) if light else random.integers(0, 256, 3)
        return np.full((size, size, 3), shade, np.uint8)
    cells = int(random.integers(2, 9))
    coarse = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))


def _write(picture: UInt8Array, random: np.random.Generator) -> None:
    size = picture.shape[0]
    height = float(np.exp(random.uniform(np.log(6), np.log(size / 2))))
    font, ink = int(random.choice(_FONTS)), _colour(random)
    if abs(int(np.mean(ink)) - int(picture.mean())) < 60:
        ink = (0, 0, 0) if picture.mean() > 127 else (255, 255, 255)
    scale = height / 22  # capitals of these fonts are about 22 pixels high at scale 1
    weight = max(1, round(scale * random.uniform(0.8, 3.5)))
    for line in range(1, int(size / (1.4 * height)) + 2):
        text = "".join(random.choice(_LETTERS, int(size / (0.6 * height)) + 3))
        place = (int(random.integers(-20, 10)), int(line * 1.5 * height))
        cv2.putText(picture, text, place, font, scale, ink, weight, cv2.LINE_AA)


def _draw_shapes(picture: UInt8Array, random: np.random.Generator) -> None:
    size = picture.shape[0]
    for _ in range(int(random.integers(3, 30))):
        x, y = (int(value) for value in random.integers(0, size, 2))
        radius = int(np.exp(random.uniform(np.log(3), np.log(size / 3))))
        filled = -1 if random.random() < 0.5 else int(random.integers(1, 6))
        if random.random() < 0.5:
            axes = (radius, max(1, int(radius * random.uniform(0.4, 1.2))))
            angle = float(random.uniform(0, 180))
            cv2.ellipse(picture, (x, y), axes, angle, 0, 360, _colour(random), filled)
        else:
            corner = (x + radius, y + int(radius * random.uniform(0.3, 2)))
            cv2.rectangle(picture, (x, y), corner, _colour(random), filled)


def _draw_noise(picture: UInt8Array, random: np.random.Generator) -> None:
    grain = int(random.choice((1, 2, 4, 8)))
    cells = -(-picture.shape[0] // grain)
    noise = random.normal(0, random.uniform(20, 110), (cells, cells, 3)).repeat(grain, 0)
    noise = noise.repeat(grain, 1)[: picture.shape[0], : picture.shape[1]]
    np.copyto(picture, np.clip(picture + noise, 0, 255).astype(np.uint8))
