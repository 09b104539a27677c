"""Reading boxed photographs."""

from pathlib import Path

import pytest

from maskdet.annotations import read_yolo
from maskdet.errors import DatasetError


def test_yolo_boxes_worked_out(tmp_path: Path) -> None:
    """Centre and size in shares become corners in pixels; other classes are left out."""
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "unlabelled.jpg").write_bytes(b"")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.2 0.2\n\n7 0 0 1 1\n")
    (photograph,) = read_yolo(tmp_path, tmp_path, {0: "without_mask", 1: "with_mask"})
    assert photograph.labels == ("with_mask", "without_mask")
    pixels = photograph.xyxy(200, 100)
    assert pixels[0] == pytest.approx([80, 30, 120, 70])
    assert pixels[1] == pytest.approx([0, 10, 40, 30])


def test_yolo_errors_name_file_and_line(tmp_path: Path) -> None:
    """A line of another shape is pointed at."""
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n1 0.5 0.5\n")
    with pytest.raises(DatasetError, match=r"a\.txt:2: expected 'class cx cy w h'"):
        list(read_yolo(tmp_path, tmp_path, {1: "with_mask"}))
    with pytest.raises(DatasetError, match="no such folder"):
        list(read_yolo(tmp_path / "none", tmp_path, {}))
