"""A contact sheet of faces, cut out of the videos again: blurred unless they are asked for."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from maskdet.archive.opening import opened
from maskdet.archive.reporting.figures import FaceSpot
from maskdet.boxes import cut
from maskdet.detections import FloatArray
from maskdet.errors import SourceError
from maskdet.media.blurring import blur_faces
from maskdet.media.frames import UInt8Array
from maskdet.media.inputs.containers import decode, frame_rate_of
from maskdet.vision.turning import turned

# Side of a face on the sheet, in pixels, and what is shown around it as a share of its own.
_SIDE, _AROUND = 112, 0.6


def face_pictures(
    spots: Sequence[FaceSpot], *, show_faces: bool, rotate: int = 0
) -> list[UInt8Array | None]:
    """Cuts faces out of their videos.

    Args:
        spots: which.
        show_faces: whether they may be recognised.
        rotate: by how many degrees frames were turned before faces were looked for.

    Returns:
        A (112, 112, 3) uint8 BGR picture each, ``None`` where the video cannot be read any more.
    """
    pictures: list[UInt8Array | None] = []
    for spot in spots:
        try:
            image = _frame_at(spot.source, spot.time)
        except SourceError:
            image = None
        if image is None:
            pictures.append(None)
            continue
        image = turned(image, rotate)
        pictures.append(_picture(image, np.array(spot.box, np.float32), show_faces=show_faces))
    return pictures


def _picture(image: UInt8Array, box: FloatArray, *, show_faces: bool) -> UInt8Array:
    side = float(max(box[2] - box[0], box[3] - box[1])) * (1 + _AROUND) / 2
    middle = (box[:2] + box[2:]) / 2
    around = np.concatenate([middle - side, middle + side]).astype(np.float32)
    small = cv2.resize(cut(image, around), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    face = cast("UInt8Array", small)
    # All of it: a neighbour's face may stand in it, too.
    return face if show_faces else blur_faces(face, np.array([[0, 0, _SIDE, _SIDE]], np.float32))


def _frame_at(source: str, time: float) -> UInt8Array | None:
    """Returns the frame that is shown so many seconds after the first."""
    import av

    with opened(source) as container:
        stream = container.streams.video[0]
        unit, rate = float(stream.time_base or 1), frame_rate_of(container)
        begin = (stream.start_time or 0) * unit
        if time > 0:
            try:
                container.seek(max(0, round((begin + time) / unit)), stream=stream)
            except (av.FFmpegError, OSError):
                return None
        image = None
        for moment, image in decode(container):
            if moment is None or moment - begin >= time - 0.5 / rate:
                return image
        return image
