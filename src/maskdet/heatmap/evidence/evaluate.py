"""Measures whether heat maps tell the truth: `maskdet heatmap --evaluate`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import Detections, FloatArray
from maskdet.errors import OutputError
from maskdet.extras import missing
from maskdet.heatmap.evidence.completeness import bias_shares
from maskdet.heatmap.evidence.faces import FaceSet, read_faces
from maskdet.heatmap.evidence.findings import Completeness, Evidence, MethodEvidence
from maskdet.heatmap.evidence.perturbation import Score, deletion_and_insertion, ranks, road
from maskdet.heatmap.evidence.report import write_report
from maskdet.heatmap.methods.explainers import METHODS, MapOptions
from maskdet.heatmap.methods.loading import load_model
from maskdet.heatmap.methods.views import resolve_view, shown_maps
from maskdet.media.files import next_run_folder
from maskdet.vision.card import read_classifier_card
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.evidence import evidence_shares
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.networks import NetworkOptions

UInt8Batch = NDArray[np.uint8]

RANDOM, CENTRE = "random", "centre"
# In use every crop is centred on a face, where a blob in the middle is a good guess. Shifted by up
# to this share of their side, at random, they have the face anywhere.
SHIFT = 0.3
# Crops explained at a time: Keras holds their gradients in memory.
_BATCH = 16
# Width of the centre blob, as a share of the map's side.
_BLOB = 0.25
# Maps that differ by less than this share of their largest value order the blocks alike.
_SAME = 1e-3


@dataclass(frozen=True)
class EvaluateOptions:
    """What `maskdet heatmap --evaluate` was asked to do.

    Attributes:
        dataset: class folders; see `maskdet.heatmap.evidence.faces.read_faces`.
        networks: of which the classifier, its precision and its crop margin count.
        maps: layer, resolution and smoothing of the methods compared.
        methods: which ones; the baselines are always compared.
        view: which map; see `maskdet.heatmap.methods.views.resolve_view`.
        faces: of each class.
        output: folder; ``None`` for a fresh ``runs/heatmap/<n>``.
        overwrite: whether an earlier evaluation there may be replaced.
    """

    dataset: Path
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    maps: MapOptions = field(default_factory=MapOptions)
    methods: tuple[str, ...] = METHODS
    view: str | None = None
    faces: int = 120
    output: Path | None = None
    overwrite: bool = False


def evaluate(
    options: EvaluateOptions, *, log: Callable[[str], None]
) -> tuple[Evidence, list[Path]]:
    """Compares methods with one another and with maps that know nothing of the face.

    Args:
        options: what to do.
        log: told how far it is.

    Returns:
        What was found, and the files written.

    Raises:
        MaskdetError: something the user can mend.
    """
    earlier = None if options.output is None else options.output / "evidence.json"
    if earlier is not None and earlier.exists() and not options.overwrite:
        raise OutputError(f"{earlier}: exists already; --overwrite replaces it")
    networks = options.networks
    card_path = find_or_convert_card(networks.model, log)
    options = replace(options, networks=replace(networks, model=card_path))
    classifier = MaskClassifier(
        card_path,
        precision=networks.precision,
        crop_margin=networks.crop_margin,
        maps=True,
        named=networks.model,
        merge=networks.merge,
    )
    view = resolve_view(options.view, classifier.labels)
    evidence = _measured(options, classifier, view, 0.0, log)
    shifted = _measured(options, classifier, view, SHIFT, log)
    complete = _completeness(card_path, evidence.faces, log)
    evidence = replace(evidence, completeness=complete, shifted=shifted)
    folder = options.output or next_run_folder("heatmap")
    return evidence, write_report(folder, evidence)


def _measured(
    options: EvaluateOptions,
    classifier: MaskClassifier,
    view: str,
    shift: float,
    log: Callable[[str], None],
) -> Evidence:
    """Compares the methods on faces whose crops are shifted at random."""
    networks = options.networks
    faces = read_faces(
        options.dataset,
        classifier.labels,
        margin=classifier.crop_margin,
        size=classifier.size,
        each=options.faces,
        merge=networks.merge,
        shift=shift,
    )
    answers = _batches(faces.crops, classifier.read)
    probabilities, logits = answers[0], answers[1]
    chosen = probabilities.argmax(axis=1)
    where = f"shifted at random by up to {shift:.0%}" if shift else "as in use"
    log(f"{len(faces)} faces, crops {where}: {(chosen == faces.labels).mean():.1%} right")

    def score(batch: UInt8Batch) -> FloatArray:
        return classifier.read(batch)[0]

    methods: list[MethodEvidence] = []
    for name, maps in _all_maps(options, classifier.labels, faces, logits, view, log):
        twin = next((done for done in methods if _alike(done.maps, maps)), None)
        if twin is not None:
            log(f"{name}: the maps of {twin.name}")
            methods.append(replace(twin, name=name, maps=maps))
            continue
        log(f"{name}: removing what it points at")
        methods.append(_perturb(name, maps, faces, chosen, score))
    return Evidence(
        labels=classifier.labels,
        view=view,
        faces=faces,
        chosen=chosen,
        probabilities=probabilities,
        methods=tuple(methods),
        completeness=(),
    )


def _batches(
    crops: UInt8Batch, work: Callable[[UInt8Batch], tuple[FloatArray, ...]]
) -> list[FloatArray]:
    """Applies some work to crops a few at a time and joins each of its results."""
    parts = [work(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)]
    return [np.concatenate(results) for results in zip(*parts, strict=True)]


def _all_maps(
    options: EvaluateOptions,
    labels: tuple[str, ...],
    faces: FaceSet,
    logits: FloatArray,
    view: str,
    log: Callable[[str], None],
) -> Iterable[tuple[str, FloatArray]]:
    """Yields each method's name and (N, h, w) maps for the classifier's answers."""
    chosen = logits.argmax(axis=1)
    for method in options.methods:
        model = load_model(
            options.networks.model,
            replace(options.maps, method=method),
            crop_margin=options.networks.crop_margin,
            precision=options.networks.precision,
            merge=options.networks.merge,
            log=log,
        )
        log(f"{method}: mapping")
        size = model.explainer.size
        crops = faces.crops
        if size != crops.shape[1]:
            crops = np.stack([cv2.resize(crop, (size, size)) for crop in crops])
        cams = _batches(crops, model.explainer.explain)[1]
        yield method, shown_maps(_detections(labels, logits, chosen, cams), view).maps
    count, random = len(faces), np.random.default_rng(0)
    yield RANDOM, random.normal(size=(count, 7, 7)).astype(np.float32)
    yield CENTRE, np.broadcast_to(_blob(7), (count, 7, 7))


def _detections(
    labels: tuple[str, ...], logits: FloatArray, chosen: NDArray[np.intp], cams: FloatArray
) -> Detections:
    count = len(logits)
    return Detections(
        labels,
        np.zeros((count, 4), np.float32),
        np.ones(count, np.float32),
        logits,
        logits,
        cams,
        decided=chosen,
    )


def _blob(side: int) -> FloatArray:
    """Returns a (side, side) Gaussian about the centre."""
    along = (np.arange(side) + 0.5) / side - 0.5
    bell = np.exp(-(along**2) / (2 * _BLOB**2))
    blob: FloatArray = np.outer(bell, bell).astype(np.float32)
    return blob


def _alike(one: FloatArray, other: FloatArray) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _SAME * np.abs(one).max())


def _perturb(
    name: str, maps: FloatArray, faces: FaceSet, chosen: NDArray[np.intp], score: Score
) -> MethodEvidence:
    random = np.random.default_rng(0)
    rows = []
    for crop, map_, kind in zip(faces.crops, maps, chosen, strict=True):
        order = ranks(map_)
        curves = deletion_and_insertion(crop, order, int(kind), score)
        rows.append((*curves, *road(crop, order, int(kind), score, random)))
    deletion, insertion, morf, lerf = (np.stack(parts) for parts in zip(*rows, strict=True))
    shares = evidence_shares(maps, faces.places)
    return MethodEvidence(name, maps, deletion, insertion, morf, lerf, shares)


def _completeness(
    card_path: Path, faces: FaceSet, log: Callable[[str], None]
) -> tuple[Completeness, ...]:
    """Checks every exported file of the model."""
    card = read_classifier_card(card_path)
    if "keras" not in card.files:
        log("the card names no .keras file: what the biases add is not known")
        return ()
    if missing("train"):
        log(
            "without 'maskdet[train]' the .keras file is not read: what the biases add is not known"
        )
        return ()
    results = []
    # The default file may be named twice, by its precision as well.
    exported = {entry.name: key for key, entry in card.files.items() if key.startswith("tflite")}
    for key in exported.values():
        precision = key.removeprefix("tflite").removeprefix("_") or None
        network = MaskClassifier(card_path, precision=precision, maps=True)
        _, logits, cams = _batches(faces.crops, network.read)
        biases = bias_shares(network.path, card.file("keras"), faces.crops)
        error = np.abs(logits - cams.mean(axis=(1, 2)) - biases)
        span = float(logits.max() - logits.min())
        results.append(
            Completeness(
                card.files[key].precision or key, float(error.max()), float(error.mean()), span
            )
        )
    return tuple(results)
