"""Several runs of one recipe, by seed or by fold, with mean and spread: the way papers report."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.class_folders.splits import TEST, VALIDATION
from maskdet.errors import DatasetError, MaskdetError
from maskdet.files.documents import read_json
from maskdet.media.files import write_json
from maskdet.train.classifier.finish import MODEL_NAME
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.run import train
from maskdet.train.journal import Interrupted, Passed, Say, Show
from maskdet.train.run_folder import new_folder

SUMMARY, REPORT = "repeats.json", "report.json"
_FIGURES = ("accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Repeated:
    """What several runs came to.

    Attributes:
        folder: of all of them, with a numbered folder for each and a summary.
        figures: part to figure to its values, mean and spread, JSON-ready.
        text: for reading.
        models: the cards of the runs' models.
    """

    folder: Path
    figures: dict[str, dict[str, Any]]
    text: str
    models: tuple[Path, ...]


def train_all(
    options: TrainOptions,
    *,
    say: Say,
    show: Show,
    resume: Path | None,
    passed: Passed = lambda _: None,
) -> Repeated:
    """Trains with each seed, or on each fold; each run leaves its own folder.

    Args:
        options: with `TrainOptions.repeats` or `TrainOptions.folds`.
        say: takes one line of log.
        show: takes the fraction of a step that is done and a short text.
        resume: folder of such runs that were interrupted: those that are done are not done again.
        passed: takes the figures of all passes of a run so far, after each.

    Raises:
        MaskdetError: something the user can mend, or the user has stopped them.
    """
    folder = resume or new_folder(options.run_dir, "train", options)
    runs = _runs(options, folder)
    values: dict[str, dict[str, list[float]]] = {}
    for number, one in enumerate(runs, 1):
        what = f"fold {one.fold}" if one.fold else f"seed {one.seed}"
        assert one.run_dir is not None
        say(f"run {number} of {len(runs)}, {what}: {one.run_dir}")
        try:
            report = _report(one, one.run_dir, say=say, show=show, passed=passed)
        except Interrupted:
            raise MaskdetError(
                f"{number - 1} of {len(runs)} runs done: --resume {folder} goes on with them all"
            ) from None
        for part in (VALIDATION, TEST):
            for name in _FIGURES if part in report else ():
                found = float(report[part][name]["value"])
                values.setdefault(part, {}).setdefault(name, []).append(found)
    figures = {
        part: {name: spread(found) for name, found in of_part.items()}
        for part, of_part in values.items()
    }
    write_json(folder / SUMMARY, figures)
    models = tuple(run.run_dir / f"{MODEL_NAME}.json" for run in runs if run.run_dir)
    return Repeated(folder, figures, _text(figures, len(runs), folder), models)


def spread(values: list[float]) -> dict[str, Any]:
    """Returns values, their mean and their standard deviation (of a sample: N - 1)."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"values": values, "mean": float(np.mean(values)), "standard_deviation": deviation}


def _runs(options: TrainOptions, folder: Path) -> list[TrainOptions]:
    if options.folds:
        return [
            replace(options, fold=fold, run_dir=folder / str(fold))
            for fold in range(1, options.folds + 1)
        ]
    return [
        replace(options, repeats=1, seed=options.seed + number, run_dir=folder / str(number + 1))
        for number in range(options.repeats)
    ]


def _report(
    options: TrainOptions, folder: Path, *, say: Say, show: Show, passed: Passed
) -> dict[str, Any]:
    """Returns the report of a run, after doing what is left of it."""
    if not (folder / REPORT).is_file():
        resume = folder if folder.is_dir() else None
        train(options, say=say, show=show, resume=resume, passed=passed, whole=True)
    report = read_json(folder / REPORT, DatasetError)
    assert isinstance(report, dict)
    return report


def _text(figures: dict[str, dict[str, Any]], count: int, folder: Path) -> str:
    lines = [f"{count} runs: mean, standard deviation, each run"]
    for part, of_part in figures.items():
        for name, found in of_part.items():
            deviation = found["standard_deviation"]
            each = " ".join(f"{value:.4f}" for value in found["values"])
            told = "-" if deviation is None else f"{deviation:.4f}"
            words = name.replace("_", " ")
            lines.append(f"{part:5} {words:18} {found['mean']:.4f}  {told}  {each}")
    return "\n".join([*lines, f"runs {folder}"])
