"""Measures classifiers of three labels, and of two beside them, on faces nobody trained on.

    python benchmarks/three_answers.py --data ../shared/data --model models/mask_detector.json \
        --model build/former/mask_detector.json

On two sets, at the labelled boxes of 24 px and more, all models in the same run:

- ``apart``: the photographs of `kept_apart.txt`, whose labels are of three classes;
- ``street``: `detection/valid`, whose labels are of two, and of three where second labels say so.

First in three classes: how many of each are called so, how many of those worn wrongly are called
``with_mask``, and the calibration error. Then merged to two, without the faces worn wrongly on
``apart`` and with all faces and their first labels on ``street``, where masks under the nose are
mostly called masks: with the third class's probability added to ``without_mask``, and shared out
between the other two (which of them is likelier).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from classifier_crops import figures
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.vision.classifier import MaskClassifier, find_card

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

from classifier_faces import Face, kept_apart, street_faces, three_class_faces

LABELS = (MASK_LABEL, NO_MASK_LABEL, INCORRECT_LABEL)
MASK, BARE, WRONG = range(3)


def read_faces(data: Path) -> dict[str, list[Face]]:
    """Reads the faces of both sets."""
    apart = kept_apart()
    faces = three_class_faces(data, {})
    return {
        "apart": [face for face in faces if face.photograph in apart],
        "street": list(street_faces(data, "valid", {})),
    }


def probabilities(faces: Sequence[Face], classifier: MaskClassifier) -> FloatArray:
    """Returns (N, 3) probabilities in the order of `LABELS`; 0 for a label the model lacks."""
    found = np.zeros((len(faces), len(LABELS)), np.float32)
    columns = [LABELS.index(label) for label in classifier.labels]
    for row, face in zip(found, faces, strict=True):
        row[columns] = classifier.classify(face.crop, face.box[np.newaxis])[0][0]
    return found


def shares(truth: NDArray[np.intp], found: FloatArray, classes: Sequence[int]) -> list[str]:
    """Returns of each class how many are called so, of how many."""
    said = found.argmax(axis=1)
    cells = []
    for label in classes:
        of = truth == label
        right = int((said[of] == label).sum())
        cells.append(f"{right / max(1, of.sum()):.3f} ({right} of {of.sum()})")
    return cells


def print_set(name: str, faces: Sequence[Face], by_model: dict[str, FloatArray]) -> None:
    """Prints both tables of a set."""
    full = np.array([LABELS.index(face.label) for face in faces])
    click.echo(
        f"\n{name}, three classes\n| model | with_mask right | without_mask right "
        "| worn incorrectly right | of these called with_mask | calibration error |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    for model, found in by_model.items():
        called = int((found[full == WRONG].argmax(axis=1) == MASK).sum())
        error = figures(full, found)["calibration_error"]
        cells = [*shares(full, found, range(3)), str(called), f"{error:.4f}"]
        click.echo(f"| {model} | {' | '.join(cells)} |")
    first = np.array([LABELS.index(face.annotated) for face in faces])
    two = first != WRONG
    click.echo(
        f"\n{name}, merged to two\n| model | third class | with_mask right | without_mask right "
        "| wrong | balanced accuracy | calibration error |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    for model, found in by_model.items():
        for way, merged in merges(found[two]).items():
            measured = figures(first[two], merged)
            cells = [
                *shares(first[two], merged, (MASK, BARE)),
                str(measured["wrong"]),
                f"{measured['balanced_accuracy']:.4f}",
                f"{measured['calibration_error']:.4f}",
            ]
            click.echo(f"| {model} | {way} | {' | '.join(cells)} |")


def merges(found: FloatArray) -> dict[str, FloatArray]:
    """Returns (N, 2) probabilities, by what is done with the third class."""
    two = found[:, :2]
    if not found[:, WRONG].any():
        return {"none": two}
    added = two.copy()
    added[:, BARE] += found[:, WRONG]
    return {
        "added to without_mask": added,
        "shared out": two / np.maximum(two.sum(axis=1, keepdims=True), 1e-9),
    }


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--model", "models", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--precision", "precisions", multiple=True, default=("int8",), show_default=True)
def main(data: Path, models: tuple[Path, ...], precisions: tuple[str, ...]) -> None:
    """Measures and prints."""
    sets = read_faces(data)
    found: dict[str, dict[str, FloatArray]] = {name: {} for name in sets}
    for model in models:
        for precision in precisions:
            classifier = MaskClassifier(find_card(model), precision=precision)
            for name, faces in sets.items():
                key = f"{model.parent.name}/{model.stem} {precision}"
                found[name][key] = probabilities(faces, classifier)
    for name, faces in sets.items():
        print_set(name, faces, found[name])


if __name__ == "__main__":
    main()
