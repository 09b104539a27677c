"""A sheet of the photographs with the most mistakes."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from maskdet.boxes import UInt8Array
from maskdet.detections import FloatArray
from maskdet.evaluate.judging import UNSEEN, Judged
from maskdet.media.drawing import GREEN, RED, YELLOW, draw_text
from maskdet.media.grid import Grid
from maskdet.media.inputs.decoding import read_picture
from maskdet.wording import label_text

MOST = 12
_WIDTH = 640  # pixels that a photograph is drawn at: more than its place on the sheet
_FALSE = (200, 0, 200)  # BGR


def write_worst(
    path: Path,
    paths: Sequence[Path],
    judged: Sequence[Judged],
    threshold: float,
    names: Sequence[str],
) -> None:
    """Draws green what is right, red a wrong label, yellow a missed face, purple a false one.

    Args:
        path: of the sheet.
        paths: of the photographs.
        judged: what was found in them.
        threshold: score from which on a detection counts.
        names: the labels.

    Raises:
        OutputError: it cannot be written.
    """
    mistakes = [_mistakes(photo, threshold) for photo in judged]
    grid = Grid(path)
    for index in sorted(range(len(judged)), key=lambda index: -mistakes[index])[:MOST]:
        if mistakes[index] or index == 0:
            image = _draw(read_picture(paths[index]), judged[index], threshold, names)
            grid.add(f"{mistakes[index]} {paths[index].name}", image)
    if not any(mistakes):
        grid.add("no mistakes", np.full((240, 320, 3), 255, np.uint8))
    grid.flush()


def _mistakes(photo: Judged, threshold: float) -> int:
    seen = (photo.found_at >= threshold) & (photo.found_as != UNSEEN)
    false = (photo.scores >= threshold) & ~photo.hits[0]
    return int((~seen).sum() + (seen & (photo.found_as != photo.labels)).sum() + false.sum())


def _draw(image: UInt8Array, photo: Judged, threshold: float, names: Sequence[str]) -> UInt8Array:
    scale = _WIDTH / image.shape[1]
    drawn = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for face, label, score, said in zip(
        photo.faces, photo.labels, photo.found_at, photo.found_as, strict=True
    ):
        if score < threshold or said == UNSEEN:
            _box(drawn, face * scale, YELLOW, "missed")
        elif said != label:
            _box(drawn, face * scale, RED, f"said {label_text(names[said])}")
        else:
            _box(drawn, face * scale, GREEN, "")
    for box, score, hit in zip(photo.xyxy, photo.scores, photo.hits[0], strict=True):
        if score >= threshold and not hit:
            _box(drawn, box * scale, _FALSE, "no face")
    return np.asarray(drawn, np.uint8)


def _box(image: UInt8Array, box: FloatArray, colour: tuple[int, int, int], text: str) -> None:
    left, top, right, bottom = (round(float(side)) for side in box)
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2)
    if text:
        draw_text(image, text, (left, top), colour, 0.4)
