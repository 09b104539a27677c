"""After training: the model's files where they were asked for, and the reports of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.class_folders.splits import TEST, TRAIN, VALIDATION
from maskdet.detections import FloatArray
from maskdet.errors import OutputError
from maskdet.train import card
from maskdet.train.classifier import report
from maskdet.train.classifier.convert import Conversion, convert
from maskdet.train.classifier.dataset import Dataset
from maskdet.train.classifier.feed import Feed, batches
from maskdet.train.classifier.metrics import PartReport, fit_temperature, report_part
from maskdet.train.classifier.model import deployable
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.journal import Journal

MODEL_NAME = "mask_detector"  # of the model in the run's own folder
CALIBRATION_PICTURES = 200

_NO_RECIPE = {"dataset", "output", "overwrite", "run_dir", "exclude_like", "from_model", "export"}


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        card: the model's card.
        folder: of the run, with its reports.
        figures: by part, what `maskdet.train.classifier.metrics.report_part` measured.
        text: for reading.
    """

    card: Path
    folder: Path
    figures: dict[str, Any]
    text: str


def check_output(options: TrainOptions, *, resumed: bool) -> None:
    """Finds out before hours of training that the model could not be written.

    Args:
        options: of the run.
        resumed: whether the run may have written the model before.

    Raises:
        OutputError: its folder cannot be written to, or it is there and is not to be replaced.
    """
    output = options.output
    if output is None:
        return
    if output.is_dir():
        raise OutputError(f"{output}: is a folder; --output takes a name, such as {output}/mine")
    names = [f"{output.name}{suffix}" for suffix in (".json", ".keras", ".tflite")]
    card.check_output(output.parent, names, overwrite=options.overwrite or resumed)


def finish(
    options: TrainOptions,
    dataset: Dataset,
    trained: Any,
    journal: Journal,
) -> Result:
    """Measures, calibrates, exports and reports.

    Args:
        options: of the run.
        dataset: its pictures.
        trained: the network with its best weights.
        journal: of the run.

    Raises:
        OutputError: something cannot be written.
    """
    model = deployable(
        trained,
        architecture=options.architecture,
        size=options.input_size,
        dropout=options.dropout,
    )
    folder, history, show = journal.folder, journal.progress.history, journal.show
    feeds = {part: dataset.feeds[part] for part in (VALIDATION, TEST) if len(dataset.feeds[part])}
    probabilities = {part: predict(model, feed, options, show) for part, feed in feeds.items()}
    temperature = fit_temperature(feeds[VALIDATION].labels, probabilities[VALIDATION])
    reports = {
        part: report_part(
            feed.labels,
            probabilities[part],
            dataset.part_groups(part),
            dataset.labels,
            temperature=temperature,
            seed=options.seed,
        )
        for part, feed in feeds.items()
    }
    train = dataset.feeds[TRAIN]
    chosen = np.random.default_rng(options.seed).permutation(len(train))[:CALIBRATION_PICTURES]
    conversion = convert(
        model,
        [train.plain(index, size=options.input_size) for index in chosen],
        [
            feeds[VALIDATION].plain(index, size=options.input_size)
            for index in range(len(feeds[VALIDATION]))
        ],
        probabilities[VALIDATION],
        precisions=options.export,
        say=journal.say,
        show=show,
    )
    contents = _card(options, dataset, len(history), temperature, reports, conversion)
    target = options.output or folder / MODEL_NAME
    path = card.write_model(
        target, model, conversion.files, default=conversion.default, card=contents
    )
    journal.write_history()
    report.write(
        folder,
        dataset=dataset,
        history=history,
        probabilities=probabilities,
        temperature=temperature,
        reports=reports,
        conversion=conversion,
        card=contents,
    )
    text = "\n\n".join(f"{part}\n{found.text}" for part, found in reports.items())
    return Result(
        path,
        folder,
        {part: found.figures for part, found in reports.items()},
        f"{text}\nmodel {path}\nreports {folder}",
    )


def predict(
    model: Any, feed: Feed, options: TrainOptions, show: Callable[[float, str], None]
) -> FloatArray:
    """Returns the (N, C) probabilities of a feed's pictures as the runtime would see them."""
    rows: list[FloatArray] = []
    size, batch_size = options.input_size, options.batch_size
    for pixels, _, _ in batches(feed, size=size, batch_size=batch_size):
        rows.append(model.predict_on_batch(pixels))
        show(min(1.0, len(rows) * batch_size / len(feed)), "measuring")
    return np.concatenate(rows).astype(np.float32)


def _card(
    options: TrainOptions,
    dataset: Dataset,
    passes: int,
    temperature: float,
    reports: dict[str, PartReport],
    conversion: Conversion,
) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for picture in dataset.collection.pictures:
        of_folder = counts.setdefault(options.dataset[picture.dataset].name, {})
        of_folder[picture.label] = of_folder.get(picture.label, 0) + 1
    recipe = {name: value for name, value in vars(options).items() if name not in _NO_RECIPE}
    if Path(recipe["weights"]).is_absolute():
        recipe["weights"] = Path(recipe["weights"]).name
    return {
        "architecture": options.architecture,
        "labels": list(dataset.labels),
        "input": {"size": options.input_size, "colour": "RGB", "range": [0, 255]},
        "crop_margin": options.crop_margin,
        "temperature": round(temperature, 4),
        "training": {
            "data": counts,
            "split": dataset.counts(),
            "near_duplicates": dataset.duplicated,
            "left_out": dataset.excluded,
            "passes": passes,
            "recipe": recipe,
            "adapted_from": options.from_model.name if options.from_model else None,
        },
        "metrics": {
            **{part: _headline(found.figures) for part, found in reports.items()},
            "export": conversion.figures,
        },
        "versions": card.versions(),
        "interchangeable": list(conversion.interchangeable),
    }


def _headline(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "classes"}
