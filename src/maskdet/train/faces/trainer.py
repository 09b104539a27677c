"""The face training loop: passes, the best one kept, stopped and resumed without loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from maskdet.train.faces.augmentation import FaceAugmentation
from maskdet.train.faces.feed import FaceFeed, batches, steps
from maskdet.train.faces.measure import FaceOutcome
from maskdet.train.faces.network import TrainedSsd
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.journal import Diverged, Journal


class FaceTrainer:
    """Trains an SSD.

    Args:
        options: of the run.
        trained: the network, in place.
        train: pictures to learn from.
        validation: pictures that pick the best pass.
        journal: of the run.
    """

    def __init__(
        self,
        options: FaceTrainOptions,
        trained: TrainedSsd,
        train: FaceFeed,
        validation: FaceFeed,
        journal: Journal,
    ) -> None:
        self.options, self.trained, self.journal = options, trained, journal
        self.train, self.validation = train, validation
        self._priors = {size: trained.priors(size) for size in options.sizes}

    def resume(self) -> None:
        """Takes up where the checkpoint in the run's folder stands.

        Raises:
            ModelError: no checkpoint, or one of other pictures or another network.
        """
        self.journal.assign(self.trained.variables, self.journal.restore())

    def run(self) -> None:
        """Trains until all passes are done, the user interrupts, or the loss diverges.

        Afterwards the averaged network holds the best weights.

        Raises:
            MaskdetError: it ended before a single pass was done.
        """
        self.journal.run(self._run_passes)
        self.journal.load_best(self.trained.averaged)

    def _run_passes(self) -> None:
        progress, patience = self.journal.progress, self.options.patience
        while progress.epoch < self.options.passes:
            if patience and progress.waited >= patience:
                self.journal.say(f"no better for {patience} passes, stopped early")
                break
            self._run_pass()

    def _run_pass(self) -> None:
        options, progress = self.options, self.journal.progress
        data = batches(
            self.train,
            self._priors,
            self.trained.spec.variances,
            batch_size=options.batch_size,
            epoch=progress.epoch,
            how=FaceAugmentation(),
        )
        count = steps(self.train, options.sizes, options.batch_size, progress.epoch)
        title = f"pass {progress.epoch + 1}/{options.passes}"
        losses = []
        for number, batch in enumerate(data, 1):
            losses.append(self.trained.step(*batch))
            if not math.isfinite(sum(losses[-1])):
                raise Diverged
            self.journal.tick(number / count, f"{title} loss {sum(losses[-1]):.3f}")
        scoring, placing = np.mean(losses, axis=0).tolist()
        areas = [
            found.average_precision
            for found in measure(self.trained, self.validation, options.measured_sizes)
        ]
        row: dict[str, Any] = {
            "pass": progress.epoch + 1,
            "scoring": round(scoring, 5),
            "placing": round(placing, 5),
        }
        for size, area in zip(options.measured_sizes, areas, strict=True):
            row[f"average_precision_{size}"] = round(area, 5)
        missing = 1 - float(np.mean(areas))
        self.journal.end_pass(row, missing, self.trained.averaged.get_weights)
        self.journal.save(self.trained.variables)
        self.journal.write_history()
        figures = ", ".join(
            f"{area:.4f} at {size}"
            for area, size in zip(areas, options.measured_sizes, strict=True)
        )
        self.journal.say(
            f"{title}: loss {scoring:.3f} + {placing:.3f}; validation average precision {figures}"
        )


def measure(trained: TrainedSsd, feed: FaceFeed, sizes: Sequence[int]) -> list[FaceOutcome]:
    """Runs the averaged network over a feed's pictures.

    Args:
        trained: the network.
        feed: boxed pictures.
        sizes: input sides, pixels.

    Returns:
        What became of detections and faces at each of the sides.
    """
    outcomes: list[list[FaceOutcome]] = [[] for _ in sizes]
    for index in range(len(feed)):
        boxed = feed.read(index)
        for number, size in enumerate(sizes):
            xyxy, scores = trained.detect(boxed.picture, size)
            outcomes[number].append(FaceOutcome.of(xyxy, scores, boxed.faces, boxed.ignored))
    return [FaceOutcome.together(of_size) for of_size in outcomes]
