"""The faces that heat maps are evaluated on: class folders, cut as the classifier sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes
from maskdet.class_folders.listing import Picture, held_out, list_pictures
from maskdet.detections import FloatArray
from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.standard_error import silent_standard_error
from maskdet.vision.evidence import place_in
from maskdet.vision.merging import Pairs
from maskdet.vision.preprocessing import UInt8Array, face_inputs, picture_input


@dataclass(frozen=True)
class FaceSet:
    """N faces.

    Attributes:
        names: their files, relative to the data set.
        crops: (N, S, S, 3) uint8 RGB, as the classifier sees them.
        places: (N, 4) float32, the face boxes as shares of the crop.
        labels: (N,) index of the true class.
        groups: N names of what belongs together, such as the faces of one photograph.
        failures: one line for each picture that could not be read.
    """

    names: tuple[str, ...]
    crops: UInt8Array
    places: FloatArray
    labels: NDArray[np.intp]
    groups: tuple[str, ...]
    failures: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def read_faces(
    dataset: Path,
    labels: Sequence[str],
    *,
    margin: float,
    size: int,
    each: int,
    seed: int = 0,
    merge: Pairs = (),
    shift: float = 0.0,
) -> FaceSet:
    """Reads a sample of class folders.

    Args:
        dataset: class folders named as the model's labels. Where its ``faces.csv`` says where a
            face is in its picture, that box is cut out with the margin; other pictures are taken to
            be cut like that already.
        labels: the model's.
        margin: the classifier's crop margin.
        size: side of its input in pixels.
        each: how many faces of a class, drawn at random; all where there are fewer.
        seed: of the draw.
        merge: labels that the model had, and those of `labels` that they were merged into.
        shift: by how much crops are moved off the face at most, up or down and to either side, as
            a share of their own side.

    Raises:
        DatasetError: no such folder, classes that the model does not have, or nothing readable.
    """
    pictures, _ = held_out(list_pictures(dataset))
    into = {label: label for label in labels} | dict(merge)
    strange = sorted({picture.label for picture in pictures} - set(into))
    if strange or not pictures:
        found = f"class folder {strange[0]!r}" if strange else "no class folders"
        raise DatasetError(f"{dataset}: has {found}; this model's classes are {', '.join(labels)}")
    random = np.random.default_rng(seed)
    chosen: list[Picture] = []
    for label in labels:
        of_class = [picture for picture in pictures if into[picture.label] == label]
        picked = random.permutation(len(of_class))[:each]
        chosen += [of_class[index] for index in sorted(picked)]
    # By a generator of its own: what is drawn from the classes does not depend on it.
    offsets = np.random.default_rng(seed + 1).uniform(-shift, shift, (len(chosen), 2))
    rows, failures = [], []
    for picture, offset in zip(chosen, offsets, strict=True):
        try:
            # What libjpeg thinks of a damaged picture names none.
            with silent_standard_error():
                crop, place = _cut(picture, offset, margin=margin, size=size)
        except SourceError as error:
            failures.append(str(error))
            continue
        rows.append((picture, crop, place))
    if not rows:
        raise DatasetError(f"{dataset}: has no picture that can be read")
    return FaceSet(
        names=tuple(str(picture.path.relative_to(dataset)) for picture, _, _ in rows),
        crops=np.stack([crop for _, crop, _ in rows]),
        places=np.stack([place for _, _, place in rows]),
        labels=np.array([labels.index(into[picture.label]) for picture, _, _ in rows], np.intp),
        groups=tuple(picture.group or str(picture.path) for picture, _, _ in rows),
        failures=tuple(failures),
    )


def _cut(
    picture: Picture, offset: NDArray[np.float64], *, margin: float, size: int
) -> tuple[UInt8Array, FloatArray]:
    """Cuts a face out, off its place by a share of the crop's width and height."""
    image = read_picture(picture.path)
    height, width = image.shape[:2]
    if picture.box is None:
        inset = margin / (1 + 2 * margin)
        place = np.array([inset, inset, 1 - inset, 1 - inset], np.float32)
        if offset.any():
            across, down = offset * (width, height)
            moved = np.array([[1, 0, -across], [0, 1, -down]], np.float32)
            # There is nothing beyond the picture but its edge.
            edge = cv2.BORDER_REPLICATE
            image = np.asarray(
                cv2.warpAffine(image, moved, (width, height), borderMode=edge), np.uint8
            )
            place = np.clip(place - np.tile(offset, 2), 0, 1).astype(np.float32)
        return picture_input(image, size), place
    misfit = picture.misfit(width, height)
    if misfit:
        raise SourceError(f"{picture.path}: {misfit}")
    box = np.array(picture.box, np.float32)
    window = expand_boxes(box[np.newaxis], margin)[0]
    window += np.tile(offset * (window[2:] - window[:2]), 2).astype(np.float32)
    crop = face_inputs(image, window[np.newaxis], margin=0, size=size)[0]
    return crop, place_in(box, window, width=width, height=height)
