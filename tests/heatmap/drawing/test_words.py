"""Where evidence lies, said in a sentence."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from command_line import Cli
from maskdet.detections import Detections
from maskdet.heatmap.drawing.panels import PanelShape
from maskdet.heatmap.drawing.words import LONGEST, sentences
from maskdet.heatmap.methods.views import DIFFERENCE, PREDICTED, shown_maps
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.evidence import region_shares
from three_labels import LABELS, write_model

FACE = np.array([[0.2, 0.2, 0.8, 0.8]], np.float32)
# Cells of a 10x10 map that lie in a region of that face: eyes to 0.488, nose to 0.608.
ROWS = {"eyes": 3, "nose": 5, "mouth": 7, "beyond": 9}


def face(maps: dict[int, dict[str, float]], logits: tuple[float, float, float]) -> Detections:
    """Returns a face with evidence in regions, by label, in cells of the map."""
    cams = np.zeros((1, 10, 10, 3), np.float32)
    for label, regions in maps.items():
        for region, value in regions.items():
            cams[0, ROWS[region], 5, label] = value
    row = np.array([logits], np.float32)
    shares = np.exp(row) / np.exp(row).sum()
    box = np.array([[0, 0, 60, 60]], np.float32)
    return Detections(LABELS, box, np.ones(1, np.float32), shares, row, cams)


def said(found: Detections, view: str = DIFFERENCE) -> str:
    """Returns the sentence on it."""
    return sentences(found, shown_maps(found, view), view, FACE)[0]


def test_regions_worked_out() -> None:
    """Eyes to 0.48 of the box's height, nose to 0.68, mouth and chin below, the rest beyond."""
    map_ = np.zeros((1, 10, 10), np.float32)
    for row, value in ((3, 4.0), (5, 2.0), (7, 1.0), (9, 3.0), (0, -9.0)):
        map_[0, row, 5] = value
    shares = region_shares(map_, FACE)[0]
    # The nose's cell, 0.5 to 0.6, lies in its band, 0.488 to 0.608, whole.
    assert shares.tolist() == pytest.approx([0.4, 0.2, 0.1, 0.3], abs=1e-5)
    even = region_shares(np.ones((1, 10, 10), np.float32), FACE)[0]
    assert even.tolist() == pytest.approx([0.36 * 0.48, 0.36 * 0.2, 0.36 * 0.32, 0.64], abs=1e-5)
    assert np.isnan(region_shares(-map_ * (map_ > 0), FACE)).all()


def test_the_sentence_says_what_speaks_for_and_against() -> None:
    """Weighed against the runner-up, with what the answer says of the regions."""
    under = face({2: {"nose": 29, "eyes": 21}, 0: {"mouth": 25}}, (1, 0, 3))
    assert said(under) == (
        "Worn Incorrectly: the bare nose speaks for it (58%), the covered mouth and chin against"
    )
    chin = face({2: {"mouth": 30}, 1: {"nose": 10}}, (0, 1, 3))
    assert said(chin) == (
        "Worn Incorrectly: the covered mouth and chin speak for it (100%), the bare nose against"
    )
    masked = face({0: {"mouth": 30, "eyes": 10}, 1: {"beyond": 1}}, (3, 1, 0))
    assert said(masked) == (
        "Mask: the covered mouth and chin speak for it (75%), hardly anything against"
    )
    # Of what speaks against a bare face nobody says that it is covered: it may be a beard.
    bearded = face({1: {"eyes": 30}, 0: {"mouth": 10}}, (1, 3, 0))
    assert said(bearded) == "No Mask: the eyes speak for it (100%), the mouth and chin against"


def test_sentences_on_other_views() -> None:
    """A label's own map is weighed against none; a flat one says so."""
    found = face({1: {"nose": 3, "beyond": -5}}, (3, 1, 0))
    assert said(found, "without_mask") == (
        "No Mask: the bare nose speaks for it (100%), the surroundings against"
    )
    assert said(found, PREDICTED) == "Mask: no place of the picture speaks for it"
    nobody = Detections.empty(LABELS)
    assert sentences(nobody, shown_maps(nobody, DIFFERENCE), DIFFERENCE, FACE[:0]) == ()


@pytest.mark.parametrize("side", [48, 96, 130, 260, 1024])
def test_every_sentence_fits_below_its_panel(side: int) -> None:
    """No usual one is longer than the longest, and its lines are no wider than the panel."""
    shape = PanelShape(side)
    spoken = set()
    for label, rival in itertools.permutations(range(3), 2):
        for best, worst in itertools.permutations(ROWS, 2):
            found = face({label: {best: 9.0}, rival: {worst: 5.0}}, (0, 0, 0))
            found.logits[0, [label, rival]] = 4, 1
            found.probabilities[0, label] = 0.9
            spoken.add(said(found))
    assert len(spoken) > 40
    assert max(map(len, spoken)) <= len(LONGEST)
    for sentence in spoken:
        lines = shape.wrapped(sentence)
        assert len(lines) <= shape.sentence_lines
        assert " ".join(lines) == sentence
        for line in lines:
            (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, shape.small_text, 1)
            assert width + shape.gap <= shape.width


def test_heatmap_draws_the_sentence(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Light letters stand below the panel, of a model of three labels, too."""
    model = write_model(tmp_path / "m", (0, 0, 4))
    done = maskdet(
        "heatmap", samples / "astronaut.jpg", "--model", model, "--output", "o.png", "--size", 120
    )
    assert done.returncode == 0, done.stderr
    picture = read_picture(tmp_path / "o.png")
    shape, width = PanelShape(120), read_picture(samples / "astronaut.jpg").shape[1]
    top = 2 * shape.line + shape.side
    lines = picture[
        top : top + shape.sentence_lines * shape.small_line, width : width + shape.width
    ]
    assert (lines.min(axis=2) > 180).sum() > 100
