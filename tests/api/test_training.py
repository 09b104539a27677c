"""`maskdet.train`: options of the command, and a model that can be loaded."""

import logging
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet as package
from command_line import SAMPLES
from maskdet import extras
from maskdet.api.live import showing
from maskdet.api.training_options import _CHOICES, TrainSettings, checked_options
from maskdet.limits import TRAINING
from maskdet.train.classifier.options import TrainOptions


def test_every_option_can_be_given() -> None:
    """The settings are the fields of the command's options, and their defaults pass the checks."""
    names = {field.name for field in fields(TrainOptions)}
    assert set(TrainSettings.__annotations__) == names - {"dataset", "output"}
    assert names >= _CHOICES.keys() | TRAINING.keys()
    defaults = {
        field.name: field.default
        for field in fields(TrainOptions)
        if field.name in TrainSettings.__annotations__
    }
    assert checked_options("faces", None, defaults) == TrainOptions((Path("faces"),))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"epoch": 3}, TypeError, "no option 'epoch'; did you mean epochs?"),
        ({"epochs": -1}, ValueError, "epochs: expected at least 0, got -1"),
        ({"epochs": 2.5}, TypeError, "epochs: expected a whole number"),
        ({"epochs": 0, "fine_tune": 0}, ValueError, "leave nothing to do"),
        ({"dropout": 1}, ValueError, "dropout: expected 0 to less than 1, got 1"),
        ({"learning_rate": 0}, ValueError, "learning_rate: expected above 0 and up to 10, got 0"),
        ({"optimizer": "lion"}, ValueError, "optimizer: expected one of adam"),
        ({"export": ["float64"]}, ValueError, "export: expected one of float32"),
        ({"export": []}, ValueError, "export: expected at least one"),
        ({"folds": 1}, ValueError, "folds: expected 2 or more"),
        ({"folds": 5, "fold": 6}, ValueError, "folds: expected 2 or more, and fold one of them"),
        ({"folds": 5, "repeats": 2}, ValueError, "repeats and folds: expected one of them"),
        ({"repeats": 2, "output": "mine"}, ValueError, "output: is for one run"),
        ({"folds": 5, "naive_split": True}, ValueError, "naive_split: does not go with folds"),
        ({"split_file": "a.csv", "folds": 5}, ValueError, "split_file: goes with neither"),
        ({"alpha": 0.5, "architecture": "tiny_cnn"}, ValueError, "alpha: is the width of"),
        ({"accept_worse": True}, ValueError, "accept_worse: goes with from_model"),
        ({"deterministic": "yes"}, TypeError, "deterministic: expected True or False"),
        ({"fine_tune_from": 3}, TypeError, "fine_tune_from: expected a text"),
        ({"dataset": []}, ValueError, "dataset: expected at least one folder"),
        ({"dataset": None}, TypeError, "dataset: expected a path, got None"),
        ({"dataset": 3}, TypeError, "dataset: expected a path, got int"),
        ({"log": 3}, TypeError, "log: expected a callable"),
    ],
)
def test_bad_options_are_refused(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    """A wrong option is told by its name before TensorFlow is loaded."""
    with pytest.raises(error, match=words):
        package.train(**{"dataset": "faces", **arguments})


def test_training_without_tensorflow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the extra."""
    monkeypatch.setattr(extras, "missing", lambda _: ("TensorFlow",))
    with pytest.raises(package.MissingExtraError, match=r"maskdet\[train\]"):
        package.train("faces")


def make_faces(folder: Path) -> Path:
    """Writes two classes of 12 small pictures that differ in brightness."""
    random = np.random.default_rng(0)
    for label, level in (("with_mask", 160), ("without_mask", 40)):
        (folder / label).mkdir(parents=True)
        for number in range(12):
            noise = random.integers(level, level + 60, (48, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / label / f"{number}.png"), noise)
    return folder


TINY: dict[str, Any] = {
    "architecture": "tiny_cnn",
    "weights": "none",
    "image_size": 32,
    "batch_size": 8,
    "fine_tune": 0,
    "augmentation": "none",
    "export": "float32",
}


@pytest.mark.training
def test_a_trained_model_can_be_loaded(tmp_path: Path) -> None:
    """What training returns names its files and figures, and is a model for `load`."""
    lines: list[str] = []
    handlers = logging.root.handlers[:]
    made = package.train(
        make_faces(tmp_path / "faces"), output=tmp_path / "models" / "mine",
        run_dir=tmp_path / "run", epochs=1, log=lines.append, **TINY,
    )  # fmt: skip
    assert made.model == tmp_path / "models" / "mine.json"
    assert made.plots
    assert all(path.is_file() for path in made.plots)
    assert set(made.figures) == {"val", "test"}
    assert any("with_mask" in line for line in lines)
    assert made._repr_html_().count("<img") == len(made.plots)
    # TensorFlow would have had the root logger print what the logger "maskdet" is told.
    assert logging.root.handlers == handlers
    detector = package.load(made)
    assert detector.labels == ("with_mask", "without_mask")
    assert len(detector(SAMPLES / "astronaut.jpg")) == 1


class StoppedError(Exception):
    """Ends a run from outside."""


@pytest.mark.training
def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    """`resume` needs the run's folder alone, and does the passes that are left."""

    def stop(_: float, text: str) -> None:
        if " 2/2 " in text:
            raise StoppedError

    with pytest.raises(StoppedError):
        package.train(
            make_faces(tmp_path / "faces"),
            run_dir=tmp_path / "run",
            epochs=2,
            progress=stop,
            **TINY,
        )
    resumed = package.train(resume=tmp_path / "run")
    assert resumed.folder == tmp_path / "run"
    assert resumed.model.is_file()
    rows = (resumed.folder / "history.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["1", "2"]


@pytest.mark.training
def test_several_runs_give_mean_and_spread(tmp_path: Path) -> None:
    """A model of each seed; the first is the one that is loaded. Resumed, nothing is done again."""
    told: list[str] = []
    made = package.train(
        make_faces(tmp_path / "faces"),
        run_dir=tmp_path / "all",
        repeats=2,
        epochs=1,
        **{**TINY, "log": told.append},
    )
    assert made.models == tuple(tmp_path / "all" / name / "mask_detector.json" for name in "12")
    assert made.model == made.models[0]
    accuracy = made.figures["val"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["values"]))
    assert len(accuracy["values"]) == 2
    assert str(made).startswith("2 runs: mean")
    assert any(line.startswith("run 2 of 2, seed 2") for line in told)
    again = package.train(resume=tmp_path / "all", progress=StoppedError)
    assert again == made
    of_run = package.evaluate(run=tmp_path / "all" / "2", part="val", output=tmp_path / "report")
    assert of_run.figures["accuracy"] == pytest.approx(accuracy["values"][1], abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"dataset": "faces"}, TypeError, "resume: the run has its own options; leave out dataset"),
        ({"epochs": 3}, TypeError, "leave out epochs"),
        ({}, package.OptionError, "is no run, it holds no config.toml"),
    ],
)
def test_resume_stands_alone(
    arguments: dict[str, Any], error: type[Exception], words: str, tmp_path: Path
) -> None:
    """Options beside it would not be heard; a folder that is no run is named."""
    with pytest.raises(error, match=words):
        package.train(resume=tmp_path, **arguments)


class Handle:
    """What is shown in one place of a notebook, one after another."""

    def __init__(self, first: Any) -> None:
        self.shown = [first]

    def update(self, what: Any) -> None:
        """Takes what is to be shown instead."""
        self.shown.append(what)


def test_a_notebook_sees_progress_and_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a kernel a bar and a plot are renewed in place; elsewhere nothing is shown."""
    display = pytest.importorskip("IPython.display")
    history = [{"epoch": 1, "phase": "all", "size": 32, "loss": 1.0, "val_loss": 1.0,
                "accuracy": 0.5, "val_accuracy": 0.5}]  # fmt: skip
    handles: list[Handle] = []

    def show(what: Any, *, display_id: bool) -> Handle:
        assert display_id
        handles.append(Handle(what))
        return handles[-1]

    monkeypatch.setattr(display, "display", show)
    with showing(None) as (tell, passed):
        tell(0.5, "all 1/1")
        passed(history)
    assert not handles
    kernel = SimpleNamespace(kernel=object())
    monkeypatch.setattr("IPython.get_ipython", lambda: kernel)
    with showing(None) as (tell, passed):
        tell(0.5, "all <1>/1")
        passed(history)
    bar, curves = handles
    assert [shown.data for shown in bar.shown] == [
        "", "<progress value='0.500'></progress> all &lt;1&gt;/1", "",
    ]  # fmt: skip
    assert curves.shown[-1].data.startswith(b"\x89PNG")
    told: list[float] = []
    with showing(lambda share, _: told.append(share)) as (tell, _):
        tell(0.25, "mine")
    assert told == [0.25]
    assert len(handles) == 2
