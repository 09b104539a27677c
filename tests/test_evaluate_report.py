"""Reports: JSON, the page, comparisons; and the command on each kind of data."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Cli, assert_user_error
from maskdet.detections import Detections
from maskdet.errors import DatasetError
from maskdet.evaluate.comparing import compare, read_earlier
from maskdet.evaluate.folders import measure, sharpness
from maskdet.evaluate.html import write_html
from maskdet.evaluate.labels import label_indices
from maskdet.evaluate.report import Report, Table
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
    with pytest.raises(DatasetError, match="no figure 'recall'"):
        compare(report, earlier, gate=("recall",), tolerance=0)


def test_costs_get_worse_by_rising(report: Report) -> None:
    """Of errors, times and flips less is better."""
    names = ("calibration_error", "milliseconds", "flips_per_100_frames")
    for now, worse in ((0.1, ()), (0.9, names)):
        dearer = replace(report, figures=dict.fromkeys(names, now))
        earlier = dict.fromkeys(names, 0.5)
        assert compare(dearer, earlier, gate=names, tolerance=0.01).worse == worse


def test_reports_that_are_none(tmp_path: Path) -> None:
    """Missing, no JSON, JSON of something else: one line each."""
    with pytest.raises(DatasetError, match="cannot be read"):
        read_earlier(tmp_path / "none.json", "dataset", ())
    for text, words in (
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "is not a report"),
        ("{}", "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": [1]}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": 1}}', "is not a report"),
        ('{"format": 1, "kind": "dataset", "figures": {"f1": {"value": "x"}}}', "is not a report"),
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
    figures = measure(labels, probabilities, NAMES)
    assert figures["accuracy"] == 0.75
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["with_mask_recall"] == pytest.approx(2 / 3)
    assert figures["without_mask_precision"] == 0.5
    assert figures["with_mask_f1"] == pytest.approx(0.8)
    assert figures["with_mask_ap"] == 1.0
    alone = measure(labels[:3], probabilities[:3], NAMES)
    assert np.isnan(alone["without_mask_f1"])
    assert alone["balanced_accuracy"] == pytest.approx(2 / 3)


def test_interval_draws_whole_groups() -> None:
    """Copies of one picture make an interval no narrower."""
    values = np.array([0.0, 1.0] * 10)
    once = resample(lambda rows: {"mean": values[rows].mean()}, np.arange(20), seed=1)["mean"]
    copies, groups = np.repeat(values, 50), np.repeat(np.arange(20), 50)
    many = resample(lambda rows: {"mean": copies[rows].mean()}, groups, seed=1)["mean"]
    assert (once.value, once.low, once.high) == (many.value, many.low, many.high)
    assert once.low < 0.4 < 0.6 < once.high
    alone = resample(lambda rows: {"mean": values[rows].mean()}, np.zeros(20, int), seed=1)["mean"]
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


def test_command_on_folders(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """Figures, page and gate: exit code 3 when a figure fell, with one line."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "astronaut.jpg")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(samples / name, tmp_path / "faces" / label)
    command = ("evaluate", "--dataset", "faces", "--output", "report")
    done = maskdet(*command)
    assert done.returncode == 0, done.stderr
    assert "balanced accuracy" in done.stdout
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000
    content["figures"]["balanced_accuracy"]["value"] = 1.5
    (tmp_path / "earlier.json").write_text(json.dumps(content))
    fell = maskdet(*command, "--compare", "earlier.json")
    assert_user_error(fell, "worse by more than 0.01: balanced_accuracy", code=3)


def test_a_failed_run_leaves_nothing(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """Neither a new folder nor new plots in that of an earlier run; some are refused at once."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "astronaut.jpg")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(samples / name, tmp_path / "faces" / label)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "confusion.png").write_bytes(b"old")
    earlier = {"format": 1, "kind": "dataset", "figures": {"no_such": {"value": 1.0}}}
    (tmp_path / "earlier.json").write_text(json.dumps(earlier))
    before = sorted(path.name for path in tmp_path.iterdir())
    command = ("evaluate", "--dataset", "faces")
    assert_user_error(maskdet(*command, "--map", "with_mask=", "--map", "without_mask="), "drops")
    gate = ("--compare", "earlier.json", "--gate", "no_such")
    assert_user_error(maskdet(*command, "--output", "old", *gate), "no figure 'no_such'")
    assert (tmp_path / "old" / "confusion.png").read_bytes() == b"old"
    inside = maskdet(*command, "--output", "earlier.json/x")
    assert_user_error(inside, "earlier.json/x: cannot be written")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_command_on_photographs(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """Both stages on two pictures; annotations of another format are told."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for name in ("astronaut", "coffee"):
        shutil.copy(samples / f"{name}.jpg", tmp_path / "images")
    (tmp_path / "labels" / "astronaut.txt").write_text("0 0.45 0.26 0.22 0.30\n")
    (tmp_path / "labels" / "coffee.txt").write_text("")
    # Half of this face is outside, as some tools write it; all of the other is.
    boxes = ((170, 60, 290, 210), (-60, 0, 40, 90), (600, 10, 700, 90))
    faces = [{"classname": "face_no_mask", "BoundingBox": box} for box in boxes]
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "astronaut.json").write_text(json.dumps({"Annotations": faces}))
    command = ("evaluate", "--images", "images", "--annotations", "labels", "--output", "report")
    done = maskdet(*command, "--map", "0=without_mask")
    assert done.returncode == 0, done.stderr
    assert "What became of the faces" in done.stdout
    assert "Of 1 faces 1 are found and labelled right" in done.stdout
    medical = ("evaluate", "--images", "images", "--annotations", "json", "--output", "other")
    outlying = maskdet(*medical)
    assert outlying.returncode == 0, outlying.stderr
    assert "astronaut.jpg: 1 faces lie outside the picture" in outlying.stderr
    assert "1 with 2 labelled faces" in outlying.stdout
    assert cv2.imread(str(tmp_path / "report" / "worst.jpg")) is not None
    assert_user_error(maskdet(*command), "'0' is none of the model's labels", "--map 0=LABEL")


def test_command_on_video(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """The share of right labels; a label the model does not know is refused."""
    command = ("evaluate", "--video", samples / "astronaut.mp4", "--output", "report", "--label")
    done = maskdet(*command, "without_mask")
    assert done.returncode == 0, done.stderr
    assert "flips per 100 frames" in done.stdout
    assert (tmp_path / "report" / "report.html").is_file()
    assert_user_error(maskdet(*command, "masked"), "none of the model's labels")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--dataset", ".", "--images", "."],
        ["--images", "."],
        ["--dataset", ".", "--label", "with_mask"],
        ["--dataset", ".", "--gate", "f1"],
    ],
)
def test_contradictions_are_wrong_usage(arguments: list[str]) -> None:
    """Exit code 2, as click says it."""
    from click.testing import CliRunner

    from maskdet.cli.evaluate import evaluate

    assert CliRunner().invoke(evaluate, arguments).exit_code == 2
