"""The files that a run leaves for its reader, beside the model."""

import json
from pathlib import Path
from typing import Any

from maskdet.class_folders.splits import TEST, VALIDATION
from maskdet.detections import FloatArray
from maskdet.media import plots
from maskdet.train.classifier.convert import Conversion
from maskdet.train.classifier.dataset import Dataset
from maskdet.train.classifier.metrics import PartReport
from maskdet.train.classifier.mistakes import write_mistakes
from maskdet.train.plots import plot_history
from maskdet.train.run_folder import writing_to


def write(
    folder: Path,
    *,
    dataset: Dataset,
    history: list[dict[str, Any]],
    probabilities: dict[str, FloatArray],
    temperature: float,
    reports: dict[str, PartReport],
    conversion: Conversion,
    card: dict[str, Any],
) -> None:
    """Writes plots, report and the sheet of mistakes.

    The plots show the test set, or the validation set where there is no test set.

    Args:
        folder: of the run.
        dataset: its pictures.
        history: one row a pass.
        probabilities: part to (N, C), before the temperature.
        temperature: that the card names.
        reports: part to what was measured.
        conversion: the exported files.
        card: of the model.

    Raises:
        OutputError: a file cannot be written.
    """
    part = TEST if TEST in probabilities else VALIDATION
    feed, found = dataset.feeds[part], probabilities[part]
    with writing_to(folder):
        plot_history(folder / "plot.png", history)
        plots.plot_counts(folder / "classes.png", dataset.counts())
        plots.plot_confusion(folder / "confusion_matrix.png", feed.labels, found, dataset.labels)
        plots.plot_precision_recall(
            folder / "precision_recall.png", feed.labels, found, dataset.labels
        )
        plots.plot_reliability(folder / "reliability.png", feed.labels, found, temperature)
        write_mistakes(folder / "errors.png", dataset, probabilities)
        summary = {
            "temperature": temperature,
            "near_duplicates": dataset.duplicated,
            "conflicting_pairs": len(dataset.conflicts),
            "leaked": dataset.leaked,
            "skipped": len(dataset.collection.bad),
            **{name: found.figures for name, found in reports.items()},
            "export": conversion.figures,
            "card": card,
        }
        (folder / "report.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        (folder / "report.txt").write_text(_text(dataset, reports, conversion), encoding="utf-8")


def _text(dataset: Dataset, reports: dict[str, PartReport], conversion: Conversion) -> str:
    lines = [
        f"near-duplicates              {dataset.duplicated} pictures",
        f"leaked                       {dataset.leaked} have one on the other side of the split",
        f"pairs in two classes         {len(dataset.conflicts)}",
        f"unreadable files skipped     {len(dataset.collection.bad)}",
        "",
    ]
    for part, found in reports.items():
        lines += [f"--- {part} ---", found.text]
    lines.append("--- export, against Keras on the validation set ---")
    for precision, figures in conversion.figures.items():
        chosen = "  the default" if precision == conversion.default else ""
        lines.append(
            f"{precision:8} {figures['changed_labels']:7.2%} of labels changed, "
            f"{figures['milliseconds']:6.1f} ms a face, {figures['megabytes']:5.1f} MB{chosen}"
        )
    return "\n".join(lines) + "\n"
