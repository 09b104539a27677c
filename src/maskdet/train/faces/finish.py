"""After face training: the detector's files and card, what they find, and the run's report."""

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.class_folders.splits import TRAIN, VALIDATION
from maskdet.train.card import versions, write_files
from maskdet.train.faces.feed import FaceFeed
from maskdet.train.faces.measure import FaceOutcome
from maskdet.train.faces.network import NMS_THRESHOLD, TrainedSsd
from maskdet.train.faces.networks.export import Precision, to_tflite
from maskdet.train.faces.options import NAME, FaceTrainOptions
from maskdet.train.faces.pictures import LEFT_OUT, FacePictures
from maskdet.train.faces.weights import WEIGHTS_KEY, arrays_of
from maskdet.train.journal import Journal
from maskdet.train.plots import plot_face_history
from maskdet.train.quiet import no_native_output
from maskdet.train.run_folder import writing_to
from maskdet.vision.faces.card import CARD_FORMAT, CARD_KIND
from maskdet.vision.faces.loading import load_face_detector
from maskdet.vision.preprocessing import UInt8Array

CALIBRATION_PICTURES = 200
LARGEST_LOSS = 0.01
"""Average precision that 8 bits may cost and still be the default."""

_NO_RECIPE = {
    *("images", "annotations", "exclude_like", "from_face"),
    *("output", "overwrite", "run_dir"),
}
_CONFIDENCE_FLOOR = 0.02  # for the average precision
_PRECISIONS: tuple[Precision, ...] = ("int8", "float16")


@dataclass(frozen=True)
class FaceResult:
    """What a run came to.

    Attributes:
        card: the detector's card.
        folder: of the run, with its reports.
        text: for reading.
    """

    card: Path
    folder: Path
    text: str


def finish(
    options: FaceTrainOptions,
    pictures: FacePictures,
    trained: TrainedSsd,
    journal: Journal,
) -> FaceResult:
    """Exports, measures on the validation pictures, and writes card and report.

    The default file of a network that gains by it is the 8-bit one, unless that finds fewer faces;
    the default confidence is the one at which precision and recall balance, at the first of the
    measured sizes.

    Args:
        options: of the run.
        pictures: of the run.
        trained: with the best weights as its average.
        journal: of the run.

    Raises:
        OutputError: something cannot be written.
    """
    folder = journal.folder
    target = options.output or folder / "face_detector"
    card: dict[str, Any] = {
        "format": CARD_FORMAT,
        "kind": CARD_KIND,
        "name": f"{trained.kind.title}, trained on for masked and small faces",
        "default_precision": "int8" if trained.kind.quantised else "float16",
        "input": {
            "size": options.measured_sizes[0],
            "sizes": list(trained.kind.sizes),
            "multiple_of": trained.kind.multiple_of,
            "halved": True,
            "colour_order": "BGR",
            "range": [0, 255],
        },
        "prior_boxes": dataclasses.asdict(trained.spec),
        "nms_threshold": NMS_THRESHOLD,
        "box_voting": True,
        "default_confidence": 0.5,
        "training": _provenance(options, pictures, len(journal.progress.history)),
    }
    contents = {}
    for number, precision in enumerate(_PRECISIONS, 1):
        with no_native_output():
            contents[precision] = to_tflite(
                trained.averaged, precision, _calibration(pictures.train)
            )
        journal.show(number / len(_PRECISIONS), f"exported {precision}")
    # Measured in the run's folder first: the card says what its files find.
    trial = folder / "face_detector"
    write(trial, trained, contents, card)
    outcomes = {
        (precision, size): _measure(trial, precision, size, pictures.validation)
        for precision in _PRECISIONS
        for size in options.measured_sizes
    }
    small, large = (
        np.mean([outcomes[precision, size][0].average_precision for size in options.measured_sizes])
        for precision in _PRECISIONS
    )
    if large - small < LARGEST_LOSS:
        card["interchangeable"] = list(_PRECISIONS)
    elif trained.kind.quantised:
        card["default_precision"] = "float16"
        journal.say(f"8 bits cost {large - small:.3f} average precision: not used as the default")
    chosen = outcomes[card["default_precision"], options.measured_sizes[0]][0]
    card["default_confidence"] = chosen.balance()
    card["measured"] = {
        "on": "validation pictures of the run",
        "photographs": len(pictures.validation),
        "faces": len(chosen.found_at),
        "confidence": card["default_confidence"],
        "results": [
            _row(precision, size, outcome, milliseconds, card["default_confidence"])
            for (precision, size), (outcome, milliseconds) in outcomes.items()
        ],
    }
    card_path = write(target, trained, contents, card)
    if target != trial:
        write(trial, trained, contents, card)
    text = _text(card)
    journal.write_history()
    with writing_to(folder):
        plot_face_history(folder / "plot.png", journal.progress.history, options.measured_sizes)
        (folder / "report.txt").write_text(text + "\n", encoding="utf-8")
    return FaceResult(card_path, folder, f"{text}\ndetector {card_path.parent}\nreports {folder}")


def write(
    folder: Path, trained: TrainedSsd, contents: dict[Precision, bytes], card: dict[str, Any]
) -> Path:
    """Writes a detector's files and its card, all or none.

    Args:
        folder: made if it is not there.
        trained: whose averaged weights are kept for further training.
        contents: precision to TFLite file; int8 gets the plain name.
        card: all of the card but ``files``.

    Returns:
        The path of the card.

    Raises:
        OutputError: something could not be written; the message names what was replaced, if any.
    """
    names = {
        precision: f"{NAME}.tflite" if precision == "int8" else f"{NAME}_{precision}.tflite"
        for precision in contents
    }
    files = {names[precision]: content for precision, content in contents.items()}
    weights = f"{NAME}_weights.npz"

    def whole(entries: dict[str, dict[str, str]]) -> dict[str, Any]:
        listed = {precision: entries[name] for precision, name in names.items()}
        return {**card, "files": {**listed, WEIGHTS_KEY: entries[weights]}}

    return write_files(
        folder,
        {**files, weights: lambda path: np.savez(path, **arrays_of(trained.averaged))},
        f"{NAME}.json",
        whole,
    )


def _calibration(feed: FaceFeed) -> Iterator[UInt8Array]:
    """Yields training pictures at even distances, with one that reaches from black to white."""
    count = min(len(feed), CALIBRATION_PICTURES)
    for number in range(count):
        yield feed.read(number * len(feed) // count)[0]
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    yield np.repeat(np.repeat(ramp[None, :, None], 256, axis=0), 3, axis=2)


def _measure(folder: Path, precision: str, size: int, feed: FaceFeed) -> tuple[FaceOutcome, float]:
    """Runs the exported file over a feed; returns the outcome and the median milliseconds."""
    with no_native_output():
        detector = load_face_detector(
            folder, confidence=_CONFIDENCE_FLOOR, precision=precision, face_size=size
        )
    outcomes, seconds = [], []
    for index in range(len(feed)):
        boxed = feed.read(index)
        start = time.perf_counter()
        xyxy, scores = detector.detect(boxed.picture)
        seconds.append(time.perf_counter() - start)
        outcomes.append(FaceOutcome.of(xyxy, scores, boxed.faces, boxed.ignored))
    return FaceOutcome.together(outcomes), 1000 * float(np.median(seconds))


def _row(
    precision: str, size: int, outcome: FaceOutcome, milliseconds: float, confidence: float
) -> dict[str, Any]:
    return {
        "precision_of_weights": precision,
        "input_size": size,
        "average_precision": round(outcome.average_precision, 3),
        "precision": round(outcome.precision(confidence), 3),
        "recall": round(outcome.recall(confidence), 3),
        "milliseconds": round(milliseconds, 1),
    }


def _provenance(options: FaceTrainOptions, pictures: FacePictures, passes: int) -> dict[str, Any]:
    return {
        "sets": [
            {part: row[part] for part in (TRAIN, VALIDATION, LEFT_OUT)} for row in pictures.counts()
        ],
        "passes": passes,
        "recipe": {name: value for name, value in vars(options).items() if name not in _NO_RECIPE},
        "adapted_from": "bundled" if options.from_face is None else Path(options.from_face).name,
        "versions": versions(),
    }


def _text(card: dict[str, Any]) -> str:
    measured = card["measured"]
    lines = [
        f"{measured['faces']} faces on {measured['photographs']} validation pictures, at "
        f"confidence {card['default_confidence']}:"
    ]
    lines += [
        f"{row['precision_of_weights']:8} at {row['input_size']:4}: average precision "
        f"{row['average_precision']:.3f}, precision {row['precision']:.3f}, recall "
        f"{row['recall']:.3f}, {row['milliseconds']:.0f} ms"
        for row in measured["results"]
    ]
    return "\n".join(lines)
