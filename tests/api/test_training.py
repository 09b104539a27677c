"""`maskdet.train`: options of the command, and a model that can be loaded."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet as package
from command_line import SAMPLES
from maskdet import extras
from maskdet.api.training import _CHOICES, _RANGES, TrainSettings, _options
from maskdet.train.classifier.options import TrainOptions


def test_every_option_can_be_given() -> None:
    """The settings are the fields of the command's options, and their defaults pass the checks."""
    names = {field.name for field in fields(TrainOptions)}
    assert set(TrainSettings.__annotations__) == names - {"dataset", "output", "repeats"}
    assert names >= _CHOICES.keys() | _RANGES.keys()
    defaults = {
        field.name: field.default
        for field in fields(TrainOptions)
        if field.name in TrainSettings.__annotations__
    }
    assert _options("faces", None, defaults) == TrainOptions((Path("faces"),))


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
        ({"folds": 5}, ValueError, "fold: expected which of the folds"),
        ({"folds": 5, "fold": 6}, ValueError, "fold: expected which of the folds"),
        ({"deterministic": "yes"}, TypeError, "deterministic: expected True or False"),
        ({"fine_tune_from": 3}, TypeError, "fine_tune_from: expected a text"),
        ({"dataset": []}, ValueError, "dataset: expected at least one folder"),
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


@pytest.mark.training
def test_a_trained_model_can_be_loaded(tmp_path: Path) -> None:
    """What training returns names its files and figures, and is a model for `load`."""
    random = np.random.default_rng(0)
    for label, level in (("with_mask", 160), ("without_mask", 40)):
        folder = tmp_path / "faces" / label
        folder.mkdir(parents=True)
        for number in range(12):
            noise = random.integers(level, level + 60, (48, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), noise)
    lines: list[str] = []
    made = package.train(
        tmp_path / "faces", output=tmp_path / "models" / "mine", run_dir=tmp_path / "run",
        architecture="tiny_cnn", weights="none", image_size=32, batch_size=8, epochs=1,
        fine_tune=0, augmentation="none", export="float32", log=lines.append,
    )  # fmt: skip
    assert made.model == tmp_path / "models" / "mine.json"
    assert made.plots
    assert all(path.is_file() for path in made.plots)
    assert set(made.figures) == {"val", "test"}
    assert any("with_mask" in line for line in lines)
    assert made._repr_html_().count("<img") == len(made.plots)
    detector = package.load(made)
    assert detector.labels == ("with_mask", "without_mask")
    assert len(detector(SAMPLES / "astronaut.jpg")) == 1
