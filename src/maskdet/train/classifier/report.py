"""The files that a run leaves for its reader, beside the model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskdet.class_folders.splits import TEST, VALIDATION
from maskdet.media import plots
from maskdet.media.files import write_json
from maskdet.metrics import accuracy_intervals, soften
from maskdet.results.mistakes import Shown, write_mistakes
from maskdet.results.predictions import PREDICTIONS_FILE, Answered, write_predictions
from maskdet.train.classifier.convert import KERAS, Answers, Exported, agreement
from maskdet.train.classifier.dataset import Dataset
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.reporting.metrics import (
    PartReport,
    calibration_errors,
    report_part,
)
from maskdet.train.classifier.reporting.temperature import Temperature, choose_temperature
from maskdet.train.plots import plot_history
from maskdet.train.run_folder import writing_to
from maskdet.vision.preprocessing import UInt8Array


@dataclass(frozen=True)
class Measured:
    """What the exported files answer.

    Attributes:
        default: precision of the file that is run unless another is named.
        temperature: fitted to it.
        answers: part to network to (N, C) probabilities, before the temperature.
        reports: part to what the default file comes to.
        files: network, `KERAS` too, to its figures, JSON-ready.
    """

    default: str
    temperature: Temperature
    answers: dict[str, Answers]
    reports: dict[str, PartReport]
    files: dict[str, dict[str, Any]]

    @classmethod
    def of(
        cls,
        options: TrainOptions,
        dataset: Dataset,
        answers: dict[str, Answers],
        default: str,
        exported: Exported,
    ) -> "Measured":
        """Measures answers; the temperature is that of the default file."""
        chosen = choose_temperature(
            dataset.feeds[VALIDATION].labels,
            answers[VALIDATION][default],
            dataset.part_groups(VALIDATION),
            seed=options.seed,
        )
        reports = {
            part: report_part(
                dataset.feeds[part].labels,
                found[default],
                dataset.part_groups(part),
                dataset.labels,
                temperature=chosen.value,
            )
            for part, found in answers.items()
        }
        files = {
            network: _file_figures(network, dataset, answers, chosen.value, exported)
            for network in answers[VALIDATION]
        }
        return cls(default, chosen, answers, reports, files)


def _file_figures(
    network: str,
    dataset: Dataset,
    answers: dict[str, Answers],
    temperature: float,
    exported: Exported,
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if network != KERAS:
        figures = agreement(answers[VALIDATION][network], answers[VALIDATION][KERAS])
        figures["milliseconds"] = exported.milliseconds[network]
        figures["megabytes"] = round(len(exported.files[network]) / 1e6, 2)
    for part, found in answers.items():
        labels, groups = dataset.feeds[part].labels, dataset.part_groups(part)
        intervals = accuracy_intervals(labels, found[network].argmax(axis=1), groups)
        figures[part] = {
            **{name: vars(interval) for name, interval in intervals.items()},
            "expected_calibration_error": calibration_errors(labels, found[network], temperature),
        }
    return figures


def write(
    folder: Path,
    dataset: Dataset,
    history: list[dict[str, Any]],
    measured: Measured,
    card: dict[str, Any],
) -> None:
    """Writes plots, report, answers and the sheet of mistakes.

    The plots show the test set, or the validation set where there is no test set, as the default
    file answers.

    Args:
        folder: of the run.
        dataset: its pictures.
        history: one row a pass.
        measured: what the files answer.
        card: of the model.

    Raises:
        OutputError: a file cannot be written.
    """
    part = TEST if TEST in measured.answers else VALIDATION
    feed, found = dataset.feeds[part], measured.answers[part][measured.default]
    temperature = measured.temperature
    with writing_to(folder):
        plot_history(folder / "plot.png", history)
        plots.plot_counts(folder / "classes.png", dataset.counts())
        plots.plot_confusion(folder / "confusion_matrix.png", feed.labels, found, dataset.labels)
        plots.plot_precision_recall(
            folder / "precision_recall.png", feed.labels, found, dataset.labels
        )
        plots.plot_reliability(folder / "reliability.png", feed.labels, found, temperature.value)
        answered = _answered(dataset, measured)
        write_predictions(folder / PREDICTIONS_FILE, answered, dataset.labels)
        of_default = [one for one in answered if one.network == measured.default]
        write_mistakes(folder / "errors.png", _shown(dataset, of_default), dataset.labels)
        summary = {
            "temperature": temperature.value,
            "calibration": {
                name: value if math.isfinite(value) else None
                for name, value in vars(temperature).items()
            },
            "near_duplicates": dataset.duplicated,
            "conflicting_pairs": len(dataset.conflicts),
            "leaked": dataset.leaked,
            "skipped": len(dataset.collection.bad),
            "default": measured.default,
            **{name: one.figures for name, one in measured.reports.items()},
            "export": measured.files,
            "card": card,
        }
        (folder / "report.txt").write_text(_text(dataset, measured), encoding="utf-8")
    # Last and whole: where it is, a run has ended.
    write_json(folder / "report.json", summary)


def _answered(dataset: Dataset, measured: Measured) -> list[Answered]:
    return [
        Answered(
            network,
            part,
            [picture.path for picture in dataset.feeds[part].pictures],
            dataset.part_groups(part),
            dataset.feeds[part].labels,
            soften(probabilities, measured.temperature.value),
        )
        for part, of_part in measured.answers.items()
        for network, probabilities in of_part.items()
    ]


def _shown(dataset: Dataset, answered: Sequence[Answered]) -> list[Shown]:
    def of_part(part: str) -> Any:
        def view(index: int, side: int) -> UInt8Array:
            plain = dataset.feeds[part].plain(index, size=side)
            return np.asarray(cv2.cvtColor(plain, cv2.COLOR_RGB2BGR), np.uint8)

        return view

    return [Shown(one, of_part(one.part)) for one in answered]


def _text(dataset: Dataset, measured: Measured) -> str:
    lines = [
        f"near-duplicates              {dataset.duplicated} pictures",
        f"leaked                       {dataset.leaked} have one on the other side of the split",
        f"pairs in two classes         {len(dataset.conflicts)}",
        f"unreadable files skipped     {len(dataset.collection.bad)}",
        str(measured.temperature),
        "",
    ]
    for part, found in measured.reports.items():
        lines += [f"--- {part}, as the {measured.default} file answers ---", found.text]
    lines.append("--- each file, in the light runtime ---")
    for network, figures in measured.files.items():
        said = [
            f"{part} {_interval(figures[part]['accuracy'])}, calibration error "
            f"{figures[part]['expected_calibration_error']['after']:.4f}"
            for part in measured.answers
        ]
        lines.append(f"{network:8} {'; '.join(said)}")
        if network != KERAS:
            chosen = "; the default" if network == measured.default else ""
            lines.append(
                f"{'':8} {figures['changed_labels']:.2%} of labels changed, probabilities by "
                f"{figures['mean_difference']:.4f}; {figures['milliseconds']:.1f} ms a face, "
                f"{figures['megabytes']:.1f} MB{chosen}"
            )
    return "\n".join(lines) + "\n"


def _interval(accuracy: dict[str, float]) -> str:
    return f"{accuracy['value']:.4f} ({accuracy['low']:.4f} to {accuracy['high']:.4f})"
