"""Measures the face detector on boxed photographs: average precision, recall by size, milliseconds.

    python benchmarks/face_detection.py --images DIR --labels DIR

The labels are YOLO text files, class 0 a bare face and class 1 a masked one. The tables are printed
as Markdown; `--card` also writes the figures into a face detector's card.
"""

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import BoxedPhotograph, read_yolo
from maskdet.assets import bundled
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.vision.faces import CARD_NAME, FaceDetector, load_face_detector
from maskdet.vision.prior_boxes import intersection_over_union

CLASS_NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
OVERLAP = 0.5  # intersection over union from which on a box counts as the face
CONFIDENCE_FLOOR = 0.01  # for the average precision; what the Caffe model itself cuts at
HEIGHT_CLASSES = ((0, 32), (32, 64), (64, 128), (128, 100_000))  # pixels in the photograph


@dataclass(frozen=True)
class Outcome:
    """What became of every detection and every labelled face of a set of photographs.

    Attributes:
        scores: (D,) of the detections.
        hits: (D,) bool, whether a detection is a face no better detection has found.
        found_at: (F,) the score of the detection that found each face, 0 where none did.
        heights: (F,) pixels.
        masked: (F,) bool.
        milliseconds: median time of one photograph at the detector's default confidence.
    """

    scores: FloatArray
    hits: NDArray[np.bool_]
    found_at: FloatArray
    heights: FloatArray
    masked: NDArray[np.bool_]
    milliseconds: float

    def precision(self, confidence: float) -> float:
        """Returns the share of the detections at this confidence that are faces."""
        chosen = self.hits[self.scores >= confidence]
        return float(chosen.mean()) if len(chosen) else 1.0

    def recall(self, confidence: float, chosen: NDArray[np.bool_] | None = None) -> float:
        """Returns the share of the (chosen) faces found at this confidence."""
        found = self.found_at >= confidence
        return float((found if chosen is None else found[chosen]).mean())


def match_detections(xyxy: FloatArray, faces: FloatArray) -> NDArray[np.intp]:
    """Assigns detections to labelled faces, each face to the first detection that covers it.

    Args:
        xyxy: (D, 4) detections, best first.
        faces: (F, 4) labelled boxes.

    Returns:
        (D,) the index of the face each detection found, -1 for a false alarm.
    """
    matches = np.full(len(xyxy), -1, np.intp)
    if len(faces) == 0:
        return matches
    overlaps = intersection_over_union(xyxy, faces)
    for index, row in enumerate(overlaps):
        best = int(row.argmax())
        if row[best] >= OVERLAP:
            matches[index] = best
            overlaps[:, best] = -1
    return matches


def average_precision(scores: FloatArray, hits: NDArray[np.bool_], faces: int) -> float:
    """Computes the area under the precision-recall curve, all-point interpolated.

    As PASCAL VOC does since 2010: at every recall the best precision at that recall or a higher
    one counts.

    Args:
        scores: (D,) of the detections of all photographs.
        hits: (D,) bool, see `Outcome`.
        faces: how many faces are labelled.
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    precisions = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precisions[::-1])[::-1]
    return float(envelope[hits[order]].sum() / faces)


def measure(
    detector: FaceDetector, usual_detector: FaceDetector, photographs: Sequence[BoxedPhotograph]
) -> Outcome:
    """Runs a detector over the photographs.

    Args:
        detector: made with a confidence of `CONFIDENCE_FLOOR`; its boxes are judged.
        usual_detector: the same with its default confidence; its time is taken.
        photographs: what to run on.
    """
    scores, hits, found_at, heights, masked, seconds = [], [], [], [], [], []
    for photograph in photographs:
        frame = cv2.imread(str(photograph.path))
        start = time.perf_counter()
        usual_detector.detect(frame)
        seconds.append(time.perf_counter() - start)
        xyxy, frame_scores = detector.detect(frame)
        faces = photograph.xyxy(frame.shape[1], frame.shape[0])
        matches = match_detections(xyxy, faces)
        found = np.zeros(len(faces), np.float32)
        found[matches[matches >= 0]] = frame_scores[matches >= 0]
        scores.append(frame_scores)
        hits.append(matches >= 0)
        found_at.append(found)
        heights.append(faces[:, 3] - faces[:, 1])
        masked.append(np.array([label == MASK_LABEL for label in photograph.labels], bool))
    return Outcome(
        np.concatenate(scores),
        np.concatenate(hits),
        np.concatenate(found_at),
        np.concatenate(heights),
        np.concatenate(masked),
        1000 * statistics.median(seconds),
    )


def print_tables(outcomes: dict[tuple[str, int], Outcome], confidences: Sequence[float]) -> None:
    """Prints the average precisions, then precision and recall at every confidence."""
    click.echo(
        "| network | input | average precision | ms a photograph |\n| --- | --- | --- | --- |"
    )
    for (precision, size), outcome in outcomes.items():
        area = average_precision(outcome.scores, outcome.hits, len(outcome.heights))
        click.echo(f"| {precision} | {size} | {area:.3f} | {outcome.milliseconds:.0f} |")

    any_outcome = next(iter(outcomes.values()))
    groups = []
    for low, high in HEIGHT_CLASSES:
        for kind, wanted in (("masked", True), ("bare", False)):
            tall = (any_outcome.heights >= low) & (any_outcome.heights < high)
            chosen = tall & (any_outcome.masked == wanted)
            span = f"{low}-{high}" if high < HEIGHT_CLASSES[-1][1] else f"{low} up"
            groups.append((f"{kind} {span} ({chosen.sum()})", chosen))
    names = " | ".join(name for name, _ in groups)
    click.echo(f"\n| network | input | confidence | precision | recall | {names} |")
    click.echo("| --- " * (5 + len(groups)) + "|")
    for (precision, size), outcome in outcomes.items():
        for confidence in confidences:
            recalls = [outcome.recall(confidence, chosen) for _, chosen in groups]
            cells = [precision, str(size), f"{confidence:g}"]
            cells += [f"{outcome.precision(confidence):.3f}", f"{outcome.recall(confidence):.3f}"]
            cells += ["-" if np.isnan(recall) else f"{recall:.2f}" for recall in recalls]
            click.echo(f"| {' | '.join(cells)} |")


def write_into_card(card_path: Path, outcomes: dict[tuple[str, int], Outcome], count: int) -> None:
    """Puts the figures at the card's own confidence into its ``measured`` entry."""
    card = json.loads(card_path.read_text(encoding="utf-8"))
    confidence = card["default_confidence"]
    card["measured"] = {
        "photographs": count,
        "faces": len(next(iter(outcomes.values())).heights),
        "overlap": OVERLAP,
        "confidence": confidence,
        "results": [
            {
                "precision_of_weights": precision,
                "input_size": size,
                "average_precision": round(
                    average_precision(outcome.scores, outcome.hits, len(outcome.heights)), 3
                ),
                "precision": round(outcome.precision(confidence), 3),
                "recall": round(outcome.recall(confidence), 3),
            }
            for (precision, size), outcome in outcomes.items()
        ],
    }
    card_path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--images", type=_FOLDER, required=True, help="Folder of photographs.")
@click.option("--labels", type=_FOLDER, required=True, help="Folder of their YOLO label files.")
@click.option("--face", type=_FOLDER, help="Face detector folder; default the bundled one.")
@click.option("--precision", multiple=True, default=("int8", "float16"), show_default=True)
@click.option("--size", type=int, multiple=True, default=(300, 600), show_default=True)
@click.option(
    "--confidence",
    type=float,
    multiple=True,
    default=(0.15, 0.2, 0.25, 0.3, 0.4, 0.5),
    show_default=True,
)
@click.option("--threads", type=int, default=1, show_default=True)
@click.option("--card/--no-card", help="Write the figures into the detector's card.")
def main(
    images: Path,
    labels: Path,
    face: Path | None,
    precision: tuple[str, ...],
    size: tuple[int, ...],
    confidence: tuple[float, ...],
    threads: int,
    card: bool,
) -> None:
    """Measures face detection on boxed photographs."""
    folder = face or bundled("face_detector")
    photographs = list(read_yolo(images, labels, CLASS_NAMES))
    outcomes = {}
    for weights in precision:
        for side in size:
            floor, usual = (
                load_face_detector(
                    folder, confidence=cut, precision=weights, face_size=side, threads=threads
                )
                for cut in (CONFIDENCE_FLOOR, None)
            )
            outcomes[weights, side] = measure(floor, usual, photographs)
    faces = len(next(iter(outcomes.values())).heights)
    click.echo(f"{len(photographs)} photographs, {faces} faces, overlap {OVERLAP}\n")
    print_tables(outcomes, confidence)
    if card:
        write_into_card(folder / CARD_NAME, outcomes, len(photographs))


if __name__ == "__main__":
    main()
