"""Finds out whether faces are small in pictures whose boxes nobody has noted.

Whole pictures would be trained on, and crops of faces be run: two different things.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskdet.class_folders.faces_file import FACES_FILE
from maskdet.class_folders.listing import Picture
from maskdet.errors import SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.loading import face_detector_folder, load_face_detector

LOOKED_AT = 12  # pictures a folder
# Of a picture's area. A face with the usual margin about it takes 0.44.
SMALL = 0.3
_FACE_SIZE = 320  # pixels


def framing_hints(folders: Sequence[Path], pictures: Sequence[Picture]) -> list[str]:
    """Looks at some pictures without a box of each dataset folder.

    Args:
        folders: the dataset folders.
        pictures: of all of them.

    Returns:
        A line for each folder in which faces are small, with what to do.
    """
    hints = []
    for number, folder in enumerate(folders):
        bare = [one for one in pictures if one.dataset == number and one.box is None]
        shares = _face_shares(bare[:: max(1, len(bare) // LOOKED_AT)][:LOOKED_AT])
        if len(shares) > 1 and np.median(shares) < SMALL:
            hints.append(
                f"{folder}: {len(bare)} pictures have no box in {FACES_FILE}, and the face is "
                f"{np.median(shares):.0%} of the picture (of {len(shares)} looked at): whole "
                f"pictures are trained on, crops are run; maskdet dataset faces {folder} finds them"
            )
    return hints


def _face_shares(pictures: Sequence[Picture]) -> list[float]:
    """Returns the largest face's share of each picture in which there is one."""
    if not pictures:
        return []
    detector = load_face_detector(face_detector_folder(None), face_size=_FACE_SIZE)
    shares = []
    for picture in pictures:
        try:
            image = read_picture(picture.path)
        except SourceError:
            continue
        boxes = detector.detect(image)[0]
        if len(boxes):
            area = float((boxes[:, 2:] - boxes[:, :2]).prod(axis=1).max())
            shares.append(area / (image.shape[0] * image.shape[1]))
    return shares
