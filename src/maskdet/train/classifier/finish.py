"""After training: the model's files where they were asked for, and the reports of the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.cards import trained
from maskdet.class_folders.splits import TEST, TRAIN, VALIDATION
from maskdet.train import card
from maskdet.train.classifier import convert, report
from maskdet.train.classifier.convert import KERAS, Answers, Exported
from maskdet.train.classifier.dataset import Dataset
from maskdet.train.classifier.model import deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.report import Measured
from maskdet.train.classifier.start import Start, keep_the_better
from maskdet.train.journal import Journal

MODEL_NAME = "mask_detector"  # of the model in the run's own folder
CALIBRATION_PICTURES = 200
GUARD_PICTURES = 100  # of training, beside the validation ones, on which files are compared

# Probabilities that differ by less than this over all pictures are the same answer.
_SAME_ANSWER = 0.01

_NO_RECIPE = {
    *("dataset", "output", "overwrite", "run_dir", "exclude_like", "from_model", "export"),
    *("split_file", "repeats", "accept_worse"),
}


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        card: the model's card.
        folder: of the run, with its reports.
        figures: by part, what `maskdet.train.classifier.reporting.metrics.report_part` measured.
        text: for reading.
    """

    card: Path
    folder: Path
    figures: dict[str, Any]
    text: str


def finish(
    options: TrainOptions, dataset: Dataset, network: Any, start: Start | None, journal: Journal
) -> Result:
    """Exports, measures the files, calibrates and reports.

    Args:
        options: of the run.
        dataset: its pictures.
        network: with its best weights.
        start: the model it went on from, if any.
        journal: of the run.

    Raises:
        OutputError: something cannot be written.
    """
    kept_start = start is not None and keep_the_better(start, network, options, dataset, journal)
    model = deployable(
        network,
        architecture=options.architecture,
        size=options.input_size,
        dropout=options.dropout,
        alpha=options.alpha,
    )
    size, say, show = options.input_size, journal.say, journal.show
    train, validation = dataset.feeds[TRAIN], dataset.feeds[VALIDATION]
    shuffled = np.random.default_rng(options.seed).permutation(len(train))
    calibration = [train.plain(index, size=size) for index in shuffled[:CALIBRATION_PICTURES]]
    # Those that calibrate int8 are the ones it answers best.
    guard = train.subset(shuffled[CALIBRATION_PICTURES:][:GUARD_PICTURES])
    with convert.exported(model, calibration, options.export, say=say, show=show) as files:
        of_validation = files.answers(validation, show, "measuring on validation")
        warn_of_same_answers(of_validation[KERAS], say)
        able = _able(files, of_validation, guard, calibration, journal)
        default = convert.fastest(able, files.milliseconds)
        if default not in of_validation:
            of_validation = files.answers(validation, show, "measuring on validation")
        answers = {VALIDATION: of_validation}
        if len(dataset.feeds[TEST]):
            answers[TEST] = files.answers(dataset.feeds[TEST], show, "measuring on test")
    measured = Measured.of(options, dataset, answers, default, files)
    say(str(measured.temperature))
    passes = len(journal.progress.history)
    contents = _card(options, dataset, passes, measured, start, kept_start=kept_start)
    contents["interchangeable"] = able
    target = options.output or journal.folder / MODEL_NAME
    path = card.write_model(target, model, files.files, default=default, card=contents)
    journal.write_history()
    report.write(journal.folder, dataset, journal.progress.history, measured, contents)
    text = "\n\n".join(
        f"{part}, as {path.stem}.tflite ({default}) answers\n{found.text}"
        for part, found in measured.reports.items()
    )
    return Result(
        path,
        journal.folder,
        {part: found.figures for part, found in measured.reports.items()},
        f"{text}\nmodel {path}\nreports {journal.folder}",
    )


def warn_of_same_answers(probabilities: Any, say: Any) -> bool:
    """Says so where answers do not depend on the picture; returns whether they do not.

    Args:
        probabilities: (N, C) of different pictures.
        say: takes one line of log.
    """
    spread = float(np.ptp(probabilities, axis=0).max()) if len(probabilities) > 1 else 1.0
    if spread >= _SAME_ANSWER:
        return False
    say(
        f"the answers do not depend on the picture (probabilities differ by {spread:.4f} at most): "
        "nothing was learned that shows at inference; more passes, another --learning-rate, or "
        "pre-trained --weights"
    )
    return True


def _able(
    files: Exported,
    of_validation: Answers,
    guard: Any,
    calibration: Any,
    journal: Journal,
) -> list[str]:
    """Returns which files may be the default; the test pictures have no say in it."""
    compared = of_validation
    if len(guard):
        more = files.answers(guard, journal.show, "comparing files")
        compared = {name: np.concatenate([found, more[name]]) for name, found in compared.items()}
    able = convert.allowed(compared, journal.say)
    if not able:
        # Even float32 may differ, by rounding between two labels: there is nothing nearer.
        if "float32" not in files.files:
            convert.add_float32(files, calibration)
        able = ["float32"]
    return able


def _card(
    options: TrainOptions,
    dataset: Dataset,
    passes: int,
    measured: Measured,
    start: Start | None,
    *,
    kept_start: bool,
) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for picture in dataset.collection.pictures:
        of_folder = counts.setdefault(options.dataset[picture.dataset].name, {})
        of_folder[picture.label] = of_folder.get(picture.label, 0) + 1
    recipe = {name: value for name, value in vars(options).items() if name not in _NO_RECIPE}
    if Path(recipe["weights"]).is_absolute():
        recipe["weights"] = Path(recipe["weights"]).name
    seen = dataset.collection.hashes.subset(dataset.indices(TRAIN).tolist())
    return {
        "architecture": options.architecture,
        "labels": list(dataset.labels),
        "input": {"size": options.input_size, "colour": "RGB", "range": [0, 255]},
        "crop_margin": options.crop_margin,
        "temperature": round(measured.temperature.value, 4),
        "training": {
            "data": counts,
            "split": dataset.counts(),
            "near_duplicates": dataset.duplicated,
            "left_out": dataset.excluded,
            "passes": passes,
            "recipe": recipe,
            "adapted_from": options.from_model.name if options.from_model else None,
            "start_kept": kept_start,
            trained.KEY: trained.pack(seen, *([] if start is None else [start.trained])),
        },
        "metrics": {
            "measured": f"{measured.default} file, light runtime",
            **{part: _headline(found.figures) for part, found in measured.reports.items()},
            "export": measured.files,
        },
        "versions": card.versions(),
    }


def _headline(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "classes"}
