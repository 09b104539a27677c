"""Measures what drawn masks are worth: trained with real masks, with both kinds, with drawn only.

    python benchmarks/synthetic_masks.py --data ../shared/data

Training pictures are those of ``classification/balaji``, one face each: bare, with real masks, and
`maskdet dataset synthesize` of the bare ones. The test is on real faces of another origin, boxed in
street photographs, none of which anything was trained on; training pictures that nearly match one
of these crops are left out. Recipe: MobileNetV2's ImageNet features, frozen, of the face box with
the usual margin, then a logistic regression with balanced classes. It is no recipe for a model to
use, but one that can be repeated often enough for an interval.
"""

import tempfile
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from maskdet.annotations import read_annotations
from maskdet.assets import bundled
from maskdet.class_folders.listing import list_pictures
from maskdet.dataset.synthesize import SynthesizeOptions, synthesize
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL
from maskdet.duplicates import hash_picture, near_pairs, stack_hashes
from maskdet.media.inputs.decoding import read_picture
from maskdet.metrics import balanced_accuracy
from maskdet.train.classifier.options import BACKBONE_WEIGHTS
from maskdet.train.quiet import import_tensorflow
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.preprocessing import face_inputs, scale_to_unit

SIZE, MARGIN = 224, 0.25
SMALLEST = 32  # pixels of a test face's height
NAMES = {"0": NO_MASK_LABEL, "1": MASK_LABEL}
DRAWS = 20  # of training pictures, for the interval


def faces_of(paths: list[Path], detector: YunetFaceDetector) -> list[NDArray[np.uint8]]:
    """Returns the (224, 224, 3) RGB crops of the pictures with exactly one face."""
    crops = []
    for path in paths:
        picture = read_picture(path)
        boxes, _ = detector.detect(picture)
        if len(boxes) == 1:
            crops.append(face_inputs(picture, boxes, margin=MARGIN, size=SIZE)[0])
    return crops


def street_faces(data: Path, most: int) -> tuple[list[NDArray[np.uint8]], list[int], list[str]]:
    """Returns crops, labels (1 masked) and photographs of the boxed street faces."""
    crops: list[NDArray[np.uint8]] = []
    labels, photographs = [], []
    for part in ("valid", "train"):
        folder = data / "detection" / part
        found = read_annotations(folder / "images", folder / "labels").relabelled(NAMES)
        for photograph in found.photographs:
            picture = read_picture(photograph.path)
            boxes = photograph.xyxy(picture.shape[1], picture.shape[0])
            for box, label in zip(boxes, photograph.labels, strict=True):
                if box[3] - box[1] >= SMALLEST and len(crops) < most:
                    crops.append(face_inputs(picture, box[None], margin=MARGIN, size=SIZE)[0])
                    labels.append(int(label == MASK_LABEL))
                    photographs.append(photograph.path.stem)
    return crops, labels, photographs


def features(crops: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Returns the (N, 1280) pooled ImageNet features of crops."""
    import_tensorflow()
    import keras

    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, pooling="avg", input_shape=(SIZE, SIZE, 3)
    )
    backbone.load_weights(bundled(BACKBONE_WEIGHTS))
    rows = [
        backbone.predict_on_batch(scale_to_unit(np.stack(crops[start : start + 32])))
        for start in range(0, len(crops), 32)
    ]
    return np.concatenate(rows)


def unlike(
    crops: list[NDArray[np.uint8]], others: list[NDArray[np.uint8]]
) -> list[NDArray[np.uint8]]:
    """Returns the crops that nearly match none of the others."""
    first, second = (stack_hashes([hash_picture(crop) for crop in of]) for of in (crops, others))
    drop = set(near_pairs(first, second).first.tolist())
    return [crop for index, crop in enumerate(crops) if index not in drop]


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--most", default=900, show_default=True, help="Pictures of each kind.")
@click.option("--test", default=1500, show_default=True, help="Street faces.")
def main(data: Path, most: int, test: int) -> None:
    """Measures and prints a Markdown table."""
    yunet = data / "weights" / "face_detection_yunet_2023mar.onnx"
    detector = YunetFaceDetector(yunet, confidence=0.7)
    random = np.random.default_rng(0)
    street, truth, photographs = street_faces(data, test)
    labels = np.array(truth)
    balaji = data / "classification" / "balaji"
    chosen = {}
    for label in (MASK_LABEL, NO_MASK_LABEL):
        paths = sorted((balaji / label).iterdir())
        chosen[label] = [paths[index] for index in random.permutation(len(paths))[:most]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare").mkdir()
        for path in chosen[NO_MASK_LABEL]:
            (folder / "bare" / path.name).symlink_to(path.resolve())
        options = SynthesizeOptions(folder / "bare", folder / "made", landmarks=yunet)
        synthesize(options, show=lambda *_: None)
        made = [p for p in list_pictures(folder / "made") if p.label == MASK_LABEL and p.box]
        drawn = [
            face_inputs(
                read_picture(picture.path),
                np.array([picture.box], np.float32),
                margin=MARGIN,
                size=SIZE,
            )[0]
            for picture in made
        ]
    sets = {
        "bare": unlike(faces_of(chosen[NO_MASK_LABEL], detector), street),
        "real": unlike(faces_of(chosen[MASK_LABEL], detector), street),
        "drawn": unlike(drawn, street),
    }
    known = {name: features(crops) for name, crops in sets.items()}
    street_features = features(street)
    click.echo(
        f"{', '.join(f'{len(rows)} {name}' for name, rows in known.items())} to train on; test: "
        f"{len(labels)} faces of {len(set(photographs))} photographs, {labels.sum()} masked\n"
    )
    click.echo("| real masks | drawn masks | balanced accuracy | masked right | bare right |")
    click.echo("| --- | --- | --- | --- | --- |")
    all_real, all_drawn = len(known["real"]), len(known["drawn"])
    for real, fake in (
        (all_real, 0), (all_real, all_drawn), (0, all_drawn),
        (100, 0), (100, all_drawn), (25, 0), (25, all_drawn),
    ):  # fmt: skip
        results = []
        for _ in range(DRAWS):
            picks = [
                known[name][random.integers(0, len(known[name]), count)]
                for name, count in (("bare", len(known["bare"])), ("real", real), ("drawn", fake))
            ]
            rows = np.concatenate(picks)
            targets = np.array([0] * len(picks[0]) + [1] * (real + fake))
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=200)
            ).fit(rows, targets)
            said = model.predict(street_features)
            results.append(
                (
                    balanced_accuracy(labels, said),
                    (said[labels == 1] == 1).mean(),
                    (said[labels == 0] == 0).mean(),
                )
            )
        mean, spread = np.mean(results, axis=0), np.std(results, axis=0)
        cells = [f"{value:.3f} ± {wide:.3f}" for value, wide in zip(mean, spread, strict=True)]
        click.echo(f"| {real} | {fake} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
