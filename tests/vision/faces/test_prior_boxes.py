"""Prior boxes and box arithmetic, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from maskdet.assets import bundled
from maskdet.boxes import intersection_over_union
from maskdet.vision.faces.card import read_face_card
from maskdet.vision.faces.prior_boxes import (
    BACKGROUND,
    PriorBoxSpec,
    decode,
    encode,
    match,
    non_maximum_suppression,
    prior_boxes,
    to_cxcywh,
    to_xyxy,
)

VARIANCES = (0.1, 0.1, 0.2, 0.2)
RES10 = PriorBoxSpec(
    steps=(8, 16, 32, 64, 100, 300),
    sizes=((30, 60), (60, 111), (111, 162), (162, 213), (213, 264), (264, 315)),
    aspect_ratios=((2,), (2, 3), (2, 3), (2, 3), (2,), (2,)),
    variances=VARIANCES,
)
RES10_MAPS = [(38, 38), (19, 19), (10, 10), (5, 5), (5, 5), (5, 5)]


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    """Returns rows as (N, 4) float32."""
    return np.array(rows, np.float32).reshape(-1, 4)


def test_a_map_starts_with_the_priors_of_its_first_cell() -> None:
    """The first cell's centre is half a step in; min, sqrt(min max), ratio 2, ratio 1/2."""
    priors = prior_boxes(RES10, RES10_MAPS)
    wide, narrow = 30 * math.sqrt(2), 30 / math.sqrt(2)
    mean = math.sqrt(30 * 60)
    expected = boxes((4, 4, 30, 30), (4, 4, mean, mean), (4, 4, wide, narrow), (4, 4, narrow, wide))
    np.testing.assert_allclose(priors[:4], expected, rtol=1e-6)


def test_priors_follow_columns_then_rows_then_maps() -> None:
    """The second cell is one step to the right, the second row one down, the next map last."""
    priors = prior_boxes(RES10, RES10_MAPS)
    np.testing.assert_array_equal(priors[4, :2], [12, 4])
    np.testing.assert_array_equal(priors[38 * 4, :2], [4, 12])
    np.testing.assert_array_equal(priors[38 * 38 * 4], [8, 8, 60, 60])
    np.testing.assert_allclose(priors[38 * 38 * 4 + 4, 2:], [60 * 3**0.5, 60 / 3**0.5], rtol=1e-6)
    # 4 x (38² + 5² + 5²) + 6 x (19² + 10² + 5²)
    assert priors.shape == (8892, 4)
    assert priors.dtype == np.float32


def test_priors_follow_the_maps_of_another_input_size() -> None:
    """At twice the input there are more cells, of the same size and distance."""
    larger = prior_boxes(RES10, [(75, 75), (38, 38), (19, 19), (10, 10), (10, 10), (10, 10)])
    np.testing.assert_array_equal(larger[:4], prior_boxes(RES10, RES10_MAPS)[:4])
    np.testing.assert_array_equal(larger[(75 * 75 - 1) * 4, :2], [596, 596])


def test_a_wrong_number_of_maps_is_refused() -> None:
    """The message says what was expected and what came."""
    with pytest.raises(ValueError, match="expected 6 map shapes, got 1"):
        prior_boxes(RES10, [(38, 38)])
    with pytest.raises(ValueError, match="2 steps, 1 sizes"):
        PriorBoxSpec(steps=(8, 16), sizes=((30, 60),), aspect_ratios=((2,),), variances=VARIANCES)


def test_a_spec_survives_its_card() -> None:
    """What the public network's card says in JSON's lists and numbers comes back equal."""
    card = read_face_card(bundled("face_detector/original/ssd_res10.json"))
    assert card.prior_boxes == RES10


def test_decoding_by_hand() -> None:
    """Half a variance of shift is 5% of the prior; ln 2 over the variance doubles a side."""
    prior = boxes((100, 50, 40, 20))
    offsets = boxes((0.5, -1, math.log(2) / 0.2, 0))
    # centre 100 + 0.5·0.1·40 = 102, 50 - 1·0.1·20 = 48; width 80, height 20
    np.testing.assert_allclose(decode(offsets, prior, VARIANCES), boxes((62, 38, 142, 58)))


def test_no_offset_is_the_prior_itself() -> None:
    """Decoding zeros gives the prior's corners."""
    prior = boxes((100, 50, 40, 20))
    decoded = decode(np.zeros((1, 4), np.float32), prior, VARIANCES)
    np.testing.assert_array_equal(decoded, boxes((80, 40, 120, 60)))


def test_encoding_is_undone_by_decoding() -> None:
    """Random boxes come back, and the inputs are left as they were."""
    random = np.random.default_rng(7)
    corners = random.uniform(0, 200, (50, 2))
    xyxy = np.concatenate([corners, corners + random.uniform(5, 100, (50, 2))], 1)
    xyxy = xyxy.astype(np.float32)
    priors = prior_boxes(RES10, RES10_MAPS)[random.integers(0, 8892, 50)]
    before = xyxy.copy(), priors.copy()
    offsets = encode(xyxy, priors, VARIANCES)
    np.testing.assert_allclose(decode(offsets, priors, VARIANCES), xyxy, atol=1e-3)
    np.testing.assert_array_equal(xyxy, before[0])
    np.testing.assert_array_equal(priors, before[1])


def test_corners_and_centres_convert_both_ways() -> None:
    """10..30 by 20..60 has its centre at 20, 40."""
    np.testing.assert_array_equal(to_cxcywh(boxes((10, 20, 30, 60))), boxes((20, 40, 20, 40)))
    np.testing.assert_array_equal(to_xyxy(boxes((20, 40, 20, 40))), boxes((10, 20, 30, 60)))


def test_intersection_over_union_by_hand() -> None:
    """Equal, half overlapping (50 of 150), touching, and empty boxes."""
    one = boxes((0, 0, 10, 10), (3, 3, 3, 3))
    others = boxes((0, 0, 10, 10), (5, 0, 15, 10), (10, 0, 20, 10), (3, 3, 3, 3))
    np.testing.assert_allclose(
        intersection_over_union(one, others), [[1, 1 / 3, 0, 0], [0, 0, 0, 0]], rtol=1e-6
    )


def test_every_face_gets_a_prior_even_below_the_threshold() -> None:
    """A small face keeps its best prior; a large one also gets every prior over the threshold."""
    priors = to_cxcywh(boxes((0, 0, 10, 10), (2, 0, 12, 10), (50, 50, 60, 60), (80, 80, 90, 90)))
    faces = boxes((0, 0, 10, 10), (50, 50, 54, 54))
    # IoU of prior 1 with face 0 is 80/120; of prior 2 with face 1 16/100.
    np.testing.assert_array_equal(match(priors, faces), [0, 0, 1, BACKGROUND])
    np.testing.assert_array_equal(
        match(priors, faces, threshold=0.7), [0, BACKGROUND, 1, BACKGROUND]
    )


def test_two_faces_do_not_share_their_best_prior() -> None:
    """The better pair is made first; the other face takes the next best prior."""
    priors = to_cxcywh(boxes((0, 0, 10, 10), (4, 0, 14, 10)))
    faces = boxes((0, 0, 10, 10), (1, 0, 11, 10))
    np.testing.assert_array_equal(match(priors, faces), [0, 1])


def test_matching_nothing() -> None:
    """A picture without faces is all background; a face beyond all priors matches none."""
    priors = to_cxcywh(boxes((0, 0, 10, 10)))
    np.testing.assert_array_equal(match(priors, boxes()), [BACKGROUND])
    np.testing.assert_array_equal(match(priors, boxes((90, 90, 99, 99))), [BACKGROUND])


def test_suppression_keeps_the_best_of_overlapping_boxes() -> None:
    """Boxes that overlap by 9/11 are one face, those that overlap by 1/3 are two."""
    xyxy = boxes((0, 0, 10, 10), (1, 0, 11, 10), (6, 0, 16, 10), (50, 50, 55, 55))
    scores = np.array([0.6, 0.9, 0.5, 0.95], np.float32)
    assert non_maximum_suppression(xyxy, scores, 0.45).tolist() == [3, 1, 2]
    assert non_maximum_suppression(xyxy, scores, 0.3).tolist() == [3, 1]


def test_suppressing_no_boxes() -> None:
    """No boxes in, no indices out."""
    assert non_maximum_suppression(boxes(), np.zeros(0, np.float32), 0.45).shape == (0,)
