"""Labels merged: in the probabilities, and exactly so in the maps."""

import numpy as np
import pytest

from maskdet.detections import FloatArray
from maskdet.errors import OptionError
from maskdet.vision.classifier import softmax
from maskdet.vision.merging import Merging

LABELS = ("with_mask", "without_mask", "mask_worn_incorrectly")
TWO = Merging.of([("mask_worn_incorrectly", "without_mask")], LABELS)


@pytest.fixture
def answers() -> tuple[FloatArray, FloatArray]:
    """Logits of five faces, some of them far apart, and maps whose means they are."""
    random = np.random.default_rng(0)
    cams = random.normal(0, 8, (5, 7, 7, 3)).astype(np.float32)
    cams[3] *= 40
    return cams.mean(axis=(1, 2)), cams


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.5])
def test_probabilities_are_added_up(
    answers: tuple[FloatArray, FloatArray], temperature: float
) -> None:
    """Of the merged labels, at the model's own temperature; not the larger of them."""
    logits, cams = answers
    own = softmax(logits / temperature)
    merged, _ = TWO.merge(logits, cams, temperature)
    found = softmax(merged / np.float32(temperature))
    np.testing.assert_allclose(found[:, 0], own[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], own[:, 1] + own[:, 2], atol=1e-6)
    # 0.4, 0.3 and 0.3: the most probable one of three is not that of two.
    close, _ = TWO.merge(np.log([[0.4, 0.3, 0.3]]).astype(np.float32), cams[:1], 1.0)
    assert close.argmax() == 1


def test_the_map_of_a_merged_label_is_its_derivative(
    answers: tuple[FloatArray, FloatArray],
) -> None:
    """A little more evidence anywhere raises the merged logit as the weights of the maps say."""
    logits, cams = answers
    logits, cams = logits[:3], cams[:3]
    merged, maps = TWO.merge(logits, cams, 1.3)
    step = 0.01
    weights = []
    for label in (1, 2):
        more = logits.copy()
        more[:, label] += step
        raised, _ = TWO.merge(more, cams, 1.3)
        weights.append((raised - merged)[:, 1] / step)
    expected = weights[0][:, None, None] * cams[..., 1] + weights[1][:, None, None] * cams[..., 2]
    np.testing.assert_allclose(maps[..., 1], expected, atol=0.2)
    np.testing.assert_array_equal(maps[..., 0], cams[..., 0])


def test_maps_and_what_is_no_places_add_up_to_the_logit(
    answers: tuple[FloatArray, FloatArray],
) -> None:
    """Mean of the map and the temperature times the entropy of the shares, worked out apart."""
    logits, cams = answers
    merged, maps = TWO.merge(logits, cams, 2.0)
    both = softmax(logits[:, 1:] / 2.0)
    entropy = -(both * np.log(np.clip(both, 1e-30, 1))).sum(axis=1)
    # Without biases the means are the logits themselves.
    np.testing.assert_allclose(maps.mean(axis=(1, 2))[:, 1] + 2 * entropy, merged[:, 1], atol=1e-3)


def test_what_cannot_be_merged() -> None:
    """Other names, a label twice, rings, chains, and all into one."""
    assert Merging.of([], LABELS).is_idle
    assert Merging.of([("with_mask", "without_mask")], LABELS).labels == LABELS[1:]
    for pairs, said in (
        ([("chin", "with_mask")], "--merge chin: this model's labels are with_mask"),
        ([("with_mask", "bare")], "--merge bare"),
        ([(LABELS[2], LABELS[1]), (LABELS[2], LABELS[0])], "goes into one that stays"),
        ([(LABELS[2], LABELS[1]), (LABELS[1], LABELS[0])], "goes into one that stays"),
        ([(LABELS[2], LABELS[2])], "goes into one that stays"),
        ([(LABELS[2], LABELS[1]), (LABELS[0], LABELS[1])], "only without_mask would be left"),
    ):
        with pytest.raises(OptionError, match=said):
            Merging.of(pairs, LABELS)
