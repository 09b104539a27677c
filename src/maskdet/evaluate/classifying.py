"""What a classifier says of the pictures of class folders, with what the figures are cut by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import UInt8Array, cut
from maskdet.class_folders.listing import Picture
from maskdet.detections import FloatArray
from maskdet.duplicates import Hashes, HashRow, group_duplicates, hash_picture, stack_hashes
from maskdet.errors import DatasetError, SourceError
from maskdet.evaluate.data import Listed
from maskdet.evaluate.labels import label_indices
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.merging import Pairs
from maskdet.vision.preprocessing import resize

# Variance of the Laplacian of the grey crop at one height: what a sharp edge of a pixel's width
# gives does not depend on how large the crop was stored.
BLUR_SIDE = 96


@dataclass(frozen=True)
class Answers:
    """What the classifier said about N faces.

    Attributes:
        labels: (N,) true class indices.
        probabilities: (N, C).
        heights: (N,) pixels.
        sharpness: (N,) variance of the Laplacian.
        groups: (N,) group numbers; near-duplicates share one.
        pictures: N of them.
        hashes: of them.
    """

    labels: NDArray[np.intp]
    probabilities: FloatArray
    heights: FloatArray
    sharpness: FloatArray
    groups: NDArray[np.intp]
    pictures: Sequence[Picture]
    hashes: Hashes


def classify_all(
    listed: Listed,
    mapping: Mapping[str, str],
    classifier: MaskClassifier,
    merge: Pairs,
    show: Callable[[float, str], None],
) -> tuple[Answers, tuple[str, ...]]:
    """Classifies listed pictures.

    Args:
        listed: the pictures.
        mapping: class folder to one of the model's labels; an empty label leaves it out.
        classifier: what classifies.
        merge: labels that it has merged.
        show: takes the fraction that is done and a short text.

    Returns:
        Answers, and a line for each picture that was left out.

    Raises:
        DatasetError: none can be read, or a folder's name is no label of the model.
    """
    pictures = listed.pictures
    found = sorted({picture.label for picture in pictures})
    unknown = sorted(set(mapping) - set(found))
    if unknown:
        raise DatasetError(f"no class folder {unknown[0]!r} to map: there are {', '.join(found)}")
    names = {name: mapping.get(name, name) or None for name in found}
    index_of = label_indices(names, classifier.labels, merge)
    wanted = [picture for picture in pictures if index_of[picture.label] is not None]
    problems = list(listed.problems)
    kept: list[Picture] = []
    labels: list[int] = []
    rows: list[tuple[FloatArray, float, float]] = []
    hashes: list[HashRow] = []
    given: list[str | None] = []
    for done, picture in enumerate(wanted, 1):
        show(done / len(wanted), "classifying")
        try:
            image = read_picture(picture.path)
        except SourceError as error:
            problems.append(str(error))
            continue
        height, width = image.shape[:2]
        misfit = picture.misfit(width, height)
        if misfit:
            problems.append(f"{picture.path}: {misfit}")
            continue
        box = np.array(picture.box or (0, 0, width, height), np.float32)
        probabilities, _, _ = classifier.classify(image, box[np.newaxis])
        rows.append((probabilities[0], float(box[3] - box[1]), sharpness(cut(image, box))))
        labels.append(index_of[picture.label] or 0)
        hashes.append(hash_picture(image))
        given.append(picture.group)
        kept.append(picture)
    if not rows:
        raise DatasetError(f"{listed.where}: none of its {len(wanted)} pictures can be read")
    stacked = stack_hashes(hashes)
    groups, _ = group_duplicates(stacked, given)
    answers = Answers(
        np.array(labels, np.intp),
        np.stack([row[0] for row in rows]),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.float32),
        groups,
        kept,
        stacked,
    )
    return answers, tuple(problems)


def sharpness(crop_bgr: UInt8Array) -> float:
    """Returns the variance of the Laplacian of an (H, W, 3) crop at `BLUR_SIDE` pixels."""
    grey = cv2.cvtColor(resize(crop_bgr, BLUR_SIDE, BLUR_SIDE), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
