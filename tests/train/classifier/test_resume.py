"""A run that was killed or stopped, wherever it was, goes on to the result it would have had."""

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
from maskdet.train import checkpoint
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.trainer import Trainer
from small_runs import stop_after, trainer

# Moments out of a seed, besides those around each write of a file.
RANDOM_MOMENTS = 14


class Killed(BaseException):
    """The process ends, as by SIGKILL: nothing is tidied up."""


class Moments:
    """Counts what happens in a run, and ends the process at one of the moments.

    Attributes:
        seen: what happened, in turn.
        end: number of the moment at which the process ends; ``None`` for never.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.end: int | None = None

    def __call__(self, what: str) -> None:
        """Notes one, or ends the process."""
        self.seen.append(what)
        if len(self.seen) - 1 == self.end:
            raise Killed

    def watch(self, found: Trainer) -> Trainer:
        """Has a run's batches and lines counted."""
        found.journal.show = lambda _, text: self(text)
        found.journal.say = self
        return found


@dataclass(frozen=True)
class Ended:
    """What a run came to that nobody disturbed.

    Attributes:
        options: of it.
        pictures: of it.
        weights: of the whole network.
        history: one row a pass.
        moments: what happened in it.
    """

    options: TrainOptions
    pictures: Dataset
    weights: list[np.ndarray]
    history: list[dict[str, Any]]
    moments: list[str]

    def check(self, found: Trainer) -> None:
        """Another run came to the same, to the bit."""
        assert found.journal.progress.history == self.history
        for first, second in zip(self.weights, found.networks.whole.get_weights(), strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """Counts files, too: a moment before each is there, and one after."""
    return counting(monkeypatch)


def counting(patch: pytest.MonkeyPatch) -> Moments:
    """Returns what counts the moments of runs."""
    found, real = Moments(), checkpoint.write_arrays

    def write(path: Path, arrays: dict[str, Any]) -> None:
        found(f"before {path.name}")
        real(path, arrays)
        found(f"after {path.name}")

    patch.setattr(checkpoint, "write_arrays", write)
    return found


@pytest.fixture(scope="module", autouse=True)
def backbone() -> Iterator[None]:
    """A network of three layers in MobileNetV2's place."""
    with pytest.MonkeyPatch.context() as patch:
        killed_run.put_small_backbone(patch.setattr)
        yield


@pytest.fixture(scope="module")
def two_phases(small_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run of a frozen phase on cached views and a coarse-to-fine one, undisturbed."""
    folder = tmp_path_factory.mktemp("phases")
    options = killed_run.options(folder, small_weights)
    pictures = prepare(options)
    with pytest.MonkeyPatch.context() as patch:
        moments = counting(patch)
        found = moments.watch(trainer(options, folder / "whole", dataset=pictures))
        found.run()
    history = found.journal.progress.history
    assert [row["size"] for row in history] == [64, 64, 32, 64]
    weights = found.networks.whole.get_weights()
    # Each kind of moment below is one of both phases.
    assert [moments.seen.count(f"after {name}.npz") for name in ("best", "checkpoint")] == [4, 6]
    return Ended(options, pictures, weights, history, moments.seen)


def test_a_run_that_was_killed_anywhere_ends_the_same(
    two_phases: Ended, moments: Moments, tmp_path: Path
) -> None:
    """In batches, between the files of a pass, before there are any: the same to the bit."""
    seen = two_phases.moments
    files = [number for number, what in enumerate(seen) if what.endswith(".npz")]
    others = [number for number in range(len(seen)) if number not in files]
    random = np.random.default_rng(7).choice(others, RANDOM_MOMENTS, replace=False)
    between = [number for number in files if seen[number] == "after best.npz"]
    ends = [files[-1], files[-2]]
    for end in sorted({*between, *ends, *random.tolist()}):
        folder = tmp_path / f"killed {end}"
        found = trainer(two_phases.options, folder, dataset=two_phases.pictures)
        moments.seen, moments.end = [], end
        with pytest.raises(Killed):
            moments.watch(found).run()
        assert moments.seen == seen[: end + 1]
        moments.end = None
        resumed = trainer(two_phases.options, folder, dataset=two_phases.pictures)
        if resumed.journal.begun:
            resumed.resume()
        resumed.run()
        two_phases.check(resumed)


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
            if line.startswith("fine-tune 2/2"):
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    resumed = trainer(two_phases.options, tmp_path / "run", dataset=two_phases.pictures)
    resumed.resume()
    assert 3 <= len(resumed.journal.progress.history) <= 4
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
    assert "3 of 4 passes done" in lines[-2]
    resumed = trainer(two_phases.options, tmp_path / "b", dataset=two_phases.pictures)
    resumed.resume()
    resumed.run()
    two_phases.check(resumed)
