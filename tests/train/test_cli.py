"""`maskdet train` as a user runs it."""

import contextlib
import json
import math
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from command_line import ROOT, Cli, assert_user_error
from maskdet.assets import read_card
from maskdet.cli.train import train
from maskdet.cli.train_faces import train_faces
from maskdet.errors import MaskdetError
from maskdet.train import config
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.faces.options import FaceTrainOptions
from small_runs import stepwise
from train_pictures import write_classes

QUICK = (
    *("--architecture", "tiny_cnn", "--image-size", 32, "--epochs", 1, "--batch-size", 8),
    *("--head-units", 8, "--export", "float32"),
)


def test_train_from_the_command_line(maskdet: Cli, maskdet_here: Cli, tmp_path: Path) -> None:
    """Class folders in; model, reports and figures out, and nothing but the log on stderr."""
    write_classes(tmp_path / "dataset", 16)
    done = maskdet("train", "--dataset", "dataset", "--output", "models/mine", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "macro avg" in done.stdout
    first = done.stderr.splitlines()[0]
    assert first == "training on dataset; starting TensorFlow"
    assert "train 1/1 (1 of 1 passes done, 0 s left)" in done.stderr
    assert "WARNING" not in done.stderr
    assert "INFO" not in done.stderr
    assert read_card(tmp_path / "models/mine.json")["labels"] == ["with_mask", "without_mask"]
    assert (tmp_path / "models/mine.tflite").is_file()
    assert (tmp_path / "runs/train/1/report.txt").is_file()
    repeated = ("train", "--config", "runs/train/1/config.toml")
    refused = maskdet_here(*repeated)
    assert refused.returncode == 1
    assert "models/mine.json: exists already; --overwrite replaces it" in refused.stderr
    assert "TensorFlow" not in refused.stderr
    with stepwise():
        again = maskdet_here(*repeated, "--overwrite")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "runs/train/2/report.txt").is_file()
    found = maskdet(
        *("detect", "--source", ROOT / "samples", "--model", "models/mine.json", "--no-output")
    )
    assert found.returncode == 0, found.stderr


def test_preview(fresh_maskdet: Cli, tmp_path: Path) -> None:
    """--preview writes a sheet and trains nothing."""
    write_classes(tmp_path / "dataset", 8)
    done = fresh_maskdet(
        "train", "--dataset", "dataset", "--config", "bundled", "--preview", "p.jpg"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.jpg").read_bytes()[:3] == b"\xff\xd8\xff"  # what its name says
    assert (tmp_path / "p.jpg").stat().st_size > 10_000
    assert not (tmp_path / "runs").exists()


def test_preview_names_what_it_leaves_out(maskdet: Cli, tmp_path: Path) -> None:
    """A broken picture is named once; what libjpeg says of a damaged one, naming none, is not."""
    write_classes(tmp_path / "dataset", 8)
    folder = min(path for path in (tmp_path / "dataset").iterdir() if path.is_dir())
    whole = (ROOT / "samples" / "astronaut.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    done = maskdet(*("train", "--dataset", "dataset", "--max-bad", "0.5", "--preview", "p.png"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("broken.jpg") == 1
    assert "Corrupt JPEG" not in done.stderr
    assert (tmp_path / "p.png").exists()


def test_one_class_is_one_line(maskdet: Cli, tmp_path: Path) -> None:
    """A user's mistake is exit code 1 and one line."""
    write_classes(tmp_path / "dataset", 3, ("with_mask",))
    done = maskdet("train", "--dataset", "dataset")
    assert_trainer_error(done, "two class folders or more")


def test_output_that_cannot_be_written(maskdet: Cli, tmp_path: Path) -> None:
    """An impossible output is found before TensorFlow starts."""
    write_classes(tmp_path / "dataset", 3)
    (tmp_path / "file").touch()
    done = maskdet("train", "--dataset", "dataset", "--output", "file/model", *QUICK)
    assert_user_error(done, "cannot be made")
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "other.json").write_text("{}", encoding="utf-8")
    pictures = ("--images", "dataset", "--annotations", "dataset")
    done = maskdet("train-faces", *pictures, "--output", "faces")
    assert_user_error(done, "holds another model, other.json")


def assert_trainer_error(done: Any, words: str) -> None:
    """Checks for one line of error, after the one that says that TensorFlow is starting."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert words in lines[1]


def test_several_runs_are_summed_up(maskdet_here: Cli, tmp_path: Path) -> None:
    """Two folds, one taken up before its first pass: each in its own folder, mean and spread."""
    write_classes(tmp_path / "dataset", 10)
    command = ("train", "--dataset", "dataset", *QUICK, "--folds", 2, "--run-dir", "all")
    with stepwise():
        done = maskdet_here(*command)
    assert done.returncode == 0, done.stderr
    assert "run 2 of 2, fold 2" in done.stderr
    assert "2 runs: mean, standard deviation, each run" in done.stdout
    figures = json.loads((tmp_path / "all" / "repeats.json").read_text())["val"]["accuracy"]
    each = [
        json.loads((tmp_path / "all" / fold / "report.json").read_text())["val"] for fold in "12"
    ]
    assert figures["values"] == [one["accuracy"]["value"] for one in each]
    assert sum(one["pictures"] for one in each) == 20
    assert figures["mean"] == pytest.approx(sum(figures["values"]) / 2)
    spread = abs(figures["values"][0] - figures["values"][1]) / math.sqrt(2)
    assert figures["standard_deviation"] == pytest.approx(spread)
    for path in (tmp_path / "all" / "2").iterdir():
        if path.name != "config.toml":
            path.unlink()
    with stepwise():
        again = maskdet_here("train", "--resume", "all")
    assert again.returncode == 0, again.stderr
    assert "no pass of it was done; it begins anew" in again.stderr
    assert again.stderr.count("train 1/1") == 1
    assert json.loads((tmp_path / "all" / "repeats.json").read_text())["val"]["accuracy"] == figures


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--dataset"),
        (("--dataset", "gone"), "gone"),
        (("--dataset", ".", "--epochs", 0, "--fine-tune", 0), "leave nothing to do"),
        (("--dataset", ".", "--config", "gone.toml"), "gone.toml"),
        (("--dataset", ".", "--config", "bad.toml"), "not options of train: colour"),
        (("--dataset", ".", "--config", "broken.toml"), "is not TOML"),
        (("--dataset", ".", "--learning-rate", 0), "--learning-rate"),
        (("--dataset", ".", "--folds", 1), "--folds takes 2 or more"),
        (("--dataset", ".", "--folds", 2, "--repeats", 2), "one of --repeats and --folds"),
        (("--dataset", ".", "--repeats", 2, "--output", "x"), "--output is for one run"),
        (("--dataset", ".", "--alpha", 0.5, "--architecture", "tiny_cnn"), "--alpha is the width"),
        (("--dataset", ".", "--accept-worse"), "--accept-worse goes with --from"),
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


ABSURD = [
    *("0", "-1", "nan", "inf", "-inf", "1e400", "99999999", "1e300", "-1e300"),
    *("9" * 1000, "0x" + "f" * 5000, '""', '"a\\u0000b"', '"x"', "[]", "[1]", "[[1]]", "{a = 1}"),
    *("true", "2020-01-01", "[nan]", "[{}]", "." * 3),
]


@pytest.mark.parametrize("command", [train, train_faces], ids=lambda command: command.name)
def test_absurd_values_in_a_config_are_wrong_usage(command: click.Command, tmp_path: Path) -> None:
    """Every option, given every absurd value, takes it or says so; no number is left that hurts."""
    path = tmp_path / "c.toml"
    options = [p for p in command.params if isinstance(p, click.Option) and not p.is_eager]
    for option in options:
        for value in ABSURD:
            path.write_text(f"{option.opts[0].lstrip('-')} = {value}\n")
            found = None
            with contextlib.suppress(click.ClickException, MaskdetError):
                found = given_by(command, "--config", path)[str(option.name)]
            for number in found if isinstance(found, tuple) else (found,):
                if isinstance(number, int | float):
                    assert math.isfinite(number), (option.name, value)
                    assert abs(number) < 2**32, (option.name, value)
                else:
                    assert not isinstance(number, str) or "\0" not in number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image-size = 99999999", "99999999 is not in the range 32<=x<=2048"),
        ("learning-rate = nan", "nan is not a finite number"),
        ("output = [1]", "c.toml: output is not what --output takes"),
        ("output = true", "c.toml: output is not what --output takes"),
        ("seed = 0x" + "f" * 5000, "c.toml: seed is not what --seed takes"),
        ("a = " + "[" * 1000 + "]" * 1000, "c.toml: is not TOML (nested too deeply)"),
        (".".join("a" * 1000) + " = 1", "c.toml: is not TOML (nested too deeply)"),
        ("seed = " + "9" * 5000, "c.toml: is not TOML (Exceeds the limit"),
    ],
    ids=["size", "nan", "list", "flag", "hexadecimal", "deep", "keys", "digits"],
)
def test_what_is_said_of_absurd_configs(tmp_path: Path, text: str, words: str) -> None:
    """The option or the key, and what is wrong with it."""
    (tmp_path / "c.toml").write_text(f"{text}\n")
    with pytest.raises(click.BadParameter) as caught:
        given_by(train, "--config", tmp_path / "c.toml")
    assert words in caught.value.format_message()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_configs_saved_on_windows_are_read(tmp_path: Path, encoding: str) -> None:
    """With the marks that editors there put in front, as in the case windows_text."""
    (tmp_path / "c.toml").write_text("epochs = 3\r\n", encoding=encoding)
    assert given_by(train, "--config", tmp_path / "c.toml")["epochs"] == 3


def given_by(command: click.Command, *arguments: object) -> dict[str, Any]:
    """Returns what a command's options come to."""
    with command.make_context("command", [str(word) for word in arguments]) as context:
        return context.params


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda p: p.stem)
def test_presets_are_options(path: Path) -> None:
    """Every key of a preset is an option of its command, with a value it takes."""
    command = train_faces if path.stem == "faces" else train
    given = given_by(command, "--config", path.stem)
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    names = {p.opts[0].lstrip("-"): str(p.name) for p in command.params}
    for key, value in table.items():
        found = given[names[key]]
        assert (list(found) if isinstance(found, tuple) else found) == value


def test_a_run_of_train_is_repeated_and_resumed_from_its_config(tmp_path: Path) -> None:
    """What a run writes is what --config and --resume read, but for its folder."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "split.csv").touch()
    check_repeated(
        tmp_path,
        train,
        TrainOptions(
            dataset=(tmp_path / "a", tmp_path / "a"),
            output=tmp_path / "x" / "y",
            exclude_like=(tmp_path / "a",),
            architecture="small_cnn",
            schedule="inverse-time",
            split_file=tmp_path / "a" / "split.csv",
            alpha=0.5,
            folds=3,
            export=("int8",),
        ),
    )


def test_a_run_of_train_faces_is_repeated_and_resumed_from_its_config(tmp_path: Path) -> None:
    """With lists of numbers, and with words that TOML has to escape."""
    (tmp_path / "a").mkdir()
    check_repeated(
        tmp_path,
        train_faces,
        FaceTrainOptions(
            images=(tmp_path / "a",),
            annotations=(tmp_path / "a",),
            ignored_labels=('say "x"\\',),
            sizes=(96, 128),
            mixed_precision=True,
        ),
    )


def check_repeated(folder: Path, command: click.Command, options: Any) -> None:
    """Writes options as a run does and reads them by either way."""
    config.write(folder / config.FILE, replace(options, run_dir=folder / "run", overwrite=True))
    given = given_by(command, "--config", folder / config.FILE)
    assert given.pop("resume") is None
    given.pop("preview", None)
    assert type(options)(**given) == options
    resumed = given_by(command, "--resume", folder)
    assert resumed == {**given, "resume": folder} | {
        name: None for name in ("preview",) if name in resumed
    }


def test_paths_in_a_config_are_absolute(tmp_path: Path) -> None:
    """A run is resumed from any folder."""
    config.write(tmp_path / "c.toml", TrainOptions(dataset=(Path("x"),), output=Path("m/y")))
    table = tomllib.loads((tmp_path / "c.toml").read_text(encoding="utf-8"))
    assert table["dataset"] == [str(Path("x").absolute())]
    assert table["output"] == str(Path("m/y").absolute())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('passes = "two"', ("--passes", "'two'")),
        ("passes = [1, 2]", ("--passes",)),
        ("seed = 1.7", ("--seed", "1.7")),
        ("learning-rate = true", ("--learning-rate",)),
        ('size = ["a"]', ("--size", "'a'")),
        ('mixed-precision = "maybe"', ("--mixed-precision", "'maybe'")),
        ("[size]\nx = 1", ("--size",)),
        ('config = "other"', ("not options of train-faces: config",)),
        ("epochs = 3\ndataset = []", ("not options of train-faces: dataset, epochs",)),
    ],
)
@pytest.mark.parametrize("way", ["--config", "--resume"])
def test_files_are_checked_as_the_command_line_is(
    maskdet: Cli, tmp_path: Path, way: str, text: str, words: tuple[str, ...]
) -> None:
    """A wrong type or name in a preset or in a run's config is wrong usage, named in one line."""
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    done = maskdet("train-faces", way, "config.toml" if way == "--config" else ".")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr.splitlines()[-1]


def test_the_run_of_another_command_is_not_taken_up(maskdet: Cli, tmp_path: Path) -> None:
    """A few of the options that do not belong are named, not all of them."""
    config.write(tmp_path / config.FILE, TrainOptions(dataset=(tmp_path,)))
    done = maskdet("train-faces", "--resume", ".")
    assert done.returncode == 2
    assert "not options of train-faces: accept-worse, alpha, architecture and" in (done.stderr)
    assert "warm-up" not in done.stderr


def test_a_single_value_will_do_where_several_may_be_given(tmp_path: Path) -> None:
    """One size is a list of one size."""
    (tmp_path / "one.toml").write_text("size = 320\n", encoding="utf-8")
    assert given_by(train_faces, "--config", tmp_path / "one.toml")["sizes"] == (320,)


def test_resume_takes_no_other_options(maskdet: Cli, tmp_path: Path) -> None:
    """They would not be looked at; nor is a folder taken that is no run."""
    write_classes(tmp_path / "faces", 1)
    (tmp_path / "config.toml").write_text('dataset = ["faces"]\n', encoding="utf-8")
    done = maskdet("train", "--resume", ".", "--epochs", 30)
    assert done.returncode == 2
    assert "leave out --epochs" in done.stderr
    done = maskdet("train", "--resume", "faces")
    assert done.returncode == 2
    assert "faces: is no run" in done.stderr


def test_help_shows_defaults(maskdet: Cli) -> None:
    """Every option of both commands says what it is for, and numbers what they are if not given."""
    for name, command, option in (
        ("train", train, "--epochs"),
        ("train-faces", train_faces, "--passes"),
    ):
        assert all(getattr(parameter, "help", None) for parameter in command.params)
        done = maskdet(name, "--help")
        assert "[default: 2" in " ".join(done.stdout.split(option)[1].split())
