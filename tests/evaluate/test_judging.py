"""Who found whom, and what it adds up to, on cases worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from maskdet.detections import Detections, FloatArray
from maskdet.evaluate.judging import UNSEEN, Judged, count, judge, precisions
from maskdet.evaluate.photographs import said_table
from maskdet.vision.matching import OVERLAPS, average_precision, match_detections

NAMES = ("with_mask", "without_mask")


def found(*rows: tuple[float, float, float, float, float, float]) -> Detections:
    """Returns detections from left, top, right, bottom, face score, probability of a mask."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    masked = table[:, 5]
    probabilities = np.stack([masked, 1 - masked], axis=1)
    return Detections(NAMES, table[:, :4], table[:, 4], probabilities, probabilities)


FACES = np.array([[0, 0, 10, 10], [50, 50, 60, 90], [80, 0, 90, 10]], np.float32)


@pytest.fixture
def judged() -> Judged:
    """A hit with the right label, one with the wrong one, a false face, a missed face."""
    detections = found(
        (0, 0, 10, 10, 0.9, 0.8), (50, 50, 60, 90, 0.6, 0.3), (30, 30, 40, 40, 0.4, 0.9)
    )
    return judge(detections, FACES, [0, 0, 1], 5.0)


def test_average_precision_of_a_known_curve() -> None:
    """Hit, miss, hit, hit of five: 1/5 at 1, then 2/5 at 3/4, the best precision from there on."""
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    hits = np.array([True, False, True, True])
    assert average_precision(scores, hits, 5) == pytest.approx(1 / 5 + 2 / 5 * 3 / 4)
    assert np.isnan(average_precision(scores, hits, 0))
    assert average_precision(scores[:0], hits[:0], 3) == 0


def simple_average_precision(
    photographs: list[tuple[FloatArray, FloatArray, FloatArray]], overlap: float
) -> float:
    """Average precision as one would write it down first: detections, scores, faces a picture."""

    def shared(a: FloatArray, b: FloatArray) -> float:
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        both = max(0.0, width) * max(0.0, height)
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
        return float(both / (sum(areas) - both))

    marks = []
    for boxes, scores, faces in photographs:
        left = list(range(len(faces)))
        for index in np.argsort(-scores):
            overlaps = [(shared(boxes[index], faces[face]), face) for face in left]
            most, best = max(overlaps, default=(0.0, -1))
            hit = most >= overlap
            if hit:
                left.remove(best)
            marks.append((float(scores[index]), hit))
    marks.sort(reverse=True)
    total = sum(len(faces) for _, _, faces in photographs)
    precisions_at = [
        sum(hit for _, hit in marks[: rank + 1]) / (rank + 1) for rank in range(len(marks))
    ]
    return sum(max(precisions_at[rank:]) for rank, (_, hit) in enumerate(marks) if hit) / total


def test_average_precision_of_random_pictures() -> None:
    """The same as worked out box by box, at every overlap; boxes crowd so that they compete.

    So for pictures of which some were drawn several times, others never.
    """
    random = np.random.default_rng(3)
    photographs, judged = [], []
    for _ in range(12):
        faces = random.uniform(0, 60, (random.integers(0, 7), 4)).astype(np.float32)
        faces[:, 2:] = faces[:, :2] + random.uniform(10, 40, (len(faces), 2))
        copies = np.repeat(faces, 2, axis=0) + random.normal(0, 3, (2 * len(faces), 4))
        strays = random.uniform(0, 30, (4, 4)) + np.array([0, 0, 40, 40])
        boxes = np.concatenate([copies, strays]).astype(np.float32)
        scores = np.sort(random.random(len(boxes)))[::-1].astype(np.float32)
        photographs.append((boxes, scores, faces))
        shares = np.tile(np.array([1, 0], np.float32), (len(boxes), 1))
        detections = Detections(NAMES, boxes, scores, shares, shares)
        judged.append(judge(detections, faces, [0] * len(faces), 1.0))
    draws = (np.arange(12), random.integers(0, 12, 12))
    times = np.stack([np.bincount(drawn, minlength=12) for drawn in draws])
    figures = precisions(judged, NAMES, times)
    for number, drawn in enumerate(draws):
        pictures = [photographs[index] for index in drawn]
        expected = [simple_average_precision(pictures, overlap) for overlap in OVERLAPS]
        assert 0.2 < expected[0] < 0.9
        for name in ("face", "with_mask", "mean"):
            assert figures[f"{name}_ap50"][number] == pytest.approx(expected[0], abs=1e-6)
            assert figures[f"{name}_ap"][number] == pytest.approx(np.mean(expected), abs=1e-6)
    assert figures["face_ap"][0] != figures["face_ap"][1]


def test_overlap_decides() -> None:
    """A box that covers 60% is a hit at 0.5 and none at 0.75; a face is found once."""
    box = np.array([[0, 0, 10, 6], [0, 0, 10, 6]], np.float32)
    assert match_detections(box, FACES[:1]).tolist() == [0, -1]
    assert match_detections(box, FACES[:1], 0.75).tolist() == [-1, -1]


def test_mistakes_are_counted_apart(judged: Judged) -> None:
    """Missed, false and wrongly labelled faces are three different things."""
    counts = count([judged], 0.3)
    assert (counts.faces, counts.right, counts.wrong, counts.missed, counts.false) == (
        3,
        1,
        1,
        1,
        1,
    )
    assert counts.precision == pytest.approx(1 / 3)
    assert counts.recall == pytest.approx(1 / 3)
    assert counts.face_precision == pytest.approx(2 / 3)
    assert counts.label_accuracy == 0.5
    assert judged.found_as.tolist() == [0, 1, UNSEEN]


def test_what_is_taken_for_what(judged: Judged) -> None:
    """A row a true class; faces missed, or found below the threshold, are in none."""
    names = (*NAMES, "mask_worn_incorrectly")
    third = replace(judged, found_as=np.array([0, 2, UNSEEN]))
    table = said_table([judged, third], 0.5, names)
    assert table.rows == (
        ("with_mask", 2, 1, 1),
        ("without_mask", 0, 0, 0),
        ("mask_worn_incorrectly", 0, 0, 0),
    )
    assert said_table([judged], 0.7, names).rows[0] == ("with_mask", 1, 0, 0)


def test_threshold_leaves_out(judged: Judged) -> None:
    """Above the threshold only the first detection is left."""
    counts = count([judged], 0.7)
    assert (counts.right, counts.wrong, counts.missed, counts.false) == (1, 0, 2, 0)
    tall = count([judged], 0.3, lambda photo: photo.heights > 20)
    assert (tall.faces, tall.wrong, tall.false) == (1, 1, 0)


def test_faces_that_do_not_count() -> None:
    """A detection of a face of another class is neither right nor wrong."""
    detections = found((0, 0, 10, 10, 0.9, 0.8), (80, 0, 90, 10, 0.8, 0.8))
    photo = judge(detections, FACES, [0, None, None], 1.0)
    counts = count([photo], 0.5)
    assert (counts.faces, counts.right, counts.false) == (1, 1, 0)


def test_precisions_by_class(judged: Judged) -> None:
    """A wrong label is a false alarm of one class and a miss of the other."""
    figures = precisions([judged], NAMES, np.ones((1, 1), int))
    assert figures["face_ap50"] == pytest.approx(2 / 3)
    assert figures["with_mask_ap50"] == pytest.approx(1 / 2)
    assert figures["without_mask_ap50"] == 0
    assert figures["mean_ap50"] == pytest.approx(1 / 4)
    assert figures["with_mask_ap"] == pytest.approx(1 / 2)


def test_a_photograph_without_faces_or_finds() -> None:
    """Nothing there and nothing found is no error."""
    empty = judge(Detections.empty(NAMES), FACES[:0], [], 1.0)
    assert count([empty], 0.5).faces == 0
    assert count([judge(Detections.empty(NAMES), FACES, [0, 0, 1], 1.0)], 0.5).missed == 3


def test_a_face_that_counts_is_found_beside_one_that_does_not() -> None:
    """A box upon a labelled face is a hit, though it covers one that is not to count, too."""
    faces = np.array([[0, 0, 10, 10], [0, 1, 10, 11]], np.float32)
    judged = judge(found((0, 0, 10, 10, 0.9, 0.8)), faces, [0, None], 1.0)
    figures = count([judged], 0.5)
    assert (figures.faces, figures.missed) == (1, 0)
