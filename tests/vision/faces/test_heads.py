"""Frames squashed and head maps decoded, on cases worked out by hand."""

import math

import numpy as np
import pytest

from maskdet.vision.faces.heads import SsdHeads, halved, squash
from maskdet.vision.faces.prior_boxes import PriorBoxSpec

# One map of 1 x 2 cells, two square priors a cell: sides 10 and sqrt(10 * 40) = 20.
SPEC = PriorBoxSpec(
    steps=(20,), sizes=((10, 40),), aspect_ratios=((),), variances=(0.1, 0.1, 0.2, 0.2)
)


def heads(evidence: list[float], offsets: list[list[float]] | None = None) -> dict[str, np.ndarray]:
    """Head maps with this evidence for a face and these offsets, one a prior."""
    conf = np.zeros((1, 1, 2, 2, 2), np.float32)
    conf.reshape(-1, 2)[:, 1] = evidence
    loc = np.zeros((1, 1, 2, 2, 4), np.float32)
    if offsets is not None:
        loc.reshape(-1, 4)[:] = offsets
    return {"conf_0": conf.reshape(1, 1, 2, 4), "loc_0": loc.reshape(1, 1, 2, 8)}


def test_decoding_by_hand() -> None:
    """Evidence ln 3 is a score of 3/4; offset 1 shifts by a tenth of the prior, ln 2 / 0.2 doubles.

    The second cell's large prior is centred on (30, 10): 2 to the right, and twice as high.
    """
    decoder = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45)
    offsets = [[0.0] * 4] * 3 + [[1.0, 0.0, 0.0, math.log(2) / 0.2]]
    xyxy, scores = decoder.boxes(heads([-9, -9, -9, math.log(3)], offsets), 0.5)
    np.testing.assert_allclose(xyxy, [[22, -10, 42, 30]], atol=1e-4)
    np.testing.assert_allclose(scores, [0.75], rtol=1e-6)


def test_the_better_of_overlapping_boxes_stays_and_the_order_is_by_score() -> None:
    """A prior of 10 within one of 20 overlaps it by a quarter: both stay; at 0.2 one goes."""
    found = heads([1.0, 2.0, 3.0, -9.0])
    xyxy, scores = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45).boxes(found, 0.5)
    np.testing.assert_allclose(xyxy, [[25, 5, 35, 15], [0, 0, 20, 20], [5, 5, 15, 15]])
    assert np.all(np.diff(scores) < 0)
    assert len(SsdHeads(SPEC, [(1, 2)], nms_threshold=0.2).boxes(found, 0.5)[0]) == 2


def test_weaker_boxes_of_a_face_have_a_say_in_where_it_is() -> None:
    """The mean of two boxes, weighted by their scores of .8 and .6, whatever the confidence.

    The best is the first cell's large prior. The second cell's, moved 18 to the left, overlaps it
    by 18 of 22. So does the first cell's small one, made as large, but its score is too low.
    """
    offsets = [[-2.0, 0, math.log(2) / 0.2, math.log(2) / 0.2], [0.0] * 4, [0.0] * 4]
    offsets.append([-9.0, 0.0, 0.0, 0.0])
    found = heads([0.0, math.log(4), -9.0, math.log(1.5)], offsets)
    for confidence in (0.1, 0.5, 0.7):
        decoder = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45, box_voting=True)
        xyxy, scores = decoder.boxes(found, confidence)
        shift = 2 * 0.6 / 1.4
        np.testing.assert_allclose(xyxy, [[shift, 0, 20 + shift, 20]], atol=1e-4)
        np.testing.assert_allclose(scores, [0.8], rtol=1e-6)
    alone = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45).boxes(found, 0.5)[0]
    np.testing.assert_allclose(alone, [[0, 0, 20, 20]], atol=1e-4)


def test_a_box_without_end_spoils_no_other() -> None:
    """Offsets may overflow; the face beside it is where it was."""
    offsets = [[0.0] * 4, [0.0] * 4, [0.0] * 4, [0.0, 0.0, 1e4, 1e4]]
    decoder = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45, box_voting=True)
    xyxy, _ = decoder.boxes(heads([-9.0, 3.0, -9.0, 2.0], offsets), 0.5)
    np.testing.assert_allclose(xyxy[0], [0, 0, 20, 20], atol=1e-4)


def test_each_of_two_faces_has_its_own_say() -> None:
    """Boxes that do not overlap stay where they are; nobody votes for what is no face."""
    decoder = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.45, box_voting=True)
    xyxy, _ = decoder.boxes(heads([-9.0, 2.0, -9.0, 1.0]), 0.5)
    np.testing.assert_allclose(xyxy, [[0, 0, 20, 20], [20, 0, 40, 20]], atol=1e-4)
    assert decoder.boxes(heads([-9.0] * 4), 0.5)[0].shape == (0, 4)


@pytest.mark.parametrize(("confidence", "count"), [(0.0, 2), (0.5, 2), (0.9, 1), (1.0, 0)])
def test_confidence_is_a_threshold_on_the_score(confidence: float, count: int) -> None:
    """At 0 the best of each cell comes back, at 1 none does; nothing overflows on the way."""
    decoder = SsdHeads(SPEC, [(1, 2)], nms_threshold=0.1)
    assert len(decoder.boxes(heads([0.0, -200.0, 200.0, 1.0]), confidence)[0]) == count


def test_halving_means_over_four_and_stops_in_time() -> None:
    """A checkerboard of 0 and 200 becomes even grey; 40 x 30 at size 15 is halved once."""
    board = np.indices((30, 40)).sum(axis=0) % 2 * 200
    picture = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    small = halved(picture, 15)
    assert small.shape == (15, 20, 3)
    assert np.all(small == 100)
    assert halved(picture, 16) is picture
    assert halved(picture[:, :39], 15).shape == (15, 19, 3)


def test_squashing_gives_the_square() -> None:
    """Whatever the frame, halved or not; the frame stays as it was."""
    frame = np.full((90, 200, 3), 7, np.uint8)
    for halve in (True, False):
        assert squash(frame, 40, halve=halve).shape == (40, 40, 3)
    assert np.all(frame == 7)
