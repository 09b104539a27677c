"""`maskdet train` as a user runs it."""

import tomllib
from pathlib import Path

import pytest

from conftest import ROOT, Cli, assert_user_error
from maskdet.assets import read_card
from train_pictures import write_classes

QUICK = ("--architecture", "small_cnn", "--image-size", 32, "--epochs", 2, "--batch-size", 8)


def test_train_from_the_command_line(maskdet: Cli, tmp_path: Path) -> None:
    """Class folders in; model, reports and figures out, and nothing but the log on stderr."""
    write_classes(tmp_path / "dataset", 16)
    done = maskdet("train", "--dataset", "dataset", "--output", "models/mine", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "macro avg" in done.stdout
    assert "train 2/2" in done.stderr
    assert "WARNING" not in done.stderr
    assert "INFO" not in done.stderr
    assert read_card(tmp_path / "models/mine.json")["labels"] == ["with_mask", "without_mask"]
    assert (tmp_path / "models/mine.tflite").is_file()
    assert (tmp_path / "runs/train/1/report.txt").is_file()
    again = maskdet("train", "--config", "runs/train/1/config.toml", "--epochs", 1)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "runs/train/2/report.txt").is_file()
    found = maskdet(
        *("detect", "--source", ROOT / "samples", "--model", "models/mine.json", "--no-output")
    )
    assert found.returncode == 0, found.stderr


def test_preview(maskdet: Cli, tmp_path: Path) -> None:
    """--preview writes a sheet and trains nothing."""
    write_classes(tmp_path / "dataset", 8)
    done = maskdet("train", "--dataset", "dataset", "--config", "bundled", "--preview", "p.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.png").stat().st_size > 10_000
    assert not (tmp_path / "runs").exists()


def test_one_class_is_one_line(maskdet: Cli, tmp_path: Path) -> None:
    """A user's mistake is exit code 1 and one line."""
    write_classes(tmp_path / "dataset", 3, ("with_mask",))
    assert_user_error(maskdet("train", "--dataset", "dataset"), "two class folders or more")


def test_output_that_cannot_be_written(maskdet: Cli, tmp_path: Path) -> None:
    """An impossible output is found before training."""
    write_classes(tmp_path / "dataset", 3)
    (tmp_path / "file").touch()
    done = maskdet("train", "--dataset", "dataset", "--output", "file/model", *QUICK)
    assert_user_error(done, "cannot be made")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--dataset"),
        (("--dataset", "gone"), "gone"),
        (("--dataset", ".", "--epochs", 0, "--fine-tune", 0), "leave nothing to do"),
        (("--dataset", ".", "--config", "gone.toml"), "gone.toml"),
        (("--dataset", ".", "--config", "bad.toml"), "no such option: colour"),
        (("--dataset", ".", "--config", "broken.toml"), "is not TOML"),
        (("--dataset", ".", "--learning-rate", 0), "--learning-rate"),
    ],
)
def test_wrong_usage(
    maskdet: Cli, tmp_path: Path, arguments: tuple[object, ...], word: str
) -> None:
    """Wrong usage is exit code 2 and names the option."""
    (tmp_path / "bad.toml").write_text("colour = 3\n")
    (tmp_path / "broken.toml").write_text("= 3\n")
    done = maskdet("train", *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda p: p.stem)
def test_presets_are_options(path: Path) -> None:
    """Every key of a preset is an option of a command, with a value it takes."""
    from maskdet.cli.train import train

    table = tomllib.loads(path.read_text())
    options = {name.lstrip("-"): p for p in train.params for name in p.opts}
    if not set(table) <= set(options):
        pytest.skip("a preset of another command")
    for name, value in table.items():
        options[name].type_cast_value(
            train.make_context("train", [], resilient_parsing=True), value
        )
