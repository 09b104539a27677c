"""Which faces of a camera count: by zone and by size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.serve.site.camera_settings import CameraSettings, Zone


class Areas:
    """Tells which faces are to be labelled.

    A face lies where its centre is.

    Args:
        settings: the camera's zones and smallest faces.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings

    def keep(self, xyxy: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
        """Returns (N,) bool, which of (N, 4) boxes in a frame of a size in pixels count."""
        heights = xyxy[:, 3] - xyxy[:, 1]
        least = np.full(len(xyxy), self._settings.min_face, np.float32)
        kept = np.ones(len(xyxy), bool)
        watched = [zone for zone in self._settings.zones if not zone.is_masked]
        if watched:
            kept[:] = False
            for zone in watched:
                inside = _inside(zone, xyxy, width, height)
                if zone.min_face is not None:
                    # Where zones overlap the kinder one decides.
                    least[inside & kept] = np.minimum(least[inside & kept], zone.min_face)
                    least[inside & ~kept] = zone.min_face
                kept |= inside
        for zone in self._settings.zones:
            if zone.is_masked:
                inside = _inside(zone, xyxy, width, height)
                # Masked for small faces alone: what is behind a window.
                kept &= ~inside if zone.min_face is None else ~(inside & (heights < zone.min_face))
        return kept & (heights >= least)


def _inside(zone: Zone, xyxy: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
    polygon = np.array(zone.polygon, np.float32) * np.array([width, height], np.float32)
    centres = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    return np.array(
        [cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in centres], bool
    )
