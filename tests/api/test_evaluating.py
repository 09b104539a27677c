"""`maskdet.evaluate`: paths and figures of what the command writes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import maskdet as package
from command_line import SAMPLES


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Class folders of one face each."""
    for label, picture in (("with_mask", "astronaut_masked"), ("without_mask", "astronaut")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(SAMPLES / f"{picture}.jpg", tmp_path / "faces" / label)
    return tmp_path / "faces"


def test_figures_are_those_of_the_report(folders: Path, tmp_path: Path) -> None:
    """What is returned is what was written; an earlier report can be compared with."""
    progress: list[float] = []
    result = package.evaluate(
        folders, output=tmp_path / "report", progress=lambda share, _: progress.append(share)
    )
    assert result.figures["accuracy"] == 1
    assert result.page.is_file()
    assert json.loads(result.report.read_text(encoding="utf-8")) == result.to_dict()
    assert "<table>" in result._repr_html_()
    assert progress
    again = package.evaluate(folders, output=tmp_path / "again", compare=result.report)
    assert again.worse == ()
    (folders / "with_mask" / "astronaut_masked.jpg").unlink()
    shutil.copy(SAMPLES / "astronaut.jpg", folders / "with_mask")
    other = {"output": tmp_path / "other", "compare": result.report}
    with pytest.raises(package.DatasetError, match="measured on other pictures"):
        package.evaluate(folders, **other)
    assert package.evaluate(folders, **other, other_data=True).worse == ("balanced_accuracy",)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, ValueError, "expected one of dataset, run, images and video; got none"),
        ({"dataset": "a", "video": "b"}, ValueError, "got dataset and video"),
        ({"video": "a.mp4"}, ValueError, "video and label go together"),
        ({"images": "a"}, ValueError, "images and annotations go together"),
        ({"dataset": "a", "gate": ["accuracy"]}, ValueError, "gate: needs compare"),
        ({"dataset": "a", "other_data": True}, ValueError, "other_data: needs compare"),
        ({"dataset": "a", "run": "b"}, ValueError, "got dataset and run"),
        ({"dataset": "a", "part": "val"}, ValueError, "part: goes with run"),
        ({"run": "a", "part": "all"}, ValueError, "part: expected one of train, val, test"),
        ({"run": "a", "map": {"a": "b"}}, ValueError, "map: does not go with run"),
        ({"run": "nowhere"}, package.ModelError, "nowhere: is no folder of a training run"),
        ({"dataset": "a", "tolerance": -1}, ValueError, "tolerance: expected at least 0"),
        ({"dataset": "a", "format": "csv"}, ValueError, "format: expected one of"),
        ({"dataset": "nowhere"}, package.DatasetError, "nowhere: no such folder"),
        ({"dataset": 3}, TypeError, "dataset: expected a path, got int"),
        ({"data": "a"}, TypeError, "data"),
    ],
)
def test_bad_arguments_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    """What contradicts itself, or is not there, is told, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        package.evaluate(**arguments)
    assert list(tmp_path.iterdir()) == []
