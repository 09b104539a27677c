"""The newest picture of a camera, drawn only when somebody looks, and once for all who do."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from maskdet.detections import Detections, FloatArray
from maskdet.media.blurring import blur_faces
from maskdet.media.drawing import draw_detections
from maskdet.media.frames import UInt8Array
from maskdet.serve.showing.jpeg import jpeg

# Of a JPEG whose quality nobody asked for.
DEFAULT_QUALITY = 80
# Viewers of one picture ask for few sizes; more are not kept.
_MOST_KEPT = 4


@dataclass(frozen=True)
class LivePicture:
    """A frame that was looked at.

    Attributes:
        number: counts the camera's frames that were, from 1; never smaller, whatever happens.
        time: when the frame came, with the zone.
        image: (H, W, 3) uint8 BGR, as it came, turned upright. Not to be drawn on.
        detections: its faces.
        veiled: (M, 4) what is to be blurred in what is stored, in pixels.
        is_blurred: whether that is to be blurred when it is shown, too.
    """

    number: int
    time: datetime
    image: UInt8Array
    detections: Detections
    veiled: FloatArray
    is_blurred: bool = False
    _encoded: dict[tuple[int, int], bytes] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def annotated(self, *, blur: bool | None = None) -> UInt8Array:
        """Returns a copy with boxes and labels, (H, W, 3) uint8 BGR.

        Args:
            blur: whether faces are made unrecognisable; ``None`` for as the live picture is.
        """
        image = self.image.copy()
        if self.is_blurred if blur is None else blur:
            blur_faces(image, self.veiled)
        return draw_detections(image, self.detections)

    def jpeg(self, width: int | None = None, quality: int = DEFAULT_QUALITY) -> bytes:
        """Returns the annotated picture as a JPEG.

        Args:
            width: in pixels; larger pictures are scaled down to it.
            quality: from 1 to 100.
        """
        width_now = self.image.shape[1]
        width = min(width or width_now, width_now)
        with self._lock:
            known = self._encoded.get((width, quality))
            if known is not None:
                return known
            data = jpeg(self.annotated(), quality, width)
            if len(self._encoded) < _MOST_KEPT:
                self._encoded[width, quality] = data
            return data
