"""The table of answers and the sheet of mistakes."""

import csv
from pathlib import Path

import cv2
import numpy as np

from maskdet.boxes import UInt8Array
from maskdet.results.mistakes import CAPTION, TILE, Shown, write_mistakes
from maskdet.results.predictions import Answered, write_predictions

ANSWERED = Answered(
    "int8",
    "val",
    [Path("with_mask/a.jpg"), Path("with_mask/b.jpg"), Path("without_mask/c.jpg")],
    np.array([0, 1, 1]),
    np.array([0, 0, 1]),
    np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32),
)
NAMES = ("with_mask", "without_mask")


def test_a_row_for_each_answer(tmp_path: Path) -> None:
    """File, group, part, label, network, answer and probabilities."""
    write_predictions(tmp_path / "p.csv", [ANSWERED], NAMES)
    with (tmp_path / "p.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["answer"] for row in rows] == ["with_mask", "without_mask", "with_mask"]
    assert rows[1] == {
        "file": "with_mask/b.jpg", "group": "1", "split": "val", "label": "with_mask",
        "network": "int8", "answer": "without_mask", "with_mask": "0.200000",
        "without_mask": "0.800000",
    }  # fmt: skip


def test_the_worst_mistake_comes_first(tmp_path: Path) -> None:
    """Two mistakes: the picture of b before that of c, each with a caption below it."""

    def view(index: int, side: int) -> UInt8Array:
        return np.full((side, side, 3), 50 * index, np.uint8)

    assert write_mistakes(tmp_path / "m.png", [Shown(ANSWERED, view)], NAMES) == 2
    sheet = cv2.imread(str(tmp_path / "m.png"))
    assert sheet.shape == (TILE + CAPTION, 6 * (TILE + 4), 3)
    assert sheet[TILE // 2, TILE // 2].tolist() == [50, 50, 50]
    assert sheet[TILE // 2, TILE + 4 + TILE // 2].tolist() == [100, 100, 100]
    for row in range(3):  # the file's name, what was said, what is right
        line = sheet[TILE + 2 + 15 * row : TILE + 17 + 15 * row, : TILE + 4]
        assert line.min() < 100
    assert sheet[:, 2 * (TILE + 4) :].min() == 255


def test_without_mistakes_the_sheet_says_so(tmp_path: Path) -> None:
    """A blank tile with words, no view asked for."""
    right = Answered("int8", "", [Path("a")], np.zeros(1, int), np.zeros(1, int), np.ones((1, 1)))

    def view(_: int, __: int) -> UInt8Array:
        raise AssertionError

    assert write_mistakes(tmp_path / "m.png", [Shown(right, view)], NAMES) == 0
    assert cv2.imread(str(tmp_path / "m.png")).min() < 100
