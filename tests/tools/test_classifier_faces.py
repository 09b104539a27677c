"""Faces for the classifier of three classes: whose label counts, and which are left out."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import classifier_faces
from classifier_faces import IGNORE, read_corrections, street_faces
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A street photograph with two masked faces, a bare one and one of 20 pixels."""
    folder = tmp_path / "detection" / "train"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    cv2.imwrite(str(folder / "images" / "a.png"), np.full((200, 200, 3), 90, np.uint8))
    rows = ("1 .2 .2 .2 .2", "1 .7 .2 .2 .2", "0 .2 .7 .2 .2", "1 .7 .7 .1 .1")
    (folder / "labels" / "a.txt").write_text("\n".join(rows))
    objects = [{"name": "mask_weared_incorrect", "bbox": [121, 20, 160, 61]}]
    entry = {"image": "train/images/a.png", "width": 200, "height": 200, "objects": objects}
    (tmp_path / "detection" / "three_class.json").write_text(json.dumps([entry]))
    return tmp_path


def test_second_labels_know_the_third_class(data: Path) -> None:
    """Where they see a mask worn wrongly it is one; what the annotation said stays known."""
    faces = list(street_faces(data, "train", {}))
    assert [face.label for face in faces] == [MASK_LABEL, INCORRECT_LABEL, NO_MASK_LABEL]
    assert [face.annotated for face in faces] == [MASK_LABEL, MASK_LABEL, NO_MASK_LABEL]
    # The crop has context around the face, as far as the photograph reaches.
    assert faces[0].crop.shape[:2] == pytest.approx((92, 92), abs=1)
    assert faces[0].box == pytest.approx(np.array([20, 20, 60, 60]), abs=1e-3)


def test_corrections_overrule(data: Path) -> None:
    """A corrected face has the label written down, an ignored one is left out."""
    file = "detection/train/images/a.png"
    corrections = {(file, "0"): NO_MASK_LABEL, (file, "1"): MASK_LABEL, (file, "2"): IGNORE}
    faces = street_faces(data, "train", corrections)
    assert [face.label for face in faces] == [NO_MASK_LABEL, MASK_LABEL]


def test_a_correction_without_a_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the file is named, not passed over."""
    file = tmp_path / "corrections.csv"
    file.write_text("file,box,label,reason\na.jpg,0,masked,x\n")
    monkeypatch.setattr(classifier_faces, "CORRECTIONS", file)
    with pytest.raises(ValueError, match=r"a\.jpg: no label 'masked'"):
        read_corrections()
