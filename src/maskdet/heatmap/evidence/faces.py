"""The faces that heat maps are evaluated on: class folders, cut as the classifier sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.class_folders.listing import Picture, held_out, list_pictures
from maskdet.detections import FloatArray
from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.evidence import faces_in_crops
from maskdet.vision.merging import Pairs
from maskdet.vision.preprocessing import UInt8Array, face_inputs, picture_input
from maskdet.vision.runtime import silent_standard_error


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
    rows, failures = [], []
    for picture in chosen:
        try:
            # What libjpeg thinks of a damaged picture names none.
            with silent_standard_error():
                crop, place = _cut(picture, margin=margin, size=size)
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


def _cut(picture: Picture, *, margin: float, size: int) -> tuple[UInt8Array, FloatArray]:
    image = read_picture(picture.path)
    if picture.box is None:
        inset = margin / (1 + 2 * margin)
        place = np.array([inset, inset, 1 - inset, 1 - inset], np.float32)
        return picture_input(image, size), place
    height, width = image.shape[:2]
    misfit = picture.misfit(width, height)
    if misfit:
        raise SourceError(f"{picture.path}: {misfit}")
    xyxy = np.array([picture.box], np.float32)
    crop = face_inputs(image, xyxy, margin=margin, size=size)[0]
    return crop, faces_in_crops(xyxy, margin=margin, width=width, height=height)[0]
