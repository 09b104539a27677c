"""The multibox loss and what prior boxes are taught, on cases worked out by hand."""

import math

import numpy as np
import pytest

from maskdet.train.faces.feed import prior_targets
from maskdet.train.faces.loss import (
    BACKGROUND,
    FACE,
    FEWEST_NEGATIVES,
    IGNORED,
    multibox_loss,
)
from maskdet.train.faces.measure import FaceOutcome
from maskdet.vision.faces.prior_boxes import decode, to_cxcywh

VARIANCES = (0.1, 0.1, 0.2, 0.2)


def losses(
    differences: list[float], kinds: list[int], distances: list[float] | None = None
) -> tuple[float, float]:
    """The loss of one picture, given each prior's evidence for a face and its offset error."""
    count = len(kinds)
    logits = np.zeros((1, count, 2), np.float32)
    logits[0, :, 1] = differences
    offsets = np.zeros((1, count, 4), np.float32)
    offsets[0, :, 2] = distances or [0.0] * count
    scoring, placing = multibox_loss(
        logits, offsets, np.array([kinds], np.int32), np.zeros_like(offsets)
    )
    return float(scoring), float(placing)


def test_cross_entropy_by_hand() -> None:
    """A face at evidence 0 costs ln 2, background at evidence ln 3 costs ln 4."""
    scoring, placing = losses([0.0, math.log(3)], [FACE, BACKGROUND])
    assert scoring == pytest.approx(math.log(2) + math.log(4), rel=1e-5)
    assert placing == 0


def test_the_most_wrong_background_counts_and_the_rest_does_not() -> None:
    """Three for each face, but no fewer than the least: of 40, the 27 that nine faces ask for."""
    faces, background = 9, 40
    wrong = list(np.linspace(2, -2, background))
    scoring, _ = losses([9.0] * faces + wrong, [FACE] * faces + [BACKGROUND] * background)
    hardest = sum(math.log1p(math.exp(value)) for value in wrong[: 3 * faces])
    assert 3 * faces > FEWEST_NEGATIVES
    assert scoring == pytest.approx((hardest + faces * math.log1p(math.exp(-9))) / faces, rel=1e-4)


def test_a_picture_without_faces_teaches_background() -> None:
    """The fewest negatives, at ln 2 each, divided by one instead of by no faces."""
    scoring, placing = losses([0.0] + [-30.0] * 60, [BACKGROUND] * 61)
    assert scoring == pytest.approx(math.log(2), rel=1e-4)
    assert placing == 0


def test_ignored_priors_cost_nothing() -> None:
    """However sure the network is of a face there."""
    assert losses([0.0, 50.0], [FACE, IGNORED], [0.0, 3.0]) == losses([0.0], [FACE])


def test_smooth_l1_by_hand() -> None:
    """0.5 x^2 up to 1, then x - 0.5: 0.125 and 1.5 over two faces; background does not count."""
    _, placing = losses([0.0] * 3, [FACE, FACE, BACKGROUND], [0.5, -2.0, 7.0])
    assert placing == pytest.approx((0.125 + 1.5) / 2)


def test_targets_lead_back_to_the_face() -> None:
    """The prior on a face learns offsets that decode to it; a far prior is background."""
    priors = to_cxcywh(np.array([[10, 10, 30, 30], [60, 60, 80, 80]], np.float32))
    face = np.array([[12, 9, 31, 33]], np.float32)
    kinds, targets = prior_targets(face, priors, VARIANCES)
    assert kinds.tolist() == [FACE, BACKGROUND]
    np.testing.assert_allclose(decode(targets[:1], priors[:1], VARIANCES), face, atol=1e-4)
    assert not targets[1].any()


def test_a_face_too_small_to_see_is_neither_taught_nor_held_against() -> None:
    """Five pixels: its prior is ignored, and so it stays when another face is near."""
    priors = to_cxcywh(np.array([[10, 10, 18, 18], [40, 40, 60, 60]], np.float32))
    faces = np.array([[11, 11, 16, 16], [40, 40, 60, 60]], np.float32)
    assert prior_targets(faces, priors, VARIANCES)[0].tolist() == [IGNORED, FACE]
    assert prior_targets(faces[:1], priors, VARIANCES)[0].tolist() == [IGNORED, BACKGROUND]


def test_what_is_to_be_ignored_is_neither_taught_nor_held_against() -> None:
    """Priors on it learn nothing, a face beside it is learnt, what is far stays background."""
    priors = to_cxcywh(np.array([[10, 10, 30, 30], [14, 10, 34, 30], [60, 60, 80, 80]], np.float32))
    face = np.array([[15, 10, 35, 30]], np.float32)
    ignored = np.array([[8, 10, 28, 30]], np.float32)
    alone = prior_targets(face[:0], priors, VARIANCES, ignored)[0]
    assert alone.tolist() == [IGNORED, IGNORED, BACKGROUND]
    beside = prior_targets(face, priors, VARIANCES, ignored)[0]
    assert beside.tolist()[1:] == [FACE, BACKGROUND]


def test_finding_what_is_to_be_ignored_is_neither_right_nor_wrong() -> None:
    """Of three detections one is the face, one the ignored box: precision is one in two."""
    face, ignored, elsewhere = ([[x, 0, x + 10, 10]] for x in (0, 20, 40))
    boxes = [np.array(box, np.float32) for box in (face, ignored, elsewhere)]
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    outcome = FaceOutcome.of(np.concatenate(boxes), scores, boxes[0], boxes[1])
    assert outcome.scores.tolist() == pytest.approx([0.9, 0.7])
    assert outcome.hits.tolist() == [True, False]
    assert FaceOutcome.of(np.concatenate(boxes), scores, boxes[0]).precision(0.5) == pytest.approx(
        1 / 3
    )


def test_targets_of_a_view_without_faces() -> None:
    """All background."""
    priors = np.array([[5, 5, 8, 8]], np.float32)
    kinds, targets = prior_targets(np.zeros((0, 4), np.float32), priors, VARIANCES)
    assert kinds.tolist() == [BACKGROUND]
    assert targets.shape == (1, 4)
