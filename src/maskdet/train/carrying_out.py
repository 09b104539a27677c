"""A training run from its folder to its last pass, whichever network is trained."""

from pathlib import Path
from typing import Protocol

from maskdet.train.journal import Journal, Passed, Say, Show
from maskdet.train.options import RunOptions
from maskdet.train.run_folder import new_folder, writing_to


class Trainer(Protocol):
    """What trains."""

    def resume(self) -> None:
        """Takes up where the checkpoint in the run's folder stands."""
        ...

    def run(self) -> None:
        """Trains until the plan is done, the user interrupts, or the loss diverges."""
        ...


class Pictures(Protocol):
    """What is trained on."""

    def write(self, folder: Path) -> None:
        """Writes what the run's reports say of them."""
        ...


def open_journal(
    options: RunOptions,
    command: str,
    fingerprint: str,
    *,
    say: Say,
    show: Show,
    resume: Path | None,
    passed: Passed = lambda _: None,
) -> Journal:
    """Opens the journal of a run, in a new folder unless it goes on with one.

    Args:
        options: of the run.
        command: name of the command.
        fingerprint: of data and network; see `Journal`.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.
        resume: folder of the run to go on with.
        passed: takes the figures of all passes so far, after each.

    Raises:
        OutputError: the new folder is there already or cannot be made.
    """
    folder = resume or new_folder(options.run_dir, command, options)
    return Journal(folder, fingerprint, say=say, show=show, passed=passed)


def carry_out(trainer: Trainer, pictures: Pictures, journal: Journal, *, resumed: bool) -> None:
    """Trains from the beginning, or from where the run in the journal's folder stands.

    Args:
        trainer: with the journal.
        pictures: what it trains on.
        journal: of the run.
        resumed: whether the run goes on.

    Raises:
        MaskdetError: something the user can mend.
    """
    if resumed and journal.begun:
        trainer.resume()
    elif resumed:
        journal.say(f"{journal.folder}: no pass of it was done; it begins anew")
    with writing_to(journal.folder):
        pictures.write(journal.folder)
    with journal.kept():
        trainer.run()
