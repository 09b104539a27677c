"""Where a training run stands: kept in its folder, told to the user, stopped and taken up again.

What the trainers of both networks have in common. What a pass is, they know.
"""

import csv
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maskdet.errors import MaskdetError, ModelError
from maskdet.media.files import replacing
from maskdet.signals import stopping_on_signals
from maskdet.train import checkpoint
from maskdet.train.checkpoint import Progress

Say = Callable[[str], None]
Show = Callable[[float, str], None]
Passed = Callable[[Sequence[dict[str, Any]]], None]

CHECKPOINT, BEST, HISTORY = "checkpoint.npz", "best.npz", "history.csv"


class Interrupted(Exception):  # noqa: N818 - a wish, not an error
    """The user asked the run to stop."""


class Diverged(Exception):  # noqa: N818 - ends a phase, not the run
    """The loss is no longer a number."""


class Journal:
    """The journal of a run.

    Attributes:
        folder: of the run.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text, for a progress bar.
        progress: where the run is.
        interrupted: whether the user ended it.
        diverged: whether its loss stopped being a number.

    Args:
        folder: see above.
        fingerprint: of data and network; a run goes on only where it is the same.
        say: see above.
        show: see above.
        passed: takes the figures of all passes so far, after each.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        *,
        say: Say,
        show: Show,
        passed: Passed = lambda _: None,
    ) -> None:
        self.folder, self.say, self.show = folder, say, show
        self._passed = passed
        self.progress = Progress(fingerprint)
        self.interrupted = self.diverged = False
        self._stop = threading.Event()

    @property
    def begun(self) -> bool:
        """Whether there is a pass in the folder to go on from."""
        return (self.folder / CHECKPOINT).is_file()

    def tick(self, share: float, text: str) -> None:
        """Shows progress, and ends what is going on if the user asked for it."""
        self.show(share, text)
        if self._stop.is_set():
            raise Interrupted

    def run(self, passes: Callable[[], None]) -> None:
        """Runs passes until they are done, the user interrupts, or the loss diverges.

        Args:
            passes: calls `tick` between batches and `end_pass` after each pass.

        Raises:
            MaskdetError: it ended before a single pass was done.
        """
        ended = ""
        with stopping_on_signals(self._stop):
            try:
                passes()
            except Interrupted:
                self.interrupted, ended = True, "stopped as asked"
            except Diverged:
                self.diverged, ended = True, "the loss is no longer a number: stopped"
        learned = self.progress.best_epoch >= 0
        if ended:
            kept = f"; the best network so far is kept: --resume {self.folder} goes on"
            self.say(ended + (kept if learned else ""))
        if not learned:
            reason = (
                "the loss is not a number; lower the learning rate"
                if self.diverged
                else "stopped before the first pass was done"
            )
            raise MaskdetError(f"nothing was learned: {reason}")

    def end_pass(self, row: dict[str, Any], loss: float, weights: Callable[[], list[Any]]) -> None:
        """Notes a pass, and keeps its weights if they are the best so far.

        Args:
            row: its figures.
            loss: what is to be as low as possible on the validation pictures.
            weights: gives the network's arrays.

        Raises:
            Diverged: the loss is no number.
            OutputError: the weights cannot be written.
        """
        progress = self.progress
        progress.history.append(row)
        progress.epoch += 1
        if not math.isfinite(loss):
            raise Diverged
        self._passed(progress.history)
        if loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, len(progress.history)
            arrays = {f"w{index}": value for index, value in enumerate(weights())}
            checkpoint.write_arrays(self.folder / BEST, arrays)
        progress.waited = 0 if loss < progress.phase_loss else progress.waited + 1
        progress.phase_loss = min(loss, progress.phase_loss)

    def save(self, variables: Sequence[Any]) -> None:
        """Saves progress and the value of everything that changes in training.

        Raises:
            OutputError: it cannot be written.
        """
        values = [variable.numpy() for variable in variables]
        checkpoint.save(self.folder / CHECKPOINT, self.progress, values)

    def restore(self) -> list[Any]:
        """Takes up the saved progress.

        Returns:
            The saved values, for `assign`.

        Raises:
            ModelError: no checkpoint, or one of other pictures or another network.
        """
        saved, values = checkpoint.load(self.folder / CHECKPOINT)
        if saved.fingerprint != self.progress.fingerprint:
            raise ModelError(
                f"{self.folder}: was started with other pictures or another network; start a new "
                "run, with --from to build on an existing model"
            )
        self.progress = saved
        return values

    def assign(self, variables: Sequence[Any], values: Sequence[Any]) -> None:
        """Gives variables the values that `restore` returned.

        Raises:
            ModelError: they are of another network.
        """
        if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
            raise ModelError(f"{self.folder / CHECKPOINT}: is of another network")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def load_best(self, network: Any) -> None:
        """Gives a Keras model the best weights so far.

        Raises:
            ModelError: they are missing, damaged or of another network.
        """
        path = self.folder / BEST
        try:
            arrays = checkpoint.read_arrays(path)
            network.set_weights([arrays[f"w{index}"] for index in range(len(arrays))])
        except (OSError, ValueError, KeyError):
            raise ModelError(f"{path}: is missing, damaged or of another network") from None

    def write_history(self) -> None:
        """Writes ``history.csv``, one row a pass.

        Raises:
            OutputError: it cannot be written.
        """
        names = list(dict.fromkeys(name for row in self.progress.history for name in row))
        with (
            replacing(self.folder / HISTORY) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as stream,
        ):
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows(self.progress.history)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Says, where the user ends a run that has learned something, how to go on with it."""
        try:
            yield
        except KeyboardInterrupt:
            if self.progress.best_epoch >= 0:
                self.say(f"what was learned is kept: --resume {self.folder} goes on")
            raise
