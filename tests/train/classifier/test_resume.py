"""A run that was killed or stopped, wherever it was, goes on to the result it would have had."""

import math
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import killed_run
import small_backbone
from maskdet.train import checkpoint
from maskdet.train.carrying_out import carry_out
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.passes import watching
from maskdet.train.classifier.trainer import Trainer
from maskdet.train.journal import BEST, CHECKPOINT
from small_runs import stop_after, trainer


@dataclass(frozen=True)
class Ended:
    """What a run came to that nobody disturbed.

    Attributes:
        options: of it.
        pictures: of it.
        weights: of the whole network.
        history: one row a pass.
        left: folders after each write: a kill at any moment leaves one of them.
        passed: what was kept of the run when each pass had been said.
    """

    options: TrainOptions
    pictures: Dataset
    weights: list[np.ndarray]
    history: list[dict[str, Any]]
    left: list[Path]
    passed: list[dict[str, np.ndarray]]

    def check(self, found: Trainer) -> None:
        """Another run came to the same, to the bit."""
        assert found.journal.progress.history == self.history
        for first, second in zip(self.weights, found.networks.whole.get_weights(), strict=True):
            np.testing.assert_array_equal(first, second)


class PassDone(Exception):  # noqa: N818 - ends a run
    """A pass is done, and kept."""


def kept(folder: Path) -> dict[str, np.ndarray]:
    """Returns all that a run goes on from."""
    return {
        f"{name} {key}": array
        for name in (CHECKPOINT, BEST)
        for key, array in checkpoint.read_arrays(folder / name).items()
    }


@pytest.fixture(scope="module", autouse=True)
def backbone() -> Iterator[None]:
    """A network of three layers in MobileNetV2's place, and no plots on the way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.applications.MobileNetV2", small_backbone.small_backbone)
        patch.setattr(watching, "PLOT_SECONDS", math.inf)
        yield


@pytest.fixture(scope="module")
def two_phases(small_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run of a frozen phase on cached views and a coarse-to-fine one, undisturbed."""
    folder = tmp_path_factory.mktemp("phases")
    options = killed_run.options(folder, small_weights)
    pictures = prepare(options)
    run, left = folder / "run", [folder / "left 0"]
    left[0].mkdir()
    real, passed = checkpoint.write_arrays, []

    def say(line: str) -> None:
        if "validation loss" in line:
            passed.append(kept(run))

    def write(path: Path, arrays: dict[str, Any]) -> None:
        real(path, arrays)
        left.append(Path(shutil.copytree(run, folder / f"left {len(left)}")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "write_arrays", write)
        found = trainer(options, run, say, pictures)
        found.run()
    history = found.journal.progress.history
    assert [row["size"] for row in history] == [32, 32, 32, 16, 32, 32]
    return Ended(options, pictures, found.networks.whole.get_weights(), history, left, passed)


def test_a_run_that_was_killed_anywhere_goes_on_the_same(two_phases: Ended, tmp_path: Path) -> None:
    """Before a file is there, between those of a pass, between phases: the same to the bit.

    All that a run goes on from is what it would have been when the next pass is done, random states
    and optimizer included; so are, pass by pass, all that follow.
    """
    # The best pass of a phase, and none of the other yet: there the next phase may not begin anew.
    losses = [row["val_loss"] for row in two_phases.history]
    assert losses[3] < min(losses[:3])

    def say(line: str) -> None:
        if "validation loss" in line:
            raise PassDone

    reached = []
    for number, folder in enumerate(two_phases.left):
        copy = Path(shutil.copytree(folder, tmp_path / str(number)))
        resumed = trainer(two_phases.options, copy, say, two_phases.pictures)
        try:
            carry_out(resumed, two_phases.pictures, resumed.journal, resumed=True)
        except PassDone:
            reached.append(len(resumed.journal.progress.history))
            found, expected = kept(copy), two_phases.passed[reached[-1] - 1]
            assert found.keys() == expected.keys()
            for key, array in expected.items():
                np.testing.assert_array_equal(found[key], array, err_msg=f"{number}: {key}")
        else:
            two_phases.check(resumed)
    assert sorted(set(reached)) == [1, 2, 3, 4, 5, 6]
    assert reached == sorted(reached)


def test_a_run_that_gets_sigkill_ends_the_same(
    two_phases: Ended, small_weights: Path, tmp_path: Path
) -> None:
    """Another process is killed while it computes; this one goes on."""
    program = [sys.executable, killed_run.__file__, *map(str, (tmp_path, small_weights))]
    pictures = two_phases.options.dataset[0]
    (tmp_path / "pictures").symlink_to(pictures, target_is_directory=True)
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("fine-tune 2/3"):
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    resumed = trainer(two_phases.options, tmp_path / "run", dataset=two_phases.pictures)
    resumed.resume()
    assert 4 <= len(resumed.journal.progress.history) <= 5
    resumed.run()
    two_phases.check(resumed)


def test_a_run_that_was_stopped_ends_the_same(two_phases: Ended, tmp_path: Path) -> None:
    """Ctrl-C between two passes keeps what was learned, says how to go on, and loses nothing."""
    lines: list[str] = []
    stop = stop_after(3)

    def say(line: str) -> None:
        lines.append(line)
        stop(line)

    stopped = trainer(two_phases.options, tmp_path / "b", say, two_phases.pictures)
    stopped.run()
    assert stopped.journal.interrupted
    assert len(stopped.journal.progress.history) == 3
    assert f"--resume {tmp_path / 'b'} goes on" in lines[-1]
    assert "3 of 6 passes done" in lines[-2]
    resumed = trainer(two_phases.options, tmp_path / "b", dataset=two_phases.pictures)
    resumed.resume()
    resumed.run()
    two_phases.check(resumed)
