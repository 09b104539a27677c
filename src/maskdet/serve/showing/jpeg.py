"""Pictures as the service shows, sends and keeps them: JPEG, no wider than asked for."""

import cv2

from maskdet.media.frames import UInt8Array


def jpeg(image_bgr: UInt8Array, quality: int, width: int | None = None) -> bytes:
    """Returns a picture as JPEG.

    Args:
        image_bgr: (H, W, 3) BGR.
        quality: from 1 to 100.
        width: in pixels; a wider picture is scaled down to it. ``None`` for its own.
    """
    height_now, width_now = image_bgr.shape[:2]
    if width is not None and width < width_now:
        size = width, max(1, round(height_now * width / width_now))
        image_bgr = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    data: bytes = cv2.imencode(".jpg", image_bgr, settings)[1].tobytes()
    return data
