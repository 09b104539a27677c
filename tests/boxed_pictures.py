"""Made-up boxed pictures for the face trainer's tests: a disc in noise stands for a face."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 128, 96


def made_up_picture(random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draws smooth noise with one bright disc with eyes, and returns its (1, 4) box in pixels."""
    coarse = random.integers(0, 180, (9, 12, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    radius = int(random.integers(12, 26))
    x, y = (int(random.integers(radius, side - radius)) for side in (WIDTH, HEIGHT))
    cv2.circle(picture, (x, y), radius, (150, 190, 255), -1)
    for side in (-1, 1):
        cv2.circle(
            picture, (x + side * radius // 2, y - radius // 3), radius // 6, (20, 20, 20), -1
        )
    box = np.array([[x - radius, y - radius, x + radius, y + radius]], np.float32)
    return picture, box


def write_boxed(folder: Path, count: int, *, empty: int = 0, seed: int = 0) -> Path:
    """Writes ``images/`` and YOLO ``labels/``; the last `empty` pictures are said to have none."""
    random = np.random.default_rng(seed)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        picture, boxes = made_up_picture(random)
        left, top, right, bottom = (boxes[0] / [WIDTH, HEIGHT, WIDTH, HEIGHT]).tolist()
        line = f"0 {(left + right) / 2} {(top + bottom) / 2} {right - left} {bottom - top}\n"
        if number >= count - empty:
            picture, line = picture[::-1] // 2, ""
        cv2.imwrite(str(folder / "images" / f"{number:03d}.png"), picture)
        (folder / "labels" / f"{number:03d}.txt").write_text(line, encoding="utf-8")
    return folder
