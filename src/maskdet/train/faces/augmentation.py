"""Draws altered views of boxed pictures: small, crowded, turned, masked and blurred faces.

A view is one warp from the picture to the network's square input, so that it is sampled once, as
in use. Some views are mosaics: several smaller views side by side, which is how a picture of one
face teaches small ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.train.camera import Camera, distort
from maskdet.train.faces.blanks import draw_blank
from maskdet.vision.preprocessing import UInt8Array


class Boxed(NamedTuple):
    """A picture or view and what is in it.

    Attributes:
        picture: (H, W, 3) uint8 BGR.
        faces: (N, 4) float32 xyxy in its pixels.
        ignored: (M, 4) float32 xyxy of what is neither to be taught as a face nor as none.
    """

    picture: UInt8Array
    faces: FloatArray
    ignored: FloatArray


NO_BOXES: FloatArray = np.zeros((0, 4), np.float32)

# Share of a face that has to be in a view for it to count as one there. With less of it, it is
# neither taught nor unlearned.
FEWEST_VISIBLE = 0.4
# Longest motion blur as a share of the view: a few pixels, for the faces are small.
_LONGEST_BLUR = 0.03
_TILES = (2, 2, 3, 4)  # a side of a mosaic


@dataclass(frozen=True)
class FaceAugmentation:
    """How views differ from their pictures. Probabilities are per view.

    Attributes:
        whole: shows the whole picture, as in use.
        zoom_in: smallest share of the picture's sides that another view shows.
        zoom_out: largest; beyond 1 the picture lies in a plain field.
        faces: height of a face in a view, smallest and largest, as shares of its side: views that
            are not whole are drawn around one face at a height between them, all octaves alike.
        elsewhere: is drawn around no face in particular, if it is not whole.
        nearest: smallest share of the picture's sides that such a view shows, all octaves alike:
            things seen from near by are as large as the largest faces.
        blank: is a made-up picture without faces.
        mosaic: is put together from several views.
        turn: is turned.
        largest_turn: degrees, either way.
        stretch: largest change of a view's width against its height, as a factor: frames of all
            shapes are squashed to the square.
        flip: is mirrored.
        blur: is blurred, by motion or by the lens.
        camera: what else light and camera do.
    """

    whole: float = 0.35
    zoom_in: float = 0.15
    zoom_out: float = 2.0
    faces: tuple[float, float] = (0.025, 0.8)
    elsewhere: float = 0.2
    nearest: float = 0.06
    blank: float = 0.06
    mosaic: float = 0.3
    turn: float = 0.25
    largest_turn: float = 25.0
    stretch: float = 1.5
    flip: float = 0.5
    blur: float = 0.15
    camera: Camera = field(
        default_factory=lambda: Camera(light=0.5, colour=0.35, grey=0.05, noise=0.12, jpeg=0.15)
    )


def draw_view(
    pick: Callable[[], Boxed], size: int, how: FaceAugmentation, random: np.random.Generator
) -> Boxed:
    """Draws one view.

    Args:
        pick: gives the view's picture and, called again, others for a mosaic.
        size: side of the view in pixels.
        how: what may be done.
        random: decides everything.

    Returns:
        The view, (size, size, 3), and the boxes in it.
    """
    if random.random() < how.blank:
        view, faces, ignored = draw_blank(size, random), NO_BOXES, NO_BOXES
    elif random.random() >= how.mosaic:
        view, faces, ignored = _warp(pick(), size, how, random)
    else:
        tiles = int(random.choice(_TILES))
        # The tiles are small already: little empty field around them.
        inner = replace(how, zoom_out=min(how.zoom_out, 1.25))
        view = np.empty((size, size, 3), np.uint8)
        edges = np.linspace(0, size, tiles + 1).round().astype(int)
        inside = []
        for row in range(tiles):
            for column in range(tiles):
                top, left = edges[row], edges[column]
                side = int(max(edges[row + 1] - top, edges[column + 1] - left))
                tile = _warp(pick(), side, inner, random)
                part = view[top : edges[row + 1], left : edges[column + 1]]
                part[:] = tile.picture[: part.shape[0], : part.shape[1]]
                corner = np.array([left, top, left, top], np.float32)
                inside.append((tile.faces + corner, tile.ignored + corner))
        faces, ignored = (np.concatenate(boxes) for boxes in zip(*inside, strict=True))
    view = distort(view, how.camera, random)
    if random.random() < how.blur:
        view = _blur(view, random)
    return Boxed(view, faces, ignored)


def _warp(boxed: Boxed, size: int, how: FaceAugmentation, random: np.random.Generator) -> Boxed:
    """Warps a part of a picture, or more than it, to a square."""
    picture = boxed.picture
    height, width = picture.shape[:2]
    centre = np.array([width / 2, height / 2])
    window = np.array([width, height], np.float64)  # of the picture, in its pixels
    if random.random() >= how.whole:
        wanted = NO_BOXES if random.random() < how.elsewhere else boxed.faces
        share = _share_of_picture(wanted, height, how, random)
        stretch = how.stretch ** random.uniform(-0.5, 0.5)
        window *= share * np.array([stretch, 1 / stretch])
        centre = _centre(wanted, window, (width, height), random)
    angle = math.radians(how.largest_turn) * random.uniform(-1, 1)
    if random.random() >= how.turn:
        angle = 0.0
    mirror = -1.0 if random.random() < how.flip else 1.0
    # Shrunk first where several pixels fall on one, as `halved` does.
    halvings = max(0, int(math.log2(max(1.0, float(window.min()) / size))))
    for _ in range(halvings):
        small = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    scale = size / window
    cosine, sine = math.cos(angle), math.sin(angle)
    # Turned and mirrored about the window's centre, then squashed to the square.
    turned = np.array([[mirror * cosine, -mirror * sine], [sine, cosine]]) * scale[:, None]
    shift = size / 2 - turned @ centre
    matrix = np.concatenate([turned * 2**halvings, shift[:, None]], axis=1)
    around = random.integers(0, 256, 3).tolist() if random.random() < 0.5 else [104, 117, 123]
    view = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=around)
    (faces, cut), ignored = (_warp_boxes(some, turned, shift, size) for some in boxed[1:])
    return Boxed(view, faces, np.concatenate([cut, *ignored]))


def _share_of_picture(
    boxes: FloatArray, height: int, how: FaceAugmentation, random: np.random.Generator
) -> float:
    """Draws how much of the picture's sides a view shows."""
    if len(boxes) == 0:
        return math.exp(random.uniform(math.log(how.nearest), 0))
    face = boxes[random.integers(len(boxes))]
    low, high = (math.log(share) for share in how.faces)
    wanted = math.exp(random.uniform(low, high))
    share = float(face[3] - face[1]) / height / wanted
    # More than twice too far either way, a new draw is better than a pile at the limit.
    if not how.zoom_in / 2 < share < how.zoom_out * 2:
        share = math.exp(random.uniform(math.log(how.zoom_in), math.log(2)))
    return min(max(share, how.zoom_in), how.zoom_out)


def _centre(
    boxes: FloatArray,
    window: NDArray[np.float64],
    resolution_wh: tuple[int, int],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Draws where a view's middle lies: on the picture if it is smaller, with a face in it."""
    size = np.array(resolution_wh, np.float64)
    low, high = np.minimum(window / 2, size - window / 2), np.maximum(window / 2, size - window / 2)
    if len(boxes):
        face = boxes[random.integers(len(boxes))]
        middle = (face[:2] + face[2:]) / 2
        low = np.maximum(low, middle - window / 2)
        high = np.maximum(low, np.minimum(high, middle + window / 2))
    return random.uniform(low, high)


def _warp_boxes(
    boxes: FloatArray, turned: NDArray[np.float64], shift: NDArray[np.float64], size: int
) -> tuple[FloatArray, FloatArray]:
    """Warps boxes, taking a face for the ellipse in its box.

    Returns:
        Those that are in view, clipped to it, and those mostly out of it, likewise.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ turned.T + shift
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    reach = np.sqrt((half**2) @ (turned**2).T)
    warped = np.concatenate([centres - reach, centres + reach], axis=1)
    clipped = np.clip(warped, 0, size)
    areas = np.prod(warped[:, 2:] - warped[:, :2], axis=1)
    visible = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1)
    clipped = clipped.astype(np.float32)
    inside = visible > FEWEST_VISIBLE * areas
    return clipped[inside], clipped[~inside & (visible > 0)]


def _blur(view: UInt8Array, random: np.random.Generator) -> UInt8Array:
    if random.random() < 0.5:
        return cast("UInt8Array", cv2.GaussianBlur(view, (0, 0), random.uniform(0.5, 1.8)))
    length = random.uniform(2, max(3, view.shape[0] * _LONGEST_BLUR))
    angle = random.uniform(0, math.pi)
    radius = math.ceil(length / 2)
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.float32)
    reach = length / 2 * np.array([math.cos(angle), math.sin(angle)])
    ends = [tuple(int(v) for v in np.round(radius + sign * reach)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cast("UInt8Array", cv2.filter2D(view, -1, kernel / kernel.sum()))
