"""What light, lens, sensor and passing hands do to a face: augmentation after the warp.

Each function takes an (H, W, 3) uint8 BGR view and a random generator that decides everything, and
returns an altered view of the same shape; its input is left as it is.
"""

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.vision.preprocessing import UInt8Array

# Sides of the face, in pixels, that the coarse step scales down to: as in a far street.
COARSE_SIDES = (14, 96)
# Length of motion blur as a share of the view: a head turning at 1/30 s exposure.
MOTION = (0.02, 0.14)


@dataclass(frozen=True)
class Camera:
    """With what probability each thing happens to a view.

    Attributes:
        light: changed brightness, contrast and gamma.
        colour: changed hue and saturation, or light of another colour.
        grey: no colour at all.
        coarse: scaling down and up again, as for a small face.
        blur: motion blur, in any direction, or defocus.
        noise: sensor noise.
        jpeg: JPEG artefacts.
        occlusion: hand-sized patches that are not a mask.
    """

    light: float = 0.0
    colour: float = 0.0
    grey: float = 0.0
    coarse: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    occlusion: float = 0.0


def distort(view_bgr: UInt8Array, how: Camera, random: np.random.Generator) -> UInt8Array:
    """Applies each step with its probability, in the order in which a camera would.

    Args:
        view_bgr: (S, S, 3) uint8.
        how: the probabilities.
        random: decides everything.

    Returns:
        (S, S, 3) uint8 BGR, a new array unless nothing was done.
    """
    if random.random() < how.occlusion:
        view_bgr = occlude(view_bgr, random)
    if random.random() < how.colour:
        view_bgr = change_colour(view_bgr, random)
    if random.random() < how.light:
        view_bgr = change_light(view_bgr, random)
    if random.random() < how.blur:
        view_bgr = (move if random.random() < 0.7 else defocus)(view_bgr, random)
    if random.random() < how.coarse:
        view_bgr = coarsen(view_bgr, random)
    if random.random() < how.noise:
        view_bgr = add_noise(view_bgr, random)
    if random.random() < how.jpeg:
        view_bgr = compress(view_bgr, random)
    if random.random() < how.grey:
        plain = cv2.cvtColor(view_bgr, cv2.COLOR_BGR2GRAY)
        view_bgr = cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR)
    return view_bgr


def occlude(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Lays one or two tilted, hand-sized patches over the view.

    A patch is skin-like, plain, or torn from elsewhere in the view. It is kept off the middle of
    the lower face: over nose and mouth it would teach that a mask is anything that covers them.
    """
    size = view_bgr.shape[0]
    result = view_bgr.copy()
    for _ in range(random.integers(1, 3)):
        axes = (int(size * random.uniform(0.06, 0.18)), int(size * random.uniform(0.08, 0.25)))
        bearing = random.uniform(0, 2 * math.pi)
        # From the centre outwards: at the rim of the face or beyond, except towards the chin.
        reach = size * random.uniform(0.33, 0.5)
        if math.sin(bearing) < -0.3:
            reach = size * random.uniform(0.2, 0.5)
        centre = (
            int(size / 2 + reach * math.cos(bearing)),
            int(size / 2 + reach * math.sin(bearing)),
        )
        where = np.zeros((size, size), np.uint8)
        cv2.ellipse(where, centre, axes, float(random.uniform(0, 180)), 0, 360, 255, -1)
        result[where > 0] = _patch(view_bgr, random)[where > 0]
    return result


def _patch(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Returns a full view's worth of what covers a face."""
    kind = random.random()
    if kind < 0.4:
        hue, saturation, value = random.uniform([2, 40, 60], [20, 170, 250])
        skin = np.full((1, 1, 3), (hue, saturation, value), np.float64).astype(np.uint8)
        colour = cv2.cvtColor(skin, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float64)
    elif kind < 0.6:
        colour = random.uniform(0, 255, 3)
    else:
        shift = random.integers(view_bgr.shape[0] // 4, 3 * view_bgr.shape[0] // 4, 2)
        return np.roll(view_bgr, tuple(int(step) for step in shift), axis=(0, 1))
    texture = random.normal(0, random.uniform(1, 14), (14, 14, 1))
    smooth = cv2.resize(texture, view_bgr.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return cast("UInt8Array", np.clip(colour + smooth[..., np.newaxis], 0, 255).astype(np.uint8))


def change_colour(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Changes hue and saturation, or the colour of the light; seldom the whole colour wheel.

    Cloth masks come in any colour and stages are lit in any: neither may decide the answer.
    """
    if random.random() < 0.5:
        hsv = cv2.cvtColor(view_bgr, cv2.COLOR_BGR2HSV).astype(np.int16)
        turn = random.integers(0, 180) if random.random() < 0.3 else random.integers(-9, 10)
        hsv[..., 0] = (hsv[..., 0] + turn) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(0.4, 1.6), 0, 255)
        return cast("UInt8Array", cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR))
    spread = 0.45 if random.random() < 0.3 else 0.18
    gains = random.uniform(1 - spread, 1 + spread, 3)
    table = np.clip(np.arange(256)[:, np.newaxis] * gains, 0, 255).astype(np.uint8)
    return cast("UInt8Array", cv2.LUT(view_bgr, table[np.newaxis]))


def change_light(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Changes gamma, contrast and brightness through one table; sometimes unevenly across."""
    levels = np.linspace(0, 1, 256) ** math.exp(random.uniform(-0.6, 0.6))
    levels = (levels - 0.5) * random.uniform(0.55, 1.35) + 0.5 + random.uniform(-0.15, 0.15)
    view_bgr = cv2.LUT(view_bgr, np.clip(levels * 255, 0, 255).astype(np.uint8))
    if random.random() < 0.25:
        corners = random.uniform(0.45, 1.25, (2, 2)).astype(np.float32)
        shade = cv2.resize(corners, view_bgr.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        view_bgr = np.clip(view_bgr * shade[..., np.newaxis], 0, 255).astype(np.uint8)
    return view_bgr


def move(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Blurs along a line in any direction, as a moving head or camera does."""
    length = max(3, round(view_bgr.shape[0] * random.uniform(*MOTION)))
    kernel = _line(length, random.uniform(0, math.pi))
    return cast("UInt8Array", cv2.filter2D(view_bgr, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def _line(length: int, angle: float) -> NDArray[np.float32]:
    """Returns a (length, length) kernel, summing to 1, of a line through its centre."""
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    across, down = math.cos(angle) * middle, math.sin(angle) * middle
    start = (round(middle - across), round(middle - down))
    end = (round(middle + across), round(middle + down))
    cv2.line(kernel, start, end, 1.0, 1)
    return cast("NDArray[np.float32]", kernel / kernel.sum())


def defocus(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Blurs evenly, as a lens out of focus does."""
    sigma = view_bgr.shape[0] * random.uniform(0.004, 0.025)
    return cast("UInt8Array", cv2.GaussianBlur(view_bgr, (0, 0), sigma))


def coarsen(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Scales down to a small face and up again, each in one of the usual ways."""
    size = view_bgr.shape[0]
    low, high = COARSE_SIDES
    side = round(math.exp(random.uniform(math.log(low), math.log(high))) * 1.5)
    down = cv2.INTER_AREA if random.random() < 0.6 else cv2.INTER_LINEAR
    up = cv2.INTER_LINEAR if random.random() < 0.7 else cv2.INTER_CUBIC
    small = cv2.resize(view_bgr, (side, side), interpolation=down)
    if random.random() < 0.4:
        # Video of a far street is compressed at the size it was taken in.
        small = compress(small, random)
    return cast("UInt8Array", cv2.resize(small, (size, size), interpolation=up))


def add_noise(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Adds sensor noise, the same in all channels or not."""
    channels = 1 if random.random() < 0.5 else 3
    noise = random.standard_normal((*view_bgr.shape[:2], channels), np.float32)
    noisy = view_bgr + noise * np.float32(random.uniform(2, 18))
    return cast("UInt8Array", np.clip(noisy, 0, 255).astype(np.uint8))


def compress(view_bgr: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Leaves the artefacts of strong JPEG compression."""
    quality = int(random.integers(15, 80))
    _, encoded = cv2.imencode(".jpg", view_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast("UInt8Array", cv2.imdecode(encoded, cv2.IMREAD_COLOR))
