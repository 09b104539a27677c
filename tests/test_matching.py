"""Who found whom, and average precision, on cases worked out by hand."""

import numpy as np
import pytest

from maskdet.vision.matching import average_precision, match_detections


def test_average_precision_by_hand() -> None:
    """Hit, miss, hit of four faces: a quarter at precision 1, a quarter at 2/3."""
    scores = np.array([0.3, 0.9, 0.6], np.float32)
    hits = np.array([True, True, False])
    assert average_precision(scores, hits, 4) == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)


def test_a_later_better_precision_lifts_an_earlier_one() -> None:
    """Miss, hit, hit: both recalls count with 2/3, the best precision from there on."""
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    hits = np.array([False, True, True])
    assert average_precision(scores, hits, 2) == pytest.approx(2 / 3)


def test_no_detections_have_no_average_precision() -> None:
    """Nothing found is 0, not an error."""
    assert average_precision(np.zeros(0, np.float32), np.zeros(0, bool), 3) == 0


def test_a_face_is_found_once() -> None:
    """The better of two detections of a face is the hit, the other a false alarm."""
    faces = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    found = np.array([[0, 0, 10, 9], [0, 0, 9, 10], [51, 50, 61, 60], [80, 80, 90, 90]], np.float32)
    assert match_detections(found, faces).tolist() == [0, -1, 1, -1]
    assert match_detections(found, faces[:0]).tolist() == [-1, -1, -1, -1]
