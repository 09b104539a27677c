"""The training loop: phases of passes, the best pass kept, stopped and resumed without loss."""

import math
from dataclasses import dataclass
from typing import Any

import keras

from maskdet.train.classifier.augmentation import AUGMENTATIONS
from maskdet.train.classifier.feed import Feed, batches
from maskdet.train.classifier.model import Networks, freeze_trunk, unfreeze
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.passes.norms import FreshNorms
from maskdet.train.classifier.passes.schedules import schedule
from maskdet.train.classifier.passes.sharing import Accuracy, MeanLoss, SharedLoss, devices
from maskdet.train.classifier.passes.spread import SPREAD, Spread, same_answers
from maskdet.train.classifier.passes.watching import Clock, Watch
from maskdet.train.classifier.views import Views
from maskdet.train.journal import Journal
from maskdet.train.plots import plot_history
from maskdet.train.run_folder import writing_to
from maskdet.wording import duration


@dataclass(frozen=True)
class Phase:
    """Passes with one part of the network trainable.

    Attributes:
        name: for the log.
        epochs: how many passes.
        rate: peak learning rate.
        part: ``head`` on cached features, ``top`` (the head, with fresh views), ``all`` of an
            untrained network, or ``fine`` (from the named layer up).
    """

    name: str
    epochs: int
    rate: float
    part: str


def plan(options: TrainOptions, *, pretrained: bool) -> list[Phase]:
    """Returns the phases of a run.

    Args:
        options: of the run.
        pretrained: whether there is a trained backbone to freeze at first.
    """
    if not pretrained:
        return [Phase("train", options.epochs, options.learning_rate, "all")]
    head = Phase(
        "frozen", options.epochs, options.learning_rate, "head" if options.views else "top"
    )
    fine = Phase("fine-tune", options.fine_tune, options.fine_tune_rate, "fine")
    return [phase for phase in (head, fine) if phase.epochs > 0]


class Trainer:
    """Trains networks by a plan.

    Args:
        options: of the run.
        networks: to train, in place.
        train: pictures to learn from.
        validation: pictures that pick the best pass.
        journal: of the run.
    """

    def __init__(
        self,
        options: TrainOptions,
        networks: Networks,
        train: Feed,
        validation: Feed,
        journal: Journal,
    ) -> None:
        self.options, self.networks, self.journal = options, networks, journal
        self.train, self.validation = train, validation
        self.phases = plan(options, pretrained=networks.pretrained)
        self._views = Views(options, networks, train, validation, self._tick)
        self._clock = Clock()

    def resume(self) -> None:
        """Takes up where the checkpoint in the run's folder stands.

        Raises:
            ModelError: no checkpoint, or one of other pictures or another network.
        """
        values = self.journal.restore()
        progress = self.journal.progress
        if progress.phase < len(self.phases) and progress.epoch:
            self._prepare(self.phases[progress.phase])
            self.journal.assign(self._variables(), values)
        else:  # between two phases: the next starts from the best weights, which are saved then
            self.journal.assign(self._lasting(), values)

    def run(self) -> None:
        """Trains until the plan is done, the user interrupts, or the loss diverges.

        Afterwards the networks hold the best weights.

        Raises:
            MaskdetError: it ended before a single pass was done.
        """
        self.journal.run(self._run_phases)
        self.journal.load_best(self.networks.whole)

    def _run_phases(self) -> None:
        for number in range(self.journal.progress.phase, len(self.phases)):
            self._run_phase(number)

    def _run_phase(self, number: int) -> None:
        phase, progress = self.phases[number], self.journal.progress
        if progress.phase != number or progress.epoch == 0:
            self._prepare(phase)
            self._clock.reset()
            progress.phase, progress.epoch = number, 0
            progress.waited, progress.phase_loss = 0, math.inf
        patience = self.options.patience
        while progress.epoch < phase.epochs and not (patience and progress.waited >= patience):
            self._run_epoch(phase)
        if progress.epoch < phase.epochs:
            self.journal.say(f"{phase.name}: no better for {patience} passes, stopped early")
        progress.phase, progress.epoch = number + 1, 0
        # Now, not when the next phase starts: by then its first pass may have written a better one,
        # and a run that is killed between that and its checkpoint would start from it again.
        self.journal.load_best(self.networks.whole)
        self.journal.save(self._lasting())

    def _run_epoch(self, phase: Phase) -> None:
        progress = self.journal.progress
        done = len(progress.history)  # over all phases: each pass draws views of its own
        model = self._model(phase)
        title = f"{phase.name} {progress.epoch + 1}/{phase.epochs}"
        watch = Watch(self._tick, title)
        self._clock.start()
        data = self._epoch_data(phase, done)
        callbacks: list[Any] = [watch]
        if phase.part == "all":
            callbacks.append(FreshNorms(self.networks.trunk or self.networks.whole, data["x"]))
        logs = model.fit(**data, epochs=1, verbose=0, shuffle=False, callbacks=callbacks).history
        row: dict[str, Any] = {"epoch": done + 1, "phase": phase.name, "size": self._size(phase)}
        # Keras's own loss weighs devices, not pictures.
        figures = {"loss": "mean_loss", "accuracy": "accuracy"}
        row |= {
            f"{part}{name}": round(float(logs[f"{part}{of}"][-1]), 6)
            for part in ("", "val_")
            for name, of in sorted(figures.items())
        }
        row[SPREAD] = round(float(logs[SPREAD][-1]), 6)
        loss = float(logs["val_mean_loss"][-1])
        self.journal.end_pass(row, loss, self.networks.whole.get_weights)
        self.journal.save(self._variables())
        self.journal.write_history()
        self._clock.end()
        if self._clock.plot_is_due():
            self._plot_history()
        self.journal.say(
            f"{title} ({self._where()}): loss {row['loss']:.4f}, accuracy "
            f"{row['accuracy']:.4f}; validation loss {loss:.4f}, accuracy {row['val_accuracy']:.4f}"
        )
        warning = same_answers(progress.history)
        if warning:
            self.journal.say(warning)

    def _plot_history(self) -> None:
        """Draws the plot anew, for whoever watches the run."""
        path = self.journal.folder / "plot.png"
        with writing_to(self.journal.folder):
            part = path.with_name(".plot.part.png")
            plot_history(part, self.journal.progress.history)
            part.replace(path)

    def _tick(self, share: float, text: str) -> None:
        self.journal.tick(share, f"{text}, {self._where()}")

    def _where(self) -> str:
        """Says how far the run is, and what is left at the pace of this phase's passes."""
        progress = self.journal.progress
        planned = sum(phase.epochs for phase in self.phases)
        number = min(progress.phase, len(self.phases) - 1)
        before = sum(phase.epochs for phase in self.phases[:number])
        left = self._clock.left(self.phases[number].epochs - progress.epoch)
        words = f"{before + progress.epoch} of {planned} passes done"
        if left is None:
            return words
        # A later phase's passes take another time, which nobody knows yet.
        of = f" in {self.phases[number].name}" if number + 1 < len(self.phases) else ""
        return f"{words}, {duration(left)} left{of}"

    def _size(self, phase: Phase) -> int:
        """Input size of the pass that comes next."""
        coarse = phase.part == "fine" and self.journal.progress.epoch < self.options.coarse_epochs
        return self.options.coarse_size if coarse else self.options.input_size

    def _epoch_data(self, phase: Phase, done: int) -> dict[str, Any]:
        if phase.part == "head":
            return self._views.epoch_data(done)
        shared: dict[str, Any] = {"batch_size": self.options.batch_size, "devices": devices()}
        return {
            "x": batches(
                self.train,
                size=self._size(phase),
                how=AUGMENTATIONS[self.options.augmentation],
                epoch=done,
                shuffle=True,
                **shared,
            ),
            "validation_data": batches(self.validation, size=self.options.input_size, **shared),
        }

    def _model(self, phase: Phase) -> Any:
        return self.networks.head if phase.part == "head" else self.networks.whole

    def _prepare(self, phase: Phase) -> None:
        if phase.part in {"head", "top"}:
            freeze_trunk(self.networks)
        elif phase.part == "fine":
            unfreeze(self.networks, self.options.fine_tune_start)
        model = self._model(phase)
        model.compile(
            optimizer=self._optimizer(phase),
            loss=SharedLoss(self.options.label_smoothing),
            metrics=[Accuracy(), Spread(self.train.classes)],
            weighted_metrics=[MeanLoss(self.options.label_smoothing)],
        )
        model.optimizer.build(model.trainable_variables)

    def _optimizer(self, phase: Phase) -> Any:
        steps = phase.epochs * math.ceil(len(self.train) / self.options.batch_size)
        warm = round(self.options.warm_up * steps)
        rate = schedule(
            self.options.schedule, rate=phase.rate, epochs=phase.epochs, steps=steps, warm=warm
        )
        kinds = {
            "adam": keras.optimizers.Adam,
            "adamw": keras.optimizers.AdamW,
            "sgd": lambda learning_rate: keras.optimizers.SGD(
                learning_rate, momentum=0.9, nesterov=True
            ),
        }
        return kinds[self.options.optimizer](learning_rate=rate)

    def _variables(self) -> list[Any]:
        """Everything that changes in a phase: what lasts, and the optimizer's slots."""
        model = self._model(self.phases[self.journal.progress.phase])
        return [*self._lasting(), *model.optimizer.variables]

    def _lasting(self) -> list[Any]:
        """What one phase hands to the next: weights, and the random states of dropouts."""
        seeds = [
            layer.seed_generator.state
            for layer in self.networks.whole.layers
            if getattr(layer, "seed_generator", None) is not None
        ]
        return [*self.networks.whole.weights, *seeds]
