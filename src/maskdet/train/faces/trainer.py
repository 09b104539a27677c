"""The face training loop: passes, the best one kept, stopped and resumed without loss."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.errors import MaskdetError, ModelError
from maskdet.train import checkpoint
from maskdet.train.checkpoint import Progress
from maskdet.train.faces.augmentation import FaceAugmentation
from maskdet.train.faces.feed import FaceFeed, batches, steps
from maskdet.train.faces.measure import FaceOutcome
from maskdet.train.faces.network import TrainedSsd
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.stopping import Diverged, Interrupted, Stop, graceful_stop

CHECKPOINT, BEST = "checkpoint.npz", "best.npz"


class FaceTrainer:
    """Trains an SSD.

    Args:
        options: of the run.
        trained: the network, in place.
        train: pictures to learn from.
        validation: pictures that pick the best pass.
        folder: where checkpoints go.
        fingerprint: of data and network.
        say: takes one line of log.
        show: takes the fraction of the pass that is done and a short text, for a progress bar.
    """

    def __init__(
        self,
        options: FaceTrainOptions,
        trained: TrainedSsd,
        train: FaceFeed,
        validation: FaceFeed,
        *,
        folder: Path,
        fingerprint: str,
        say: Callable[[str], None],
        show: Callable[[float, str], None],
    ) -> None:
        self.options, self.trained = options, trained
        self.train, self.validation = train, validation
        self.folder, self.say, self.show = folder, say, show
        self.progress = Progress(fingerprint)
        self._priors = {size: trained.priors(size) for size in options.sizes}

    def resume(self) -> None:
        """Takes up where the checkpoint in the run's folder stands.

        Raises:
            ModelError: no checkpoint, or one of other pictures or another network.
        """
        path = self.folder / CHECKPOINT
        saved, values = checkpoint.load(path)
        if saved.fingerprint != self.progress.fingerprint:
            raise ModelError(f"{path}: was started with other pictures or another network")
        variables = self.trained.variables
        if [tuple(variable.shape) for variable in variables] != [v.shape for v in values]:
            raise ModelError(f"{path}: is of another network")
        self.progress = saved
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def run(self) -> None:
        """Trains until all passes are done, the user interrupts, or the loss diverges.

        Afterwards the averaged network holds the best weights.

        Raises:
            MaskdetError: it ended before a single pass was done.
        """
        progress, options = self.progress, self.options
        reason = "stopped before the first pass was done"
        with graceful_stop() as stop:
            try:
                while progress.epoch < options.passes:
                    if options.patience and progress.waited >= options.patience:
                        self.say(f"no better for {options.patience} passes, stopped early")
                        break
                    self._pass(stop)
            except Interrupted:
                self.say("stopped as asked; the best network so far is kept")
            except Diverged:
                reason = "the loss is not a number; lower the learning rate"
                self.say("the loss is no longer a number: stopped, the best so far is kept")
        if progress.best_epoch < 0:
            raise MaskdetError(f"nothing was learned: {reason}")
        self._load_best()

    def _pass(self, stop: Stop) -> None:
        options, progress = self.options, self.progress
        data = batches(
            self.train,
            self._priors,
            self.trained.spec.variances,
            batch_size=options.batch_size,
            epoch=progress.epoch,
            how=FaceAugmentation(),
        )
        count = steps(self.train, options.sizes, options.batch_size, progress.epoch)
        losses = []
        for number, batch in enumerate(data, 1):
            losses.append(self.trained.step(*batch))
            if not math.isfinite(sum(losses[-1])):
                raise Diverged
            if stop.asked:
                raise Interrupted
            title = f"pass {progress.epoch + 1}/{options.passes}"
            self.show(number / count, f"{title} loss {sum(losses[-1]):.3f}")
        scoring, placing = np.mean(losses, axis=0).tolist()
        found = measure(self.trained, self.validation, options.measured_sizes)
        areas = [outcome.average_precision for outcome in found]
        progress.epoch += 1
        row: dict[str, Any] = {"pass": progress.epoch, "scoring": scoring, "placing": placing}
        names = [f"average_precision_{size}" for size in options.measured_sizes]
        row |= dict(zip(names, areas, strict=True))
        progress.history.append({name: round(value, 5) for name, value in row.items()})
        missing = 1 - float(np.mean(areas))
        progress.waited += 1
        if missing < progress.best_loss:
            progress.best_loss, progress.best_epoch = missing, progress.epoch
            progress.waited = 0
            weights = self.trained.averaged.get_weights()
            arrays = {f"w{index}": value for index, value in enumerate(weights)}
            checkpoint.write_arrays(self.folder / BEST, arrays)
        values = [variable.numpy() for variable in self.trained.variables]
        checkpoint.save(self.folder / CHECKPOINT, progress, values)
        figures = ", ".join(
            f"{area:.4f} at {size}"
            for area, size in zip(areas, options.measured_sizes, strict=True)
        )
        self.say(
            f"pass {progress.epoch}/{options.passes}: loss {scoring:.3f} + {placing:.3f}; "
            f"validation average precision {figures}"
        )

    def _load_best(self) -> None:
        path = self.folder / BEST
        try:
            with np.load(path, allow_pickle=False) as arrays:
                weights = [arrays[f"w{index}"] for index in range(len(arrays.files))]
            self.trained.averaged.set_weights(weights)
        except (OSError, ValueError, KeyError):
            raise ModelError(f"{path}: is missing, damaged or of another network") from None


def measure(trained: TrainedSsd, feed: FaceFeed, sizes: Sequence[int]) -> list[FaceOutcome]:
    """Runs the averaged network over a feed's pictures at each input side."""
    outcomes: list[list[FaceOutcome]] = [[] for _ in sizes]
    for index in range(len(feed)):
        boxed = feed.read(index)
        for number, size in enumerate(sizes):
            xyxy, scores = trained.detect(boxed.picture, size)
            outcomes[number].append(FaceOutcome.of(xyxy, scores, boxed.faces, boxed.ignored))
    return [FaceOutcome.together(of_size) for of_size in outcomes]
