"""Measures the shipped models, and what each option changes, on boxed street photographs.

    maskdet train --config head128 --dataset ../shared/data/classification/observations \
        --output build/usual
    python benchmarks/street_table.py --data ../shared/data/detection/valid --usual build/usual

Prints the Markdown table of docs/evaluation.md, two rows of which stand in README.md, a row as soon
as it is known. No picture of this folder, nor one that nearly matches, was trained on:
tools/build_classifier.py says how that was made sure of. Labels are completed, as
`completed_labels.py` says.
"""

import tempfile
from pathlib import Path

import click

from completed_labels import MAPPING, write_completed
from maskdet.evaluate.options import EvaluateOptions, PhotographOptions
from maskdet.evaluate.report import Report
from maskdet.evaluate.run import evaluate
from maskdet.metrics import Interval
from maskdet.vision.faces.loading import ORIGINAL
from maskdet.vision.networks import NetworkOptions

FIGURES = ("recall", "precision", "f1", "face_recall", "label_accuracy", "mean_ap50")


def row(name: str, report: Report) -> str:
    """Returns a row of the table: shares in percent, F1 with its interval."""
    cells = [name]
    for figure in FIGURES:
        found = report.figures[figure]
        if not isinstance(found, Interval):
            raise TypeError(f"{figure} has no interval")
        text = f"{100 * found.value:.1f}"
        if figure == "f1":
            text += f" ({100 * found.low:.0f} to {100 * found.high:.0f})"
        cells.append(text)
    return f"| {' | '.join(cells)} |"


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--usual",
    type=click.Path(path_type=Path),
    help="Classifier of the first row, behind the public SSD.",
)
@click.option("--yunet", type=click.Path(exists=True, path_type=Path), help="YuNet's .onnx file.")
@click.option("--complete/--as-labelled", default=True, help="Count what the labels leave out.")
@click.option("--only", multiple=True, help="Rows whose name contains this. Repeatable.")
def main(
    data: Path, usual: Path | None, yunet: Path | None, complete: bool, only: tuple[str, ...]
) -> None:
    """Measures and prints."""
    rows: dict[str, NetworkOptions] = {}
    if usual is not None:
        rows["the usual approach"] = NetworkOptions(
            model=usual, face=Path(ORIGINAL), face_size=300, confidence=0.5
        )
    rows |= {
        "`maskdet detect`": NetworkOptions(),
        "`--confidence 0.5`": NetworkOptions(confidence=0.5),
        "`--confidence 0.9`": NetworkOptions(confidence=0.9),
        "`--face-size 300`": NetworkOptions(face_size=300),
        "`--face-size 450`": NetworkOptions(face_size=450),
        "`--tiles 2x2`": NetworkOptions(tiles="2x2"),
        "`--crop-margin 0.1`": NetworkOptions(crop_margin=0.1),
        "`--crop-margin 0.4`": NetworkOptions(crop_margin=0.4),
        "`--precision float16`": NetworkOptions(precision="float16"),
        "`--face-detector yunet`": NetworkOptions(face_detector="yunet", face=yunet),
        "`--face original`": NetworkOptions(face=Path(ORIGINAL)),
    }
    click.echo(f"| | {' | '.join(name.replace('_', ' ') for name in FIGURES)} |")
    click.echo("| --- " * (1 + len(FIGURES)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        labels = data / "labels"
        if complete:
            write_completed(data / "images", labels, Path(folder) / "labels")
            labels = Path(folder) / "labels"
        mapping = MAPPING if complete else {key: MAPPING[key] for key in ("0", "1")}
        subject = PhotographOptions(data / "images", labels, "yolo", mapping)
        for number, (name, networks) in enumerate(rows.items()):
            if only and not any(text in name for text in only):
                continue
            options = EvaluateOptions(subject, networks, Path(folder) / f"report-{number}")
            click.echo(row(name, evaluate(options, show=lambda *_: None).report))


if __name__ == "__main__":
    main()
