"""`maskdet evaluate`, as a user runs it, on each kind of data."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from command_line import Cli, assert_user_error
from maskdet.assets import bundled
from maskdet.cards.trained import pack
from maskdet.duplicates import hash_picture, stack_hashes


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


def test_answers_are_left_and_other_data_is_refused(
    tmp_path: Path, samples: Path, maskdet: Cli
) -> None:
    """A table and a sheet; a report about other pictures is compared only if told."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "astronaut.jpg")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(samples / name, tmp_path / "faces" / label)
    shutil.copytree(tmp_path / "faces", tmp_path / "moved")
    half = ("--model", bundled("models/mask_detector_float16.tflite"))
    first = maskdet("evaluate", "--dataset", "faces", "--output", "a", *half)
    assert "network     mask_detector_float16.tflite" in first.stdout, first.stderr
    table = (tmp_path / "a" / "predictions.csv").read_text().splitlines()
    assert len(table) == 3
    assert "mask_detector_float16.tflite" in table[1]
    assert (tmp_path / "a" / "mistakes.png").is_file()
    against = ("--compare", "a/report.json")
    same = maskdet("evaluate", "--dataset", "moved", *against)
    assert same.returncode == 0, same.stderr
    (tmp_path / "moved" / "with_mask" / "more.jpg").write_bytes(
        (samples / "astronaut_masked.jpg").read_bytes()
    )
    other = maskdet("evaluate", "--dataset", "moved", *against)
    assert_user_error(other, "was measured on other pictures", "--other-data")
    told = maskdet("evaluate", "--dataset", "moved", *against, "--other-data")
    assert told.returncode == 0, told.stderr


def test_pictures_that_the_model_was_trained_on_are_counted(
    tmp_path: Path, samples: Path, maskdet: Cli
) -> None:
    """Its card remembers them, near-duplicates included."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "coffee.jpg")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(samples / name, tmp_path / "faces" / label)
    for path in bundled("models").glob("mask_detector*"):
        shutil.copy(path, tmp_path)
    card = json.loads((tmp_path / "mask_detector.json").read_text())
    seen = stack_hashes([hash_picture(cv2.imread(str(samples / "astronaut_masked.jpg")))])
    card["training"]["pictures"] = pack(seen)
    (tmp_path / "mask_detector.json").write_text(json.dumps(card))
    done = maskdet("evaluate", "--dataset", "faces", "--model", "mask_detector.json")
    assert done.returncode == 0, done.stderr
    assert "trained on: 1 of 2 pictures" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--part", "val", "--dataset", "."), "--part goes with --run"),
        (("--run", ".", "--map", "a=b"), "--map does not go with --run"),
        (("--dataset", ".", "--other-data"), "--other-data needs --compare"),
    ],
)
def test_options_that_go_together(maskdet: Cli, arguments: tuple[str, ...], words: str) -> None:
    """Wrong usage otherwise."""
    done = maskdet("evaluate", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_folder_that_is_no_run(maskdet: Cli) -> None:
    """One line."""
    assert_user_error(maskdet("evaluate", "--run", "."), "is no folder of a training run")


def test_a_failed_run_leaves_nothing(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """Neither a new folder nor new plots in that of an earlier run; some are refused at once."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "astronaut.jpg")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(samples / name, tmp_path / "faces" / label)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "confusion.png").write_bytes(b"old")
    earlier = {"format": 1, "kind": "dataset", "figures": {"accuracy": {"value": 1.0}}}
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
