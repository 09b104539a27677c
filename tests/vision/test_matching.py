"""Who found whom, average precision, and pairs, on cases worked out by hand and by trial."""

from itertools import permutations

import numpy as np
import pytest

from maskdet.vision.matching import average_precision, best_pairs, match_detections


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


def test_pairs_are_the_best_there_are() -> None:
    """Whether rows and columns agree at once or not: as good as any other pairing, by trial."""
    generator = np.random.default_rng(4)
    agreed = 0
    for _ in range(300):
        shape = generator.integers(1, 5, 2)
        affinity = generator.random(shape) * (generator.random(shape) < 0.6)
        pairs = best_pairs(affinity.astype(np.float32))
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        assert all(affinity[pair] > 0 for pair in pairs)
        wide = affinity if shape[0] <= shape[1] else affinity.T
        every = permutations(range(wide.shape[1]), wide.shape[0])
        best = max(sum(wide[row, column] for row, column in enumerate(order)) for order in every)
        assert sum(affinity[pair] for pair in pairs) == pytest.approx(best, abs=1e-5)
        agreed += len(set(affinity.argmax(axis=1))) == len(affinity)
    assert 50 < agreed < 250
