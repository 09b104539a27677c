"""Reports: figures, JSON, the page, comparisons."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.detections import Detections
from maskdet.errors import DatasetError
from maskdet.evaluate.classifying import sharpness
from maskdet.evaluate.comparing import compare, read_earlier
from maskdet.evaluate.folders import measure
from maskdet.evaluate.html import write_html
from maskdet.evaluate.labels import label_indices
from maskdet.evaluate.options import EvaluateOptions, VideoOptions
from maskdet.evaluate.report import Report, Table
from maskdet.evaluate.run import evaluate
from maskdet.evaluate.videos import Steadiness
from maskdet.metrics import Interval, resample

NAMES = ("with_mask", "without_mask")


@pytest.fixture
def report() -> Report:
    """A report with a figure of every kind."""
    return Report(
        kind="dataset",
        summary="Of 10 pictures 9 are <right>.",
        highlights=("accuracy", "unknown"),
        about={"data": "<folder & co>"},
        figures={"accuracy": Interval(0.9, 0.8, 0.95), "f1": 0.5, "unknown": float("nan")},
        tables=(Table("By size", ("", "count"), (("small", 3), ("large", None))),),
        gate=("accuracy",),
        problems=("a.jpg: <broken>",),
    )


def test_report_as_json(report: Report, tmp_path: Path) -> None:
    """What is not a number becomes null; the file is read back."""
    path = tmp_path / "report.json"
    content = report.to_json()
    path.write_text(json.dumps(content, allow_nan=False))
    assert content["figures"]["accuracy"] == {"value": 0.9, "low": 0.8, "high": 0.95}
    figures = read_earlier(path, "dataset", ("f1",))
    assert figures == {"accuracy": 0.9, "f1": 0.5, "unknown": None}
    with pytest.raises(DatasetError, match=r"no figure 'unknown' in .*; there are: accuracy, f1"):
        read_earlier(path, "dataset", ("unknown",))
    with pytest.raises(DatasetError, match="is about dataset, this run about video"):
        read_earlier(path, "video", ())


def test_comparison(report: Report) -> None:
    """A chosen figure that fell by more than the tolerance is named; others are only shown."""
    earlier = {"accuracy": 0.92, "f1": 0.9, "unknown": None}
    assert compare(report, earlier, gate=(), tolerance=0.03).worse == ()
    assert compare(report, earlier, gate=(), tolerance=0.02).worse == ()
    assert compare(report, earlier, gate=(), tolerance=0.01).worse == ("accuracy",)
    both = compare(report, earlier, gate=("accuracy", "f1"), tolerance=0.1)
    assert both.worse == ("f1",)
    assert [row[3] for row in both.table.rows] == ["-0.0200", "-0.4000"]


def test_a_chosen_figure_that_can_no_longer_be_told_is_worse(report: Report) -> None:
    """Not an error, which would lose the finished report: it fails the gate and is shown."""
    nothing = replace(report, figures={"accuracy": float("nan"), "f1": 0.5})
    done = compare(nothing, {"accuracy": 0.92, "f1": 0.5}, gate=("accuracy",), tolerance=1)
    assert done.worse == ("accuracy",)
    assert done.table.rows[0][1:] == (0.92, None, "gone", "worse")
    assert [row[0] for row in done.table.rows[1:]] == ["F1"]


def test_the_usual_gate_is_checked_before_the_work(tmp_path: Path) -> None:
    """A figure that the earlier report could not tell is refused before the video is opened."""
    earlier = {"format": 1, "kind": "video", "figures": {"right_share": {"value": None}}}
    (tmp_path / "earlier.json").write_text(json.dumps(earlier))
    subject = VideoOptions(tmp_path / "none.mp4", "with_mask")
    options = EvaluateOptions(subject, compare=tmp_path / "earlier.json")
    with pytest.raises(DatasetError, match="no figure 'right_share'"):
        evaluate(options, show=lambda *_: None)


def test_costs_get_worse_by_rising(report: Report) -> None:
    """Of errors, times and flips less is better."""
    names = ("calibration_error", "milliseconds", "flips_per_100_frames")
    for now, worse in ((0.1, ()), (0.9, names)):
        dearer = replace(report, figures=dict.fromkeys(names, now))
        earlier = dict.fromkeys(names, 0.5)
        assert compare(dearer, earlier, gate=names, tolerance=0.01).worse == worse


_HUGE = "9" * 400


def test_reports_that_are_none(tmp_path: Path) -> None:
    """Missing, no JSON, JSON of something else: one line each."""
    with pytest.raises(DatasetError, match="no such file"):
        read_earlier(tmp_path / "none.json", "dataset", ())
    for text, words in (
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a report"),
        ("{}", "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": [1]}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": 1}}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": {"value": "x"}}}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": {"value": NaN}}}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": {"value": true}}}', "not a report"),
        (f'{{"format": 1, "kind": "dataset", "figures": {{"f1": {{"value": {_HUGE}}}}}}}', "not a"),
        ('{"format": 1, "kind": ["dataset"], "figures": {}}', "is not a report"),
    ):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(DatasetError, match=words):
            read_earlier(tmp_path / "x.json", "dataset", ())


def page(report: Report, folder: Path) -> Path:
    """Writes the report as a page with one plot."""
    cv2.imwrite(str(folder / "plot.png"), np.zeros((40, 40, 3), np.uint8))
    with_plot = Report(**{**vars(report), "plots": {"plot.png": "A plot"}})
    write_html(folder / "report.html", with_plot)
    return folder / "report.html"


def test_page_needs_nothing_else(report: Report, tmp_path: Path) -> None:
    """The plot is inside, nothing is loaded from elsewhere, text is escaped."""
    text = page(report, tmp_path).read_text()
    assert "data:image/png;base64," in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "&lt;folder &amp; co&gt;" in text
    assert "<broken>" not in text
    assert "Of 10 pictures 9 are &lt;right&gt;." in text
    assert "<b>90.0%</b>accuracy<small>80.0% to 95.0%</small>" in text
    assert "<b>-</b>unknown" in text


@pytest.mark.server
def test_page_in_a_browser(report: Report, tmp_path: Path) -> None:
    """A headless browser shows the tables and the plot, without a server."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs chromium, which is not installed")
    path = page(report, tmp_path)
    # The picture's size is known to scripts only once it has been decoded.
    script = (
        "<script>addEventListener('load', () => document.body.dataset.seen = "
        "document.images[0].naturalWidth + ' ' + document.querySelectorAll('tr').length)</script>"
    )
    path.write_text(path.read_text().replace("</body>", script + "</body>"))
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert 'data-seen="40 7"' in done.stdout, done.stderr[-500:]


def test_measures_by_hand() -> None:
    """Two of three masked and the one bare face right."""
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]], np.float32)
    times = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    found = measure(labels, probabilities, NAMES, times)
    figures, alone = ({name: found[name][draw] for name in found} for draw in (0, 1))
    assert figures["accuracy"] == 0.75
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["with_mask_recall"] == pytest.approx(2 / 3)
    assert figures["without_mask_precision"] == 0.5
    assert figures["with_mask_f1"] == pytest.approx(0.8)
    assert figures["with_mask_ap"] == 1.0
    assert np.isnan(alone["without_mask_f1"])
    assert alone["balanced_accuracy"] == pytest.approx(2 / 3)


def test_interval_draws_whole_groups() -> None:
    """Copies of one picture make an interval no narrower."""
    values = np.array([0.0, 1.0] * 10)
    once = resample(lambda times: {"mean": times @ values / 20}, np.arange(20), seed=1)["mean"]
    copies, groups = np.repeat(values, 50), np.repeat(np.arange(20), 50)
    many = resample(lambda times: {"mean": times @ copies / 1000}, groups, seed=1)["mean"]
    assert (once.value, once.low, once.high) == (many.value, many.low, many.high)
    assert once.low < 0.4 < 0.6 < once.high
    alone = resample(lambda times: {"mean": times @ values / 20}, np.zeros(20, int), seed=1)["mean"]
    assert alone.value == 0.5
    assert np.isnan([alone.low, alone.high]).all()


def test_sharpness_falls_with_blur(samples: Path) -> None:
    """A blurred face is measured as such."""
    face = cv2.imread(str(samples / "astronaut.jpg"))[60:210, 170:290]
    assert sharpness(cv2.GaussianBlur(face, (0, 0), 3)) < 0.3 * sharpness(face)


def test_labels_must_be_the_models() -> None:
    """A class the model does not know is refused with what to do."""
    assert label_indices({"a": "without_mask", "b": None}, NAMES) == {"a": 1, "b": None}
    with pytest.raises(DatasetError, match="'a' is none of the model's labels"):
        label_indices({"a": "masked"}, NAMES)
    with pytest.raises(DatasetError, match="drops everything"):
        label_indices({"a": None}, NAMES)


def test_other_names_of_the_third_label() -> None:
    """Data sets call it many things; a model of two labels knows none of them."""
    three = (*NAMES, "mask_worn_incorrectly")
    for name in ("with_incorrect_mask", "mask_weared_incorrect", "Incorrect-Mask"):
        assert label_indices({name: name}, three) == {name: 2}
        with pytest.raises(DatasetError, match="none of the model's labels"):
            label_indices({name: name}, NAMES)
    # A model's own label comes first.
    assert label_indices({"a": "incorrect"}, ("incorrect", *three)) == {"a": 0}


def test_flips_and_lost_faces() -> None:
    """A label that changes is a flip; a face that goes is lost, one that comes is found."""

    def frame(*faces: tuple[float, float]) -> Detections:
        boxes = [[left, 0, left + 10, 10] for left, _ in faces]
        shares = np.array([[masked, 1 - masked] for _, masked in faces], np.float32)
        shares = shares.reshape(-1, 2)
        scores = np.ones(len(faces), np.float32)
        xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        return Detections(NAMES, xyxy, scores, shares, shares)

    seen = Steadiness("with_mask")
    for detections in (frame((0, 1)), frame((1, 0), (50, 1)), frame((2, 1)), frame()):
        seen.add(detections)
    assert (seen.flips, seen.lost, seen.found) == (2, 2, 1)
    assert seen.figures()["right_share"] == 0.75
    assert seen.figures()["frames_with_faces"] == 0.75


def test_steadiness_is_counted_in_a_hundred_frames() -> None:
    """Labels right, wrong, right in four frames: two flips are fifty in a hundred frames."""
    seen = Steadiness("with_mask")
    box = np.array([[0, 0, 10, 10]], np.float32)
    for masked in (0.9, 0.1, 0.9, 0.9):
        shares = np.array([[masked, 1 - masked]], np.float32)
        score = np.ones(1, np.float32)
        seen.add(Detections(("with_mask", "without_mask"), box, score, shares, shares))
    assert seen.figures()["flips_per_100_frames"] == pytest.approx(50)
    assert seen.figures()["right_share"] == pytest.approx(3 / 4)
