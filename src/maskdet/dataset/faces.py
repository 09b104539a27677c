"""Finds the face in each picture of class folders, and notes its box in `faces.csv`.

What is trained on whole pictures sees faces framed otherwise than detection frames them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskdet.boxes import UInt8Array, clip_boxes
from maskdet.class_folders.faces_file import FACES_FILE, FaceRow, read_faces, write_faces
from maskdet.class_folders.listing import list_pictures
from maskdet.detections import FloatArray
from maskdet.errors import DatasetError, OutputError, SourceError
from maskdet.files.text_files import composed
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.detector import FaceDetector
from maskdet.vision.faces.loading import face_detector_folder, load_face_detector

_FACE_SIZE = 320  # pixels that a picture of one face is scaled to
_BORDER = 0.5  # of a picture's sides, put around it where no face is found: some are all face


@dataclass(frozen=True)
class FacesOptions:
    """What to look at.

    Attributes:
        folder: of class folders.
        face: the face detector, as `maskdet detect --face` takes it; ``None`` for the bundled one.
        overwrite: whether boxes that are noted already are found anew.
    """

    folder: Path
    face: str | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class FacesFound:
    """What was found.

    Attributes:
        path: of the file that was written.
        boxes: pictures with exactly one face, or with one that is by far the largest.
        kept: boxes that were noted already.
        none: pictures without a face; they are trained on whole.
        several: pictures with several; likewise.
        problems: one line for each picture that cannot be read.
    """

    path: Path
    boxes: int
    kept: int
    none: int
    several: int
    problems: tuple[str, ...]


def find_faces(options: FacesOptions, *, show: Callable[[float, str], None]) -> FacesFound:
    """Finds the faces and writes `FACES_FILE`.

    Raises:
        DatasetError: there are no pictures.
        ModelError: the face detector is missing or damaged.
        OutputError: the file cannot be written.
    """
    folder = options.folder
    pictures = list_pictures(folder)
    if not pictures:
        raise DatasetError(f"{folder}: no class folders with pictures in them")
    known = read_faces(folder)
    detector = load_face_detector(face_detector_folder(options.face), face_size=_FACE_SIZE)
    rows: list[FaceRow] = []
    problems: list[str] = []
    kept = none = several = 0
    for done, picture in enumerate(pictures, 1):
        show(done / len(pictures), "finding faces")
        name = composed(picture.path.relative_to(folder).as_posix())
        box, group = known.get(name, (None, None))
        if box is not None and not options.overwrite:
            rows.append(FaceRow(name, group or "", box))
            kept += 1
            continue
        try:
            found = faces_in(read_picture(picture.path), detector)
        except SourceError as error:
            problems.append(str(error))
            continue
        main = main_face(found)
        none, several = none + (not len(found)), several + (len(found) > 0 and main is None)
        if main is not None or group:
            sides = None if main is None else tuple(round(float(side), 1) for side in main)
            rows.append(FaceRow(name, group or "", sides))  # type: ignore[arg-type]
    temporary = folder / f".{FACES_FILE}.partial"
    try:
        write_faces(folder, rows, temporary.name)
        temporary.replace(folder / FACES_FILE)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{folder / FACES_FILE}: cannot be written ({error.strerror})") from None
    boxes = len(pictures) - kept - none - several - len(problems)
    return FacesFound(folder / FACES_FILE, boxes, kept, none, several, tuple(problems))


def faces_in(picture_bgr: UInt8Array, detector: FaceDetector) -> FloatArray:
    """Returns the (N, 4) boxes of a picture's faces in pixels, the picture's edges their limits."""
    height, width = picture_bgr.shape[:2]
    found = detector.detect(picture_bgr)[0]
    if not len(found):
        x, y = round(width * _BORDER), round(height * _BORDER)
        around = cv2.copyMakeBorder(picture_bgr, y, y, x, x, cv2.BORDER_REPLICATE)
        found = detector.detect(np.asarray(around, np.uint8))[0] - np.array([x, y, x, y])
    boxes = clip_boxes(found.astype(np.float32), width, height)
    return boxes[np.all(boxes[:, 2:] > boxes[:, :2], axis=1)]


def main_face(boxes: FloatArray) -> FloatArray | None:
    """Returns the one face that a picture is of: the only one, or four times as large as any."""
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    order = np.argsort(-areas)
    if not len(boxes) or (len(boxes) > 1 and areas[order[0]] < 4 * areas[order[1]]):
        return None
    main: FloatArray = boxes[order[0]]
    return main
