"""Labels of street photographs with the faces that they leave out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import completed_labels
from completed_labels import BOXES, CLASSES, IGNORED, MAPPING, write_completed
from maskdet.annotations import read_annotations
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL


def test_added_and_ignored_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes in pixels join those in shares, under the names that `evaluate` is told of."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(images / f"{name}.png"), np.zeros((100, 200, 3), np.uint8))
        (labels / f"{name}.txt").write_text("0 0.5 0.5 0.1 0.2\n")
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(
        "photograph,label,left,top,right,bottom\n"
        "a.png,with_mask,20,10,40,50\na.png,ignore,100,0,120,20\n"
    )
    monkeypatch.setattr(completed_labels, "BOXES", boxes)
    write_completed(images, labels, tmp_path / "made")
    first, second = read_annotations(images, tmp_path / "made", "yolo").photographs
    assert first.labels == ("0", "1", "2")
    assert first.xyxy(200, 100)[1:] == pytest.approx(
        np.array([[20, 10, 40, 50], [100, 0, 120, 20]]), abs=0.01
    )
    assert second.labels == ("0",)
    assert [MAPPING[number] or IGNORED for number in first.labels] == list(CLASSES)


def test_the_file_names_known_labels() -> None:
    """Every line has a label that is measured, and a box."""
    lines = BOXES.read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) > 90
    for line in lines:
        _, label, *sides = line.rsplit(",", 5)
        left, top, right, bottom = map(int, sides)
        assert label in {MASK_LABEL, NO_MASK_LABEL, IGNORED}
        assert left < right
        assert top < bottom
