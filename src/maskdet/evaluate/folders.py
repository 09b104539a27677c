"""The classifier alone, on class folders."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import UInt8Array, cut, expand_boxes
from maskdet.cards.trained import known_among
from maskdet.detections import FloatArray
from maskdet.duplicates import Hashes
from maskdet.evaluate.classifying import BLUR_SIDE, Answers, classify_all
from maskdet.evaluate.data import list_subject
from maskdet.evaluate.options import FolderOptions, RunPartOptions
from maskdet.evaluate.report import Cell, Report, Table, words
from maskdet.media import plots
from maskdet.media.inputs.decoding import read_picture
from maskdet.metrics import (
    accuracy_intervals,
    average_precision_by_draw,
    calibration_error_by_draw,
    class_intervals,
    confusion,
    resample,
)
from maskdet.results.mistakes import Shown, write_mistakes
from maskdet.results.predictions import PREDICTIONS_FILE, Answered, write_predictions
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.merging import Pairs
from maskdet.vision.preprocessing import resize

HEIGHTS = (("under 32", 0, 32), ("32-64", 32, 64), ("64-128", 64, 128), ("over 128", 128, np.inf))
"""Classes of a face's height in pixels, as the issue of size is usually cut."""

# Of the variance of the Laplacian, see `maskdet.evaluate.classifying`.
BLURS = (("blurred", 0, 60), ("soft", 60, 250), ("sharp", 250, np.inf))
RESAMPLES = 500
SEED = 1


def evaluate_folders(
    options: FolderOptions | RunPartOptions,
    classifier: MaskClassifier,
    output: Path,
    *,
    trained: Hashes,
    merge: Pairs = (),
    show: Callable[[float, str], None],
) -> Report:
    """Measures the classifier on class folders; plots go to `output`.

    Labels that the classifier has merged are merged in the folders, too.

    A picture whose ``faces.csv`` says where its face is, is cropped as in detection; others are
    taken whole. Every answer goes to ``predictions.csv``, the worst mistakes to ``mistakes.png``.

    Args:
        options: what to measure on.
        classifier: what to measure.
        output: folder for plots and tables.
        trained: of the pictures that the model was trained on, to say which are among these.
        merge: labels that the classifier has merged.
        show: takes the fraction that is done and a short text.

    Raises:
        DatasetError: there are no such folders, or their names are not the model's labels.
        OutputError: a plot cannot be written.
    """
    listed = list_subject(options)
    mapping = options.mapping if isinstance(options, FolderOptions) else {}
    answers, problems = classify_all(listed, mapping, classifier, merge, show)
    known = len(known_among(answers.hashes, trained))
    names = classifier.labels
    figures = resample(
        lambda times: measure(answers.labels, answers.probabilities, names, times),
        answers.groups,
        seed=SEED,
        times=RESAMPLES,
    )
    predicted = answers.probabilities.argmax(axis=1)
    figures |= accuracy_intervals(answers.labels, predicted, answers.groups)
    for index, name in enumerate(names):
        if (answers.labels == index).any():
            of_class = class_intervals(answers.labels, predicted, answers.groups, index)
            figures |= {f"{name}_{of}": found for of, found in of_class.items()}
    matrix = confusion(answers.labels, predicted, len(names))
    tables = (
        Table(
            "Confusion",
            ("true", *(f"said {name}" for name in names)),
            tuple((name, *map(int, row)) for name, row in zip(names, matrix, strict=True)),
        ),
        _by("By height of the face in pixels", answers, answers.heights, HEIGHTS, names),
        _by(
            f"By sharpness (variance of the Laplacian at {BLUR_SIDE} pixels)",
            answers,
            answers.sharpness,
            BLURS,
            names,
        ),
    )
    plots.plot_confusion(output / "confusion.png", answers.labels, answers.probabilities, names)
    plots.plot_precision_recall(
        output / "precision_recall.png", answers.labels, answers.probabilities, names
    )
    plots.plot_reliability(output / "reliability.png", answers.labels, answers.probabilities)
    _write_answers(output, answers, classifier, listed.part)
    about = {
        "pictures": f"{len(answers.labels)} in {len(np.unique(answers.groups))} groups (near-"
        "duplicates, faces of one photograph), which the intervals take whole",
    }
    if isinstance(options, RunPartOptions):
        about["part"] = f"{options.part}, of the run in {options.run}"
    elif listed.part is not None:
        about["part"] = (
            f"{listed.part}, of a folder that is divided; name a part's own folder for another"
        )
    if known:
        about["trained on"] = (
            f"{known} of {len(answers.labels)} pictures, near-duplicates included: figures flatter"
        )
    return Report(
        kind=options.kind,
        summary=f"Of {len(answers.labels)} pictures {int(matrix.trace())} are labelled right.",
        highlights=("balanced_accuracy", *(f"{name}_recall" for name in names)),
        about=about,
        figures=figures,
        tables=tables,
        gate=options.gate,
        plots={
            "mistakes.png": "The most confident mistakes",
            "confusion.png": "Confusion matrix",
            "precision_recall.png": "Precision and recall",
            "reliability.png": "Calibration",
        },
        problems=problems,
    )


def measure(
    labels: NDArray[np.intp],
    probabilities: FloatArray,
    names: Sequence[str],
    times: NDArray[np.intp],
) -> dict[str, FloatArray]:
    """Returns accuracy, calibration error and each class's figures, (D,) each, of D draws.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C).
        names: C class names; classes of which no picture was drawn have no figures.
        times: (D, N) how often each picture was drawn.
    """
    count = len(names)
    cells = np.eye(count * count)[labels * count + probabilities.argmax(axis=1)]
    matrices = (times @ cells).reshape(-1, count, count)
    true, said = matrices.sum(axis=2), matrices.sum(axis=1)
    right = np.diagonal(matrices, axis1=1, axis2=2)
    true = np.where(true > 0, true, np.nan)
    recalls = right / true
    figures = {
        "accuracy": right.sum(axis=1) / times.sum(axis=1),
        "balanced_accuracy": np.nanmean(recalls, axis=1),
        "calibration_error": calibration_error_by_draw(labels, probabilities, times),
    }
    for index, name in enumerate(names):
        of_class = true[:, index]
        precision = right[:, index] / np.maximum(said[:, index], 1)
        figures |= {
            f"{name}_precision": np.where(np.isnan(of_class), np.nan, precision),
            f"{name}_recall": recalls[:, index],
            f"{name}_f1": 2 * right[:, index] / (of_class + said[:, index]),
            f"{name}_ap": average_precision_by_draw(
                labels == index, probabilities[:, index], times
            ),
        }
    return figures


def _write_answers(
    output: Path, answers: Answers, classifier: MaskClassifier, part: str | None
) -> None:
    answered = Answered(
        classifier.path.name,
        part or "",
        [picture.path for picture in answers.pictures],
        answers.groups,
        answers.labels,
        answers.probabilities,
    )

    def view(index: int, side: int) -> UInt8Array:
        picture = answers.pictures[index]
        image = read_picture(picture.path)
        height, width = image.shape[:2]
        box = np.array([picture.box or (0, 0, width, height)], np.float32)
        return resize(cut(image, expand_boxes(box, classifier.crop_margin)[0]), side, side)

    write_predictions(output / PREDICTIONS_FILE, [answered], classifier.labels)
    write_mistakes(output / "mistakes.png", [Shown(answered, view)], classifier.labels)


def _by(
    title: str,
    answers: Answers,
    values: FloatArray,
    classes: Sequence[tuple[str, float, float]],
    names: Sequence[str],
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, low, high in classes:
        chosen = (values >= low) & (values < high)
        if not chosen.any():
            rows.append((name, 0, *[None] * (2 + len(names))))
            continue
        once = chosen[np.newaxis].astype(np.intp)
        figures = measure(answers.labels, answers.probabilities, names, once)
        shown = ("accuracy", "balanced_accuracy", *(f"{label}_recall" for label in names))
        rows.append((name, int(chosen.sum()), *(float(figures[key][0]) for key in shown)))
    columns = ("", "pictures", "accuracy", "balanced", *(f"{words(name)} right" for name in names))
    return Table(title, columns, tuple(rows))
