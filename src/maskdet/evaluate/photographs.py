"""Both stages end to end, on whole photographs with boxed faces."""

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.annotations import read_annotations
from maskdet.boxes import clip_boxes
from maskdet.detections import Detections, FloatArray
from maskdet.errors import DatasetError, SourceError
from maskdet.evaluate.folders import HEIGHTS, RESAMPLES, SEED
from maskdet.evaluate.judging import Counts, Judged, count, judge, precisions
from maskdet.evaluate.labels import label_indices
from maskdet.evaluate.options import PhotographOptions
from maskdet.evaluate.plots import plot_thresholds
from maskdet.evaluate.report import Cell, Report, Table
from maskdet.evaluate.worst import write_worst
from maskdet.media.inputs.decoding import read_picture
from maskdet.metrics import resample
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import MaskDetector

# Detections below this are not looked at: far below any threshold worth using. The SSD has a dozen
# a picture between 0.1 and its 0.25, and hundreds below, which hardly add to an average precision.
FLOOR = 0.1
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 20))


@dataclass(frozen=True)
class _Run:
    """What was seen in the photographs, and where they are."""

    paths: tuple[Path, ...]
    judged: tuple[Judged, ...]
    problems: tuple[str, ...]


def evaluate_photographs(
    options: PhotographOptions,
    networks: NetworkOptions,
    output: Path,
    *,
    show: Callable[[float, str], None],
) -> Report:
    """Measures detection on boxed photographs; plots and a sheet go to `output`.

    Raises:
        DatasetError: the annotations cannot be used, or their classes are not the model's.
        ModelError: a network is missing, damaged or of another kind.
        OutputError: a plot cannot be written.
    """
    floor = FLOOR if networks.confidence is None else min(FLOOR, networks.confidence)
    detector = load_detector(replace(networks, confidence=floor))
    threshold = networks.confidence
    if threshold is None:
        threshold = detector.faces.default_confidence
    run = _look(options, networks, detector, threshold, show)
    names = detector.labels

    fates = np.array([astuple(count([photo], threshold)) for photo in run.judged])

    def measure(times: NDArray[np.intp]) -> dict[str, FloatArray]:
        drawn = [Counts(*map(int, sums)) for sums in times @ fates]
        first, last = (
            {name: np.array([getattr(counts, name) for counts in drawn]) for name in shares}
            for shares in (_SHARES, _FACE_SHARES)
        )
        return first | precisions(run.judged, names, times) | last

    figures = resample(measure, np.arange(len(run.judged)), seed=SEED, times=RESAMPLES // 2)
    sweep = {at: count(run.judged, at) for at in THRESHOLDS}
    best = max(sweep, key=lambda at: np.nan_to_num(sweep[at].f1))
    milliseconds = float(np.median([photo.milliseconds for photo in run.judged]))
    plot_thresholds(output / "thresholds.png", sweep, threshold, best)
    write_worst(output / "worst.jpg", run.paths, run.judged, threshold, names)
    total = count(run.judged, threshold)
    return Report(
        kind=options.kind,
        summary=f"Of {total.faces} faces {total.right} are found and labelled right, {total.wrong} "
        f"found and labelled wrong, {total.missed} missed; {total.false} detections are no face.",
        highlights=("recall", "precision", "label_accuracy"),
        about={
            "photographs": f"{len(run.judged)} with {total.faces} labelled faces",
            "threshold": f"{threshold:g} for a face; a face is found at an overlap of 0.5",
            "intervals": "bootstrap over photographs",
        },
        figures={**figures, "best_threshold": best, "milliseconds": milliseconds},
        tables=(
            _fate_table(run.judged, threshold, names),
            # Of two labels the wrong one is the other.
            *([said_table(run.judged, threshold, names)] if len(names) > _PLAIN else []),
            _height_table(run.judged, threshold),
            _sweep_table(sweep, threshold, best),
        ),
        gate=options.gate,
        plots={
            "thresholds.png": "Precision, recall and F1 over the face threshold",
            "worst.jpg": "The photographs with the most mistakes, and how many (green: right, red: "
            "wrong label, yellow: missed, purple: no face)",
        },
        problems=run.problems,
    )


_SHARES = ("f1", "precision", "recall", "label_accuracy")
_FACE_SHARES = ("face_precision", "face_recall", "face_f1")
# So many labels need no table of what is taken for what.
_PLAIN = 2


def _look(
    options: PhotographOptions,
    networks: NetworkOptions,
    detector: MaskDetector,
    threshold: float,
    show: Callable[[float, str], None],
) -> _Run:
    annotations = read_annotations(options.images, options.annotations, options.format_name)
    names = annotations.names(options.mapping)
    index_of = label_indices(names, detector.labels, networks.merge)
    problems = list(annotations.problems)
    judged, paths = [], []
    for done, photograph in enumerate(annotations.photographs, 1):
        show(done / len(annotations.photographs), "looking at photographs")
        try:
            image = read_picture(photograph.path)
        except SourceError as error:
            problems.append(str(error))
            continue
        start = time.perf_counter()
        xyxy, scores = detector.find_faces(image)
        usual = int((scores >= threshold).sum())
        detections = detector.classify(image, xyxy[:usual], scores[:usual])
        milliseconds = 1000 * (time.perf_counter() - start)
        # Those below the threshold serve the curves; they would not be looked at in use.
        if usual < len(xyxy):
            rest = detector.classify(image, xyxy[usual:], scores[usual:])
            detections = _joined(detections, rest)
        height, width = image.shape[:2]
        # Detections end at the picture's edge, so labelled faces must, too.
        faces = clip_boxes(photograph.xyxy(width, height), width, height)
        inside = np.flatnonzero(np.all(faces[:, 2:] > faces[:, :2], axis=1))
        outside = len(faces) - len(inside)
        if outside:
            problems.append(f"{photograph.path}: {outside} faces lie outside the picture: left out")
        faces = faces[inside]
        labels = [index_of[photograph.labels[index]] for index in inside]
        judged.append(judge(detections, faces, labels, milliseconds))
        paths.append(photograph.path)
    if not any(len(photo.labels) for photo in judged):
        raise DatasetError(f"{options.annotations}: no labelled face in a picture that can be read")
    return _Run(tuple(paths), tuple(judged), tuple(problems))


def _joined(first: Detections, second: Detections) -> Detections:
    return Detections(
        first.labels,
        np.concatenate([first.xyxy, second.xyxy]),
        np.concatenate([first.face_scores, second.face_scores]),
        np.concatenate([first.probabilities, second.probabilities]),
        np.concatenate([first.logits, second.logits]),
    )


def _fate_table(judged: Sequence[Judged], threshold: float, names: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for index, name in enumerate(names):

        def of_class(photo: Judged, index: int = index) -> NDArray[np.bool_]:
            mine: NDArray[np.bool_] = photo.labels == index
            return mine

        counts = count(judged, threshold, of_class)
        rows.append((name, *_fates(counts), None))
    total = count(judged, threshold)
    rows.append(("all", *_fates(total), total.false))
    return Table(
        "What became of the faces",
        ("", "faces", "right", "wrong label", "missed", "right share", "false faces"),
        tuple(rows),
        "Missed and false faces are the first stage's, wrong labels the second's.",
    )


def said_table(judged: Sequence[Judged], threshold: float, names: Sequence[str]) -> Table:
    """Returns how many faces of each class are called what, of those found at a threshold."""
    rows: list[tuple[Cell, ...]] = []
    for index, name in enumerate(names):
        said = [
            photo.found_as[(photo.labels == index) & (photo.found_at >= threshold)]
            for photo in judged
        ]
        # What was not found is below zero.
        seen = np.concatenate(said)
        counts = np.bincount(seen[seen >= 0], minlength=len(names))
        rows.append((name, *map(int, counts)))
    return Table(
        "What the faces found are called",
        ("true", *(f"said {name}" for name in names)),
        tuple(rows),
    )


def _height_table(judged: Sequence[Judged], threshold: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, low, high in HEIGHTS:

        def so_high(photo: Judged, low: float = low, high: float = high) -> NDArray[np.bool_]:
            mine: NDArray[np.bool_] = (photo.heights >= low) & (photo.heights < high)
            return mine

        counts = count(judged, threshold, so_high)
        rows.append((name, *_fates(counts), counts.face_recall, counts.label_accuracy))
    return Table(
        "By height of the face in pixels",
        ("", "faces", "right", "wrong label", "missed", "right share", "found", "labels right"),
        tuple(rows),
    )


def _fates(counts: Counts) -> tuple[Cell, ...]:
    return counts.faces, counts.right, counts.wrong, counts.missed, counts.recall


def _sweep_table(sweep: dict[float, Counts], threshold: float, best: float) -> Table:
    rows = [
        (
            " ".join([f"{at:g}", *["best"] * (at == best), *["used"] * (at == threshold)]),
            counts.precision,
            counts.recall,
            counts.f1,
            counts.face_precision,
            counts.face_recall,
            counts.face_f1,
        )
        for at, counts in sweep.items()
    ]
    return Table(
        "Over the face threshold",
        ("", "precision", "recall", "F1", "face precision", "face recall", "face F1"),
        tuple(rows),
        "The first three ask for the right label, the last three for a face only.",
    )
