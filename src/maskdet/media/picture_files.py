"""Writes picture files, and names them by the formats that are written."""

from pathlib import Path

import cv2

from maskdet.errors import OutputError
from maskdet.media.files import LONGEST_NAME, replacing, shortened
from maskdet.media.frames import UInt8Array

# Other formats OpenCV reads but cannot, or can only poorly, write.
WRITABLE_PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_JPEG_QUALITY = 95


def picture_output_name(name: str) -> str:
    """Returns the file name an annotated picture is written under: PNG where it must change."""
    path = Path(name)
    if path.suffix.lower() in WRITABLE_PICTURES:
        return path.name
    return f"{shortened(path.name, LONGEST_NAME - len('.png'))}.png"


def write_picture(path: Path, image: UInt8Array) -> None:
    """Writes a picture, whole or not at all.

    Args:
        path: its suffix chooses the format.
        image: (H, W, 3) uint8 BGR.

    Raises:
        OutputError: the file cannot be written, or its suffix names no format.
    """
    with replacing(path) as temporary:
        try:
            # OpenCV 5 warns of a quality that the format does not know.
            is_jpeg = path.suffix.lower() in (".jpeg", ".jpg")
            quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if is_jpeg else []
            encoded, data = cv2.imencode(path.suffix, image, quality)
        except cv2.error:
            encoded = False
        if not encoded:
            raise OutputError(f"{path}: {path.suffix or 'no suffix'} is no picture format to write")
        temporary.write_bytes(data.tobytes())
