"""Pictures without a face for `build_faces.py`: scenes in parts, and cut-outs between faces.

The scenes are grey. Alone they would teach that what is grey is no face, so half of their parts
are toned, and cut-outs of coloured photographs of people come beside them: clothes, hands, shoes,
knees. No cut-out touches a label or anything that the teacher or `UNLABELLED` suspects of being a
face. What that list knows to be none, though a detector took it for one, is cut out on purpose.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import expand_boxes
from maskdet.detections import FloatArray
from maskdet.duplicates import group_duplicates, stack_hashes
from maskdet.vision.preprocessing import UInt8Array

PARTS = 4  # of each scene, the whole among them
SHARES = (0.25, 0.9)  # of a scene's sides that the other parts show
TONED = 0.5
APART = 10  # one scene in so many only measures
CUT_OUTS = 2  # of each photograph
SIDES = (96, 400)  # pixels, all octaves alike; the largest faces are as large in a view
TRIES = 40
MARGIN = 0.5  # of a box's sides that a cut-out keeps away from it
AROUND = (1.3, 2.5, 5.0)  # sides of the cut-outs around what is known to be no face, in its longer


def kept_apart(paths: Sequence[Path]) -> frozenset[str]:
    """Returns the names of the scenes that only measure, near-duplicates together."""
    from maskdet.train.data import hash_files

    hashed, _ = hash_files(paths)
    known = list(hashed)
    groups, _ = group_duplicates(stack_hashes(list(hashed.values())), [None] * len(known))
    first: dict[int, str] = {}
    for path, group in zip(known, groups.tolist(), strict=True):
        first.setdefault(group, path.name)
    return frozenset(
        path.name
        for path, group in zip(known, groups.tolist(), strict=True)
        if int(hashlib.sha256(first[group].encode()).hexdigest(), 16) % APART == 0
    )


def parts(scene: UInt8Array, random: np.random.Generator) -> Iterator[UInt8Array]:
    """Yields a scene, (H, W, 3), and parts of it, some of them toned."""
    size = np.array(scene.shape[:2])
    for number in range(PARTS):
        shares = np.ones(2) if number == 0 else random.uniform(*SHARES, 2)
        height, width = (shares * size).astype(int)
        top, left = (random.random(2) * (size - [height, width])).astype(int)
        part = scene[top : top + height, left : left + width]
        yield toned(part, random) if random.random() < TONED else part


def toned(picture: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Gives a grey (H, W, 3) picture colours that go with its lightness, any two for its ends."""
    dark, light = random.integers(0, 110, 3), random.integers(130, 256, 3)
    share = np.linspace(0, 1, 256)[:, np.newaxis]
    # Bent by channel, so that the tones between are not a mixture of the two.
    table = dark + (light - dark) * share ** np.exp(random.uniform(-0.5, 0.5, 3))
    result: UInt8Array = cv2.LUT(picture, table.astype(np.uint8)[np.newaxis])
    return result


def touches(window: NDArray[np.intp], boxes: FloatArray) -> bool:
    """Returns whether a (4,) xyxy window has a pixel in common with one of (N, 4) boxes."""
    inside = (boxes[:, :2] < window[2:]) & (boxes[:, 2:] > window[:2])
    return bool(inside.all(axis=1).any())


def free_windows(
    resolution_wh: tuple[int, int], suspects: FloatArray, random: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Draws square windows in which nothing may be a face, none touching another.

    Args:
        resolution_wh: of the photograph.
        suspects: (N, 4) boxes of faces and of all that may be one, xyxy in its pixels.
        random: decides everything.

    Returns:
        At most `CUT_OUTS` of (4,) xyxy.
    """
    avoided, found = expand_boxes(suspects, MARGIN), []
    low, high = SIDES[0], min(*resolution_wh, SIDES[1])
    for _ in range(TRIES if high > low else 0):
        side = int(np.exp(random.uniform(np.log(low), np.log(high))))
        left, top = random.integers(0, np.array(resolution_wh) - side + 1)
        window = np.array([left, top, left + side, top + side])
        if not touches(window, avoided):
            found.append(window)
            avoided = np.concatenate([avoided, window[np.newaxis].astype(np.float32)])
        if len(found) == CUT_OUTS:
            break
    return found


def windows_around(
    boxes: FloatArray, resolution_wh: tuple[int, int], suspects: FloatArray
) -> Iterator[NDArray[np.intp]]:
    """Yields windows around what is known to be no face, as far as nothing else may be one.

    Args:
        boxes: (M, 4) of what is none, xyxy in pixels.
        resolution_wh: of the photograph.
        suspects: (N, 4) of what may be one.
    """
    for box in boxes:
        middle, longer = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
        for factor in AROUND:
            corners = np.concatenate([middle - longer * factor / 2, middle + longer * factor / 2])
            window = np.clip(corners, 0, np.tile(resolution_wh, 2)).astype(np.intp)
            if not touches(window, suspects):
                yield window
