"""The benchmark that repeats the table of presets: what counts, what is missing, what goes on."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import preset_table

REPORT = {"card": {"training": {"passes": 20}}, "val": {"accuracy": {"value": 0.75}}}


def leave_report(folder: Path, passes: int) -> None:
    """Leaves what a run of so many passes does."""
    folder.mkdir(exist_ok=True)
    report = REPORT | {"card": {"training": {"passes": passes}}}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def test_a_run_counts_with_all_of_its_passes(tmp_path: Path) -> None:
    """One that was asked to stop leaves a report, too."""
    assert preset_table.accuracy(tmp_path, 20) is None
    leave_report(tmp_path, 19)
    assert preset_table.accuracy(tmp_path, 20) is None
    leave_report(tmp_path, 20)
    assert preset_table.accuracy(tmp_path, 20) == 0.75


def test_a_table_that_was_stopped_says_what_is_missing_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stopped run has taken counts; the second time, it alone is run."""
    begun: list[str] = []
    passes = {1: 20, 2: 7}
    minutes = 0.0

    def run(preset: str, seed: int, folder: Path, arguments: list[str]) -> None:
        nonlocal minutes
        begun.append(f"{preset} {seed} {arguments[-1]}")
        minutes += 3
        leave_report(folder, passes[seed])

    monkeypatch.setattr(preset_table, "run", run)
    monkeypatch.setattr(preset_table, "busy", lambda: minutes)
    given = ["--dataset", ".", "--work", str(tmp_path), "--preset", "head64", "--seed", "1"]
    given += ["--seed", "2", "--split", "at random"]
    stopped = CliRunner().invoke(preset_table.main, given)
    assert stopped.exit_code == 1
    assert "| at random | 1 | 0.7500 | - | 0.7500 | 3.0 |" in stopped.stdout
    assert "Not run to the end: head64, at random, 2 (3.0 minutes so far)." in stopped.stdout
    passes[2] = 20
    whole = CliRunner().invoke(preset_table.main, given)
    assert whole.exit_code == 0, whole.output
    assert "| at random | 1 2 | 0.7500 | 0.0000 | 0.7500 0.7500 | 4.5 |" in whole.stdout
    assert "Not run" not in whole.stdout
    assert begun == ["head64 1 --naive-split", "head64 2 --naive-split", "head64 2 --naive-split"]
