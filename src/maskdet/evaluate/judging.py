"""Both stages against one photograph's labelled faces, and what many of them add up to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import intersection_over_union
from maskdet.detections import Detections, FloatArray
from maskdet.vision.matching import (
    OVERLAP,
    OVERLAPS,
    average_precision_by_draw,
    match_detections,
)

UNSEEN = -1
"""What was said about a face that was not found."""


@dataclass(frozen=True)
class Judged:
    """D detections of a photograph, best first, and its F labelled faces.

    Attributes:
        xyxy: (D, 4) pixels.
        scores: (D,) of the face detector.
        label_scores: (D,) the same times the probability of the label.
        said: (D,) index of the label.
        hits: (overlaps, D) whether a detection is a face that no better one has found.
        label_hits: (overlaps, D) the same among the faces and the detections of its label.
        right: (D,) whether it is a hit, and its label that of the face it hit.
        faces: (F, 4) pixels.
        labels: (F,) true class indices.
        found_at: (F,) score of the detection that found a face, 0 where none did.
        found_as: (F,) its label, `UNSEEN` where none did.
        milliseconds: for both stages.
    """

    xyxy: FloatArray
    scores: FloatArray
    label_scores: FloatArray
    said: NDArray[np.intp]
    hits: NDArray[np.bool_]
    label_hits: NDArray[np.bool_]
    right: NDArray[np.bool_]
    faces: FloatArray
    labels: NDArray[np.intp]
    found_at: FloatArray
    found_as: NDArray[np.intp]
    milliseconds: float

    @property
    def heights(self) -> FloatArray:
        """(F,) pixels."""
        heights: FloatArray = self.faces[:, 3] - self.faces[:, 1]
        return heights


def judge(
    detections: Detections,
    faces: FloatArray,
    labels: Sequence[int | None],
    milliseconds: float,
) -> Judged:
    """Judges what was found in a photograph.

    Args:
        detections: best first.
        faces: (F, 4) labelled boxes in pixels.
        labels: class index of each; ``None`` for a face that is not to count: a detection of it
            is neither right nor wrong.
        milliseconds: that it took.
    """
    counts = np.array([label is not None for label in labels], bool)
    real, ignored = faces[counts], faces[~counts]
    truth = np.array([label for label in labels if label is not None], np.intp)
    matches = match_detections(detections.xyxy, real)
    # A detection of a face that does not count is taken out altogether.
    void = np.zeros(len(detections), bool)
    if len(ignored) and len(detections):
        covers = intersection_over_union(detections.xyxy, ignored).max(axis=1) >= OVERLAP
        void = covers & (matches < 0)
    keep = np.flatnonzero(~void)
    matches = matches[keep]
    xyxy, scores = detections.xyxy[keep], detections.face_scores[keep]
    said = detections.label_indices[keep]
    label_scores = scores * detections.confidences[keep]
    found_at = np.zeros(len(real), np.float32)
    found_as = np.full(len(real), UNSEEN, np.intp)
    found_at[matches[matches >= 0]] = scores[matches >= 0]
    found_as[matches[matches >= 0]] = said[matches >= 0]
    right = np.zeros(len(keep), bool)
    right[matches >= 0] = said[matches >= 0] == truth[matches[matches >= 0]]
    hits = np.array([match_detections(xyxy, real, overlap) >= 0 for overlap in OVERLAPS])
    label_hits = np.zeros_like(hits)
    for label in np.unique(said):
        # Within a label the order is that of the label's score.
        of_label = np.flatnonzero(said == label)
        of_label = of_label[np.argsort(-label_scores[of_label], kind="stable")]
        for row, overlap in enumerate(OVERLAPS):
            found = match_detections(xyxy[of_label], real[truth == label], overlap) >= 0
            label_hits[row, of_label] = found
    return Judged(
        xyxy,
        scores,
        label_scores,
        said,
        hits,
        label_hits,
        right,
        real,
        truth,
        found_at,
        found_as,
        milliseconds,
    )


@dataclass(frozen=True)
class Counts:
    """What became of faces at one threshold.

    Attributes:
        faces: labelled.
        right: found, with the right label.
        wrong: found, with a wrong label.
        missed: not found.
        false: detections that are no face.
    """

    faces: int
    right: int
    wrong: int
    missed: int
    false: int

    @property
    def face_precision(self) -> float:
        """Share of the detections that are faces."""
        return _share(self.right + self.wrong, self.right + self.wrong + self.false)

    @property
    def face_recall(self) -> float:
        """Share of the faces that were found."""
        return _share(self.right + self.wrong, self.faces)

    @property
    def precision(self) -> float:
        """Share of the detections that are faces with the right label."""
        return _share(self.right, self.right + self.wrong + self.false)

    @property
    def recall(self) -> float:
        """Share of the faces found with the right label."""
        return _share(self.right, self.faces)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _share(2 * self.right, self.faces + self.right + self.wrong + self.false)

    @property
    def face_f1(self) -> float:
        """The same for the face stage alone."""
        found = self.right + self.wrong
        return _share(2 * found, self.faces + found + self.false)

    @property
    def label_accuracy(self) -> float:
        """Share of the found faces with the right label."""
        return _share(self.right, self.right + self.wrong)


def count(
    photographs: Sequence[Judged],
    threshold: float,
    chosen: Callable[[Judged], NDArray[np.bool_]] | None = None,
) -> Counts:
    """Counts what became of the faces of photographs.

    Args:
        photographs: which.
        threshold: score from which on a detection counts.
        chosen: returns which of a photograph's faces to count, (F,) bool; all without it. False
            faces belong to no choice: then there are none.
    """
    faces = right = wrong = false = 0
    for photo in photographs:
        mine = np.ones(len(photo.labels), bool) if chosen is None else chosen(photo)
        found = (photo.found_at >= threshold) & (photo.found_as != UNSEEN) & mine
        same = found & (photo.found_as == photo.labels)
        faces += int(mine.sum())
        right += int(same.sum())
        wrong += int((found & ~same).sum())
        if chosen is None:
            false += int(((photo.scores >= threshold) & ~photo.hits[0]).sum())
    return Counts(faces, right, wrong, faces - right - wrong, false)


def precisions(
    photographs: Sequence[Judged], names: Sequence[str], times: NDArray[np.intp]
) -> dict[str, FloatArray]:
    """Returns average precisions: at overlap 0.5 (``ap50``) and the mean of 0.5 to 0.95 (``ap``).

    Of the face stage alone, of each class, and the mean of the classes that occur; (R,) each, of R
    draws.

    Args:
        photographs: P of them.
        names: of the labels.
        times: (R, P) how often each photograph was drawn.
    """
    scores = np.concatenate([photo.scores for photo in photographs])
    label_scores = np.concatenate([photo.label_scores for photo in photographs])
    said = np.concatenate([photo.said for photo in photographs])
    hits = np.concatenate([photo.hits for photo in photographs], axis=1)
    label_hits = np.concatenate([photo.label_hits for photo in photographs], axis=1)
    drawn = np.repeat(times, [len(photo.scores) for photo in photographs], axis=1)
    truth = [np.bincount(photo.labels, minlength=len(names)) for photo in photographs]
    faces = times @ np.stack(truth)
    of_classes: dict[str, FloatArray] = {}
    for index, name in enumerate(names):
        mine = said == index
        found = label_scores[mine], label_hits[:, mine], faces[:, index], drawn[:, mine]
        of_classes |= _over_overlaps(name, *found)
    occur = np.maximum((faces > 0).sum(axis=1), 1)
    means = {}
    for of in ("ap50", "ap"):
        sums = np.nansum([of_classes[f"{name}_{of}"] for name in names], axis=0)
        means[f"mean_{of}"] = np.where(faces.any(axis=1), sums / occur, np.nan)
    return means | _over_overlaps("face", scores, hits, faces.sum(axis=1), drawn) | of_classes


def _over_overlaps(
    name: str,
    scores: FloatArray,
    hits: NDArray[np.bool_],
    faces: NDArray[np.intp],
    times: NDArray[np.intp],
) -> dict[str, FloatArray]:
    """Returns the average precisions at an overlap of 0.5, and their means over all overlaps."""
    values = [average_precision_by_draw(scores, row, faces, times) for row in hits]
    return {f"{name}_ap50": values[0], f"{name}_ap": np.mean(values, axis=0)}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
