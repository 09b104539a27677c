"""Measures what each kind of drawn picture is worth to the classifier of three classes.

    python tools/build_classifier.py --data ../shared/data --work build/classifier --only-data
    python benchmarks/drawn_kinds.py build/classifier

To train the network anew without each kind would take an hour each; so here only the last layer
learns, a logistic regression on what the two-class model's backbone sees, its classes weighed as
the recipe weighs them. That backbone has learned masks and bare faces, of these photographs partly,
and nothing of the third class: what counts is the difference between rows. Measured on photographs
alone, five folds by group, the intervals by bootstrap over groups.
"""

import csv
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from maskdet.assets import bundled
from maskdet.class_folders.listing import Picture
from maskdet.detections import FloatArray
from maskdet.duplicates import group_duplicates
from maskdet.media.inputs.decoding import read_picture
from maskdet.train.classifier.augmentation import plain_view
from maskdet.train.data import collect
from three_answers import LABELS

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

from build_classifier import PARTS

DRAWN = PARTS[-1]
MARGIN, SIZE = 0.25, 224  # of the card
BATCH = 64
FOLDS, DRAWS, SEED = 5, 1000, 1
STRENGTH = 1e-3  # of the regression, C


def read_kinds(folder: Path) -> dict[Path, str]:
    """Returns what is drawn on each picture: where a mask is worn, or what is before the mouth."""
    kinds = {}
    with (folder / "faces.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            words = row["note"].split(";")[0].split()
            kinds[folder / row["file"]] = words[-1]
    return kinds


def see(pictures: Sequence[Picture]) -> FloatArray:
    """Returns (N, 1280) float32, what the two-class backbone sees in each picture."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when it is first imported
    import keras

    model = keras.models.load_model(bundled("models/mask_detector.keras"), compile=False)
    pool = next(layer for layer in model.layers if layer.name.startswith("average_pooling2d"))
    trunk = keras.Model(model.input, pool.output)
    seen = []
    for start in range(0, len(pictures), BATCH):
        views = [
            plain_view(read_picture(picture.path), picture.box, margin=MARGIN, size=SIZE)
            for picture in pictures[start : start + BATCH]
        ]
        seen.append(trunk.predict_on_batch(np.stack(views).astype(np.float32) / 127.5 - 1))
        click.echo(f"\rseen {start + len(views)} of {len(pictures)}", nl=False, err=True)
    click.echo(err=True)
    return np.concatenate(seen).reshape(len(pictures), -1)


def answers(
    features: FloatArray,
    labels: NDArray[np.intp],
    folds: NDArray[np.intp],
    taught: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Returns (N,) what each picture is called by a regression taught without its fold.

    Args:
        features: (N, F).
        labels: (N,).
        folds: (N,) of its group.
        taught: (N,) which may be learned from.
    """
    said = np.full(len(labels), -1)
    for fold in range(FOLDS):
        known, asked = taught & (folds != fold), folds == fold
        counts = np.bincount(labels[known], minlength=len(LABELS))
        weights = dict(enumerate(np.sqrt(known.sum() / len(LABELS) / counts)))
        model = LogisticRegression(C=STRENGTH, class_weight=weights, max_iter=200)
        said[asked] = model.fit(features[known], labels[known]).predict(features[asked])
    return said


def right_of_each(labels: NDArray[np.intp], said: NDArray[np.intp]) -> FloatArray:
    """Returns (3,) how many of each class are called so, as shares."""
    return np.array([(said[labels == label] == label).mean() for label in range(len(LABELS))])


@click.command(help=__doc__)
@click.argument("work", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(work: Path) -> None:
    """Leaves each kind out in turn and prints a table."""
    collection = collect([work / part for part in PARTS], max_bad=0)
    pictures, labels = collection.pictures, collection.label_indices
    assert collection.labels == LABELS
    kind_of = read_kinds(work / DRAWN)
    kinds = np.array([kind_of.get(picture.path, "") for picture in pictures])
    groups, _ = group_duplicates(collection.hashes, [picture.group for picture in pictures])
    random = np.random.default_rng(SEED)
    count = int(groups.max()) + 1
    folds = random.integers(FOLDS, size=count)[groups]
    features = StandardScaler().fit_transform(see(pictures))
    real = kinds == ""
    counts = Counter(kinds[~real].tolist())
    everything = answers(features, labels, folds, np.ones(len(pictures), bool))
    draws = random.multinomial(count, [1 / count] * count, DRAWS)

    def difference(said: NDArray[np.intp], label: int) -> str:
        """Says how much more of a class are called so with the kind than without, in points."""
        of_class = real & (labels == label)
        gain = (everything == label).astype(int) - (said == label)
        times = draws[:, groups[of_class]]
        drawn = (times * gain[of_class]).sum(axis=1) / np.maximum(1, times.sum(axis=1))
        low, high = np.quantile(drawn, (0.025, 0.975))
        return f"{100 * gain[of_class].mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"

    shares = right_of_each(labels[real], everything[real])
    print(
        f"{real.sum()} photographed faces, {(~real).sum()} drawn; with all: "
        + ", ".join(f"{name} {share:.3f}" for name, share in zip(LABELS, shares, strict=True))
    )
    print("\n| left out | pictures | " + " | ".join(f"{name}, points" for name in LABELS) + " |")
    print("| --- " * (2 + len(LABELS)) + "|")
    left_out: list[tuple[str, list[str]]] = [(kind, [kind]) for kind in sorted(counts)]
    for name, of in [*left_out, ("all drawn", sorted(counts))]:
        said = answers(features, labels, folds, ~np.isin(kinds, of))
        cells = (difference(said, label) for label in range(len(LABELS)))
        number = sum(counts[kind] for kind in of)
        print(f"| {name} | {number} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
