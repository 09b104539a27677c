"""A sheet of the worst mistakes, to see whether the model or the label is wrong."""

from pathlib import Path

import cv2
import numpy as np

from maskdet.detections import FloatArray
from maskdet.train.classifier.dataset import Dataset
from maskdet.vision.preprocessing import UInt8Array

COLUMNS, ROWS = 6, 4
TILE, CAPTION = 150, 34  # pixels
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def write_mistakes(path: Path, dataset: Dataset, probabilities: dict[str, FloatArray]) -> int:
    """Writes the most confident wrong answers of validation and test, worst first.

    Args:
        path: of the PNG to write.
        dataset: the pictures.
        probabilities: part to (N, C).

    Returns:
        How many there are; without any, the sheet says so.
    """
    wrong = [
        (-float(found[index].max()), part, index)
        for part, found in probabilities.items()
        for index in range(len(found))
        if found[index].argmax() != dataset.feeds[part].labels[index]
    ]
    wrong.sort()
    tiles = []
    for against, part, index in wrong[: COLUMNS * ROWS]:
        feed = dataset.feeds[part]
        said = dataset.labels[int(probabilities[part][index].argmax())]
        label = dataset.labels[int(feed.labels[index])]
        view = cv2.cvtColor(feed.plain(index, size=TILE), cv2.COLOR_RGB2BGR)
        tiles.append(_tile(view, f"said {said} {-against:.0%}", f"{part}: {label}"))
    if not tiles:
        blank = np.full((TILE, TILE, 3), 255, np.uint8)
        tiles.append(_tile(blank, "no mistakes", ""))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())
    return len(wrong)


def _tile(view_bgr: UInt8Array, first: str, second: str) -> UInt8Array:
    tile = np.full((TILE + CAPTION, TILE + 4, 3), _WHITE, np.uint8)
    tile[:TILE, 2 : TILE + 2] = view_bgr
    for line, text in enumerate((first, second)):
        place = (4, TILE + 13 + 15 * line)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.37, _BLACK, 1, cv2.LINE_AA)
    return tile
