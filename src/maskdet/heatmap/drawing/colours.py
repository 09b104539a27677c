"""Colours of evidence: diverging maps whose middle is transparent, and the usual ones of OpenCV."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.heatmap.drawing.overlay import ZERO
from maskdet.media.frames import UInt8Array

# RGB from "against" to "for". The first two are of ColorBrewer (Brewer, "Color use guidelines for
# data representation", 1999), without the darkest ends, which would hide the face; "coldwarm" is
# more saturated, for dark photographs.
_DIVERGING: dict[str, tuple[str, ...]] = {
    "rdbu": ("2166ac", "4393c3", "92c5de", "f7f7f7", "f4a582", "d6604d", "b2182b"),
    "puor": ("542788", "8073ac", "b2abd2", "f7f7f7", "fdb863", "e08214", "b35806"),
    "coldwarm": ("0040ff", "00a0ff", "a0e0ff", "f7f7f7", "ffd060", "ff7000", "e00000"),
}
_OF_OPENCV = ("jet", "turbo", "viridis", "inferno", "magma", "plasma", "hot", "bone")
COLOUR_MAPS = (*_DIVERGING, *_OF_OPENCV)
DEFAULT_COLOUR_MAP = "coldwarm"
# Share of a side over which the colours of a map within a picture fade out.
_FADE = 0.08


@dataclass(frozen=True)
class Palette:
    """How evidence is painted.

    Attributes:
        colours: (256, 1, 3) uint8 BGR; index 128 is no evidence.
        opacity: (256,) float32 in [0, 1], how much of the face each colour covers. Diverging maps
            let the face through where there is no evidence; the others cover it evenly.
    """

    colours: UInt8Array
    opacity: FloatArray


def palette(name: str, alpha: float) -> Palette:
    """Makes a palette.

    Args:
        name: one of `COLOUR_MAPS`.
        alpha: the greatest opacity, 0 to 1.
    """
    if name in _OF_OPENCV:
        ramp = np.arange(256, dtype=np.uint8)[:, np.newaxis]
        colours = cv2.applyColorMap(ramp, getattr(cv2, f"COLORMAP_{name.upper()}"))
        return Palette(cast("UInt8Array", colours), np.full(256, alpha, np.float32))
    stops = np.array([list(bytes.fromhex(colour)) for colour in _DIVERGING[name]], float)
    places = np.interp(np.arange(256), [0, ZERO, 255], [0, len(stops) // 2, len(stops) - 1])
    channels = [np.interp(places, np.arange(len(stops)), stops[:, c]) for c in (2, 1, 0)]
    colours = np.rint(np.stack(channels, axis=1)).astype(np.uint8)[:, np.newaxis]
    strength = np.minimum(np.abs(np.arange(256) - ZERO) / 127, 1)
    # Weak evidence is seen beside the strongest, and there is no edge where it passes zero.
    opacity = alpha * strength * (2 - strength)
    return Palette(colours, opacity.astype(np.float32))


def painted(
    face_bgr: UInt8Array, indices: UInt8Array, with_palette: Palette, *, fade: bool = False
) -> UInt8Array:
    """Paints evidence over a face.

    Args:
        face_bgr: (H, W, 3) uint8.
        indices: (H, W) uint8, places in the palette.
        with_palette: the colours.
        fade: whether the colours fade out at the very edge.

    Returns:
        (H, W, 3) uint8 BGR, a new picture.
    """
    colours = cv2.applyColorMap(indices, with_palette.colours)
    weight = with_palette.opacity[indices]
    if fade:
        weight = weight * _ramp(weight.shape[0])[:, np.newaxis] * _ramp(weight.shape[1])
    return cast("UInt8Array", cv2.blendLinear(colours, face_bgr, weight, 1 - weight))


@lru_cache(maxsize=512)
def _ramp(pixels: int) -> FloatArray:
    """Returns (pixels,) weights: 1, but rising from 0 and falling to 0 at the ends."""
    from_edge = np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) + 0.5
    return np.minimum(from_edge / (_FADE * pixels), 1).astype(np.float32)
