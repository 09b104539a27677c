"""Where evidence lies, what removing it does, and how sure the figures are."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import Cli
from maskdet.assets import bundled, card_file, read_card
from maskdet.detections import Detections
from maskdet.errors import DatasetError, ModelError
from maskdet.heatmap.evidence.completeness import bias_shares
from maskdet.heatmap.evidence.faces import FaceSet, read_faces
from maskdet.heatmap.evidence.findings import Completeness, Evidence, MethodEvidence
from maskdet.heatmap.evidence.perturbation import (
    GRID,
    STEPS,
    area,
    deletion_and_insertion,
    filled,
    ranks,
    road,
)
from maskdet.heatmap.evidence.report import draw_averages, draw_doubtful, table, write_report
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.evidence import decision_maps, evidence_shares, faces_in_crops, watched

LABELS = ("with_mask", "without_mask")
CARD = bundled("models/mask_detector.json")


def test_shares_worked_out() -> None:
    """A 4x4 map, the face its middle: one unit inside below, one on its edge, two outside."""
    map_ = np.zeros((1, 4, 4), np.float32)
    map_[0, 2, 1] = 1  # inside, in the lower half
    map_[0, 0, 0] = 2  # outside, at the rim
    map_[0, 1, 1] = 1  # inside, in the upper half
    map_[0, 3, 3] = -9  # speaks against: does not count
    shares = evidence_shares(map_, np.array([[0.25, 0.25, 0.75, 0.75]], np.float32))
    assert shares.lower.tolist() == [0.25]
    assert shares.outside.tolist() == [0.5]
    # A rim of 1/7 is 4/7 of a cell on each side: of a corner cell 3/7 x 3/7 are not rim.
    assert shares.rim[0] == pytest.approx(2 * (1 - 9 / 49) / 4, abs=1e-6)


def test_cells_count_in_proportion() -> None:
    """A box that cuts through cells takes its part of them."""
    even = np.ones((1, 7, 7), np.float32)
    shares = evidence_shares(even, np.array([[1 / 6, 1 / 6, 5 / 6, 5 / 6]], np.float32))
    assert shares.outside[0] == pytest.approx(1 - 4 / 9, abs=1e-6)
    assert shares.lower[0] == pytest.approx(2 / 9, abs=1e-6)
    assert np.isnan(evidence_shares(-even, np.ones((1, 4), np.float32)).outside).all()


def test_faces_in_crops() -> None:
    """With a margin of a quarter the face is the middle two thirds; at the edge it moves."""
    boxes = np.array([[100, 100, 200, 180], [0, 0, 40, 40]], np.float32)
    places = faces_in_crops(boxes, margin=0.25, width=400, height=300)
    np.testing.assert_allclose(places[0], [1 / 6, 1 / 6, 5 / 6, 5 / 6], atol=1e-6)
    np.testing.assert_allclose(places[1], [0, 0, 0.8, 0.8], atol=1e-6)


def test_decision_maps_are_against_the_next_best() -> None:
    """The runner-up's map is taken away, whichever class that is."""
    cams = np.array([[[[5, 1, 2]]], [[[5, 1, 2]]]], np.float32)
    logits = np.array([[9, 1, 0], [9, 0, 1]], np.float32)
    assert decision_maps(cams, logits, np.array([0, 0])).ravel().tolist() == [4, 3]


def test_faces_are_flagged_beyond_the_threshold() -> None:
    """A share beyond it is flagged, one below is not, none at all is null and not flagged."""
    cams = np.zeros((3, 7, 7, 2), np.float32)
    cams[0, 0, 0, 0] = cams[1, 3, 3, 0] = 1
    faces = Detections(
        LABELS,
        np.tile(np.array([[50, 50, 100, 100]], np.float32), (3, 1)),
        np.ones(3, np.float32),
        np.tile(np.array([[0.9, 0.1]], np.float32), (3, 1)),
        np.tile(np.array([[2, 0]], np.float32), (3, 1)),
        cams,
    )
    records = watched(faces, 0.5, margin=0.25, width=200, height=200).to_records()
    assert [record["evidence_outside"] for record in records] == [1, 0, None]
    assert [record["off_face"] for record in records] == [True, False, False]
    assert "off_face" not in faces.to_records()[0]
    nobody = watched(Detections.empty(LABELS), 0.5, margin=0.25, width=9, height=9)
    assert nobody.to_records() == []


def test_detect_flags_faces(maskdet: Cli, samples: Path) -> None:
    """The records of detect carry the share and the flag where they are asked for."""
    source = ["detect", "--source", samples / "astronaut.jpg", "--no-output", "--json", "--quiet"]
    flagged = {}
    for threshold in (0, 1):
        done = maskdet(*source, "--explain-threshold", threshold)
        assert done.returncode == 0, done.stderr
        (face,) = json.loads(done.stdout)["faces"]
        assert 0 < face["evidence_outside"] < 1
        flagged[threshold] = face["off_face"]
    assert flagged == {0: True, 1: False}


def corner_map() -> NDArray[np.float32]:
    """Returns a map that is hot in its upper left quarter."""
    map_ = np.zeros((7, 7), np.float32)
    map_[:3, :3] = 1
    return map_


def bright_corner(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Says class 0 as far as the upper left quarter is bright."""
    share = batch[:, :28, :28].mean(axis=(1, 2, 3)) / 255
    return np.stack([share, 1 - share], axis=1).astype(np.float32)


@pytest.fixture
def face() -> NDArray[np.uint8]:
    """A dark (56, 56, 3) crop, bright in its upper left quarter."""
    picture = np.full((GRID, GRID, 3), 20, np.uint8)
    picture[:28, :28] = 250
    return picture


def test_ranks_follow_the_map() -> None:
    """Every block has its own rank, the hot ones the first."""
    order = ranks(corner_map())
    assert sorted(order.ravel()) == list(range(GRID * GRID))
    assert order[:16, :16].max() < order[-16:, -16:].min()


def test_a_true_map_deletes_fast_and_inserts_fast(face: NDArray[np.uint8]) -> None:
    """The map that knows beats its opposite on both curves; the ends are alike."""
    true = deletion_and_insertion(face, ranks(corner_map()), 0, bright_corner)
    false = deletion_and_insertion(face, ranks(-corner_map()), 0, bright_corner)
    assert area(true[0]) < area(false[0]) - 0.2
    assert area(true[1]) > area(false[1])
    for curve in (*true, *false):
        assert len(curve) == STEPS + 1
    assert true[0][0] == false[0][0] == true[1][-1] == pytest.approx(250 / 255, abs=1e-3)


def test_area_worked_out() -> None:
    """The trapezoids of 1, 0.5, 0 make a half."""
    assert area(np.array([1, 0.5, 0], np.float32)) == pytest.approx(0.5)
    assert area(np.array([1, 1, 0], np.float32)) == pytest.approx(0.75)


def test_road_fills_from_the_surroundings(face: NDArray[np.uint8]) -> None:
    """A hole in an even region takes its colour, one across an edge goes from side to side."""
    random = np.random.default_rng(0)
    hole = np.zeros((GRID, GRID), bool)
    hole[35:50, 35:50] = True
    assert np.abs(filled(face, hole, random).astype(int) - face).max() < 15
    hole[:] = False
    hole[5:20, 20:36] = True
    row = filled(face, hole, random)[12, 20:36, 0].astype(int)
    assert (np.diff(cv2.blur(row.astype(np.float32), (1, 5)).ravel()) < 6).all()
    assert row[0] > row[-1] + 100
    assert filled(face, np.ones((GRID, GRID), bool), random).std() < 10
    most, least = road(face, ranks(corner_map()), 0, bright_corner, random)
    assert (most < least).all()


def found(groups: tuple[str, ...] = ("a", "a", "b", "c")) -> Evidence:
    """Returns an evaluation of four faces in three photographs."""
    random = np.random.default_rng(0)
    count = len(groups)
    maps = random.normal(size=(count, 7, 7)).astype(np.float32)
    places = np.tile(np.array([[1 / 6, 1 / 6, 5 / 6, 5 / 6]], np.float32), (count, 1))
    crops = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(count) % 2
    faces = FaceSet(tuple("abcd"), crops, places, labels, groups, ())

    def method(name: str, level: float) -> MethodEvidence:
        curve = np.full((count, STEPS + 1), level, np.float32)
        four = np.full((count, 4), level, np.float32)
        shares = evidence_shares(maps, places)
        return MethodEvidence(name, maps, curve, 1 - curve, four, four, shares)

    return Evidence(
        LABELS,
        "difference",
        faces,
        np.zeros(count, int),
        np.tile(np.array([[0.8, 0.2]], np.float32), (count, 1)),
        (method("cam", 0.2), method("random", 0.5), method("centre", 0.4)),
        (Completeness("float32", 1e-6, 1e-7, 10.0),),
    )


def test_intervals_draw_photographs() -> None:
    """The mean counts faces, its interval photographs: one photograph has no spread."""
    values = np.array([1.0, 3.0, 5.0, np.nan])
    interval = found().interval(values)
    assert interval.mean == 3
    assert (interval.low, interval.high) == (2, 5)
    alone = found(("a",) * 4).interval(values)
    assert (alone.low, alone.mean, alone.high) == (3, 3, 3)


def test_figures_and_pictures(tmp_path: Path) -> None:
    """Better is above zero whichever way the measure points, and everything is written."""
    evidence = found()
    report = evidence.to_json()
    against = report["methods"]["cam"]["better_than"]
    assert against["random"]["deletion"]["mean"] == pytest.approx(0.3)
    assert against["centre"]["insertion"]["mean"] == pytest.approx(0.2)
    assert against["centre"]["road"]["mean"] == pytest.approx(0.2)
    assert report["even_shares"]["with_mask"]["outside"]["mean"] == pytest.approx(5 / 9, abs=1e-4)
    assert report["completeness"]["float32"]["largest_share_of_range"] == pytest.approx(1e-7)
    assert any(line.startswith("cam ") and "0.200" in line for line in table(evidence))
    lines = table(evidence)
    assert lines[1].split() == [
        *("(lower", "is", "better)", "(higher", "is", "better)", "(lower", "is", "better)")
    ]
    assert "cam beside centre: better on deletion, insertion, ROAD" in lines
    both = replace(evidence, shifted=replace(evidence, methods=evidence.methods[::-1]))
    assert "centre beside random: better on deletion, insertion, ROAD" in table(both)
    assert len(table(both)) > 2 * len(lines) - 3
    assert "cam" in both.to_json()["shifted"]["methods"]
    written = write_report(tmp_path / "both", both)
    assert (tmp_path / "both" / "curves_shifted.png") in written
    assert all(path.stat().st_size > 500 for path in write_report(tmp_path / "new", evidence))
    method = evidence.methods[0]
    assert draw_averages(evidence, method).shape[1] > 2 * 260
    assert draw_doubtful(evidence, method).ndim == 3


@pytest.mark.training
def test_completeness_of_the_shipped_files() -> None:
    """The maps of each exported file add up to its logits within 1e-3 of their range."""
    card = read_card(CARD)
    faces = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    classifier = MaskClassifier(CARD, maps=True)
    _, logits, cams = classifier.read(faces)
    biases = bias_shares(card_file(CARD, card, "tflite"), card_file(CARD, card, "keras"), faces)
    assert np.abs(cams.mean(axis=(1, 2)) + biases - logits).max() < 1e-3
    assert np.abs(biases).max() > 0


@pytest.mark.training
def test_completeness_needs_the_head(tmp_path: Path) -> None:
    """A file that is no Keras file has no biases."""
    (tmp_path / "no.keras").write_text("no")
    with pytest.raises(ModelError, match="no head of two dense layers"):
        bias_shares(CARD.with_suffix(".tflite"), tmp_path / "no.keras", np.zeros((1, 2, 2, 3)))


def test_faces_are_cut_as_in_use(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """With a box the face is cut out with its margin; without one the picture is the crop."""
    for label in LABELS:
        (tmp_path / label).mkdir()
        for number in range(3):
            cv2.imwrite(str(tmp_path / label / f"{number}.png"), noise)
    with (tmp_path / "faces.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "group", "left", "top", "right", "bottom"])
        rows.writerow(["with_mask/0.png", "street", 20, 12, 44, 36])
    (tmp_path / "without_mask" / "0.png").write_text("no")
    faces = read_faces(tmp_path, LABELS, margin=0.25, size=36, each=9)
    assert len(faces) == 5
    assert len(faces.failures) == 1
    assert faces.groups[0].endswith("street")
    np.testing.assert_array_equal(faces.crops[0], noise[6:42, 14:50, ::-1])
    np.testing.assert_allclose(faces.places[1], [1 / 6, 1 / 6, 5 / 6, 5 / 6])
    assert len(read_faces(tmp_path, LABELS, margin=0.25, size=36, each=1)) <= 2
    with pytest.raises(DatasetError, match="'with_mask'; this model's classes are a, b"):
        read_faces(tmp_path, ("a", "b"), margin=0.25, size=36, each=2)


def test_crops_are_shifted_with_their_faces(tmp_path: Path) -> None:
    """What is in the face box stays in it, in a crop of the photograph as in a whole picture."""
    photograph = np.full((90, 120, 3), 40, np.uint8)
    photograph[30:50, 50:70] = 250
    (tmp_path / "with_mask").mkdir()
    for name in ("boxed", "whole"):
        cv2.imwrite(str(tmp_path / "with_mask" / f"{name}.png"), photograph)
    whole = np.full((90, 120, 3), 40, np.uint8)
    whole[15:75, 20:100] = 250
    cv2.imwrite(str(tmp_path / "with_mask" / "whole.png"), whole)
    with (tmp_path / "faces.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "group", "left", "top", "right", "bottom"])
        rows.writerow(["with_mask/boxed.png", "street", 50, 30, 70, 50])
    straight = read_faces(tmp_path, LABELS[:1], margin=0.25, size=60, each=9)
    moved = read_faces(tmp_path, LABELS[:1], margin=0.25, size=60, each=9, shift=0.3)
    assert moved.names == straight.names
    assert not np.allclose(moved.places, straight.places, atol=0.02)
    assert np.abs(moved.places - straight.places).max() <= 0.31
    for crop, place in zip(moved.crops, moved.places, strict=True):
        left, top, right, bottom = np.round(60 * place).astype(int)
        inside = crop[top + 2 : bottom - 2, left + 2 : right - 2]
        assert inside.mean() > 235
        assert (crop > 150).all(axis=2).sum() < 1.25 * (bottom - top) * (right - left)
