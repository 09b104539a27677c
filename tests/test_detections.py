"""The container of a frame's faces."""

import json

import numpy as np
import pytest

from maskdet.detections import Detections

LABELS = ("with_mask", "without_mask")


def two_faces() -> Detections:
    """A masked and a bare face."""
    return Detections(
        labels=LABELS,
        xyxy=np.array([[1, 2, 30, 40], [50.128, 2, 60, 20]], np.float32),
        face_scores=np.array([0.9, 0.8], np.float32),
        probabilities=np.array([[0.75, 0.25], [0.125, 0.875]], np.float32),
        logits=np.log(np.array([[0.75, 0.25], [0.125, 0.875]], np.float32)),
    )


def test_labels_and_confidences() -> None:
    """The most probable label of each face, and its probability."""
    faces = two_faces()
    assert faces.predicted_labels == ["with_mask", "without_mask"]
    assert faces.confidences.tolist() == [0.75, 0.875]


def test_records_have_the_fields_of_the_design() -> None:
    """Records are JSON with exactly the documented fields."""
    record = json.loads(json.dumps(two_faces().to_records()))[1]
    assert record == {
        "box": [50.13, 2.0, 60.0, 20.0],
        "face_score": 0.8,
        "label": "without_mask",
        "confidence": 0.875,
        "probabilities": {"with_mask": 0.125, "without_mask": 0.875},
    }


def test_empty_behaves_like_any_other() -> None:
    """No faces: no labels, no records, no error."""
    none = Detections.empty(LABELS)
    assert len(none) == 0
    assert none.predicted_labels == []
    assert none.confidences.shape == (0,)
    assert none.to_records() == []


def test_shape_errors_say_what_was_expected() -> None:
    """A column too few is named, with both shapes."""
    with pytest.raises(ValueError, match=r"probabilities: expected shape \(1, 2\), got \(1, 3\)"):
        Detections(
            LABELS,
            np.zeros((1, 4), np.float32),
            np.zeros(1, np.float32),
            np.zeros((1, 3), np.float32),
            np.zeros((1, 2), np.float32),
        )
    with pytest.raises(ValueError, match="cams"):
        Detections(
            LABELS,
            np.zeros((1, 4), np.float32),
            np.zeros(1, np.float32),
            np.zeros((1, 2), np.float32),
            np.zeros((1, 2), np.float32),
            cams=np.zeros((1, 7, 7, 3), np.float32),
        )
