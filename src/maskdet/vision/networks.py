"""Which networks find the faces and read them, loaded as the user asked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.vision.classifier import Classifier, MaskClassifier
from maskdet.vision.faces.loading import face_detector_folder
from maskdet.vision.faces.sizes import load_sized_face_detector
from maskdet.vision.faces.tiles import Strips, TiledFaceDetector, parse_tiles
from maskdet.vision.faces.yunet import YunetFaceDetector, yunet_file
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.lanes import lanes_here
from maskdet.vision.pipeline import MaskDetector
from maskdet.vision.precision import AUTO

if TYPE_CHECKING:
    from maskdet.vision.faces.detector import FaceDetector

# Share of a face detector's usual confidence from which on what is found may be a face.
DOUBTFUL = 0.375


@dataclass(frozen=True)
class NetworkOptions:
    """Which networks to run, and how.

    Attributes:
        model: classifier named by the user, ``None`` for the bundled one.
        face: face detector's folder, card or network, or YuNet's file, or ``original`` for the
            public SSD; ``None`` for the bundled one.
        confidence: faces the first stage is less sure of are left out; ``None`` for its default.
        face_detector: ``ssd`` or ``yunet``.
        face_size: side the face detector scales frames to, in pixels; ``None`` lets it choose by
            what the frames show.
        tiles: ``wide`` for frames far from square alone, ``auto``, ``off``, or columns by rows
            such as ``3x2``.
        min_face: faces lower than this are left out, in pixels.
        crop_margin: share of the box added around a face; ``None`` for the classifier's own.
        precision: ``float32`` (the classifier's alone: face detectors have no such file, and keep
            to their own), ``float16`` or ``int8``; ``auto`` for what is fastest on this processor,
            of what the models call interchangeable; ``None`` for the models' defaults.
        merge: labels whose probability is added to another's; see `maskdet.vision.merging`.
    """

    model: Path | None = None
    face: Path | None = None
    confidence: float | None = None
    face_detector: str = "ssd"
    face_size: int | None = None
    tiles: str = "wide"
    min_face: float = 0
    crop_margin: float | None = None
    precision: str | None = AUTO
    merge: tuple[tuple[str, str], ...] = ()


def load_detector(
    options: NetworkOptions,
    *,
    maps: bool = False,
    doubtful: bool = False,
    classifier: Classifier | None = None,
    lanes: int | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> MaskDetector:
    """Loads both networks.

    Args:
        options: which ones.
        maps: whether detections carry heat maps.
        doubtful: whether they carry what is too doubtful to be labelled.
        classifier: the second stage, where it has been loaded already.
        lanes: frames in which faces are looked for at a time; ``None`` for what cores and memory
            allow.
        log: told when a model of others has to be converted.

    Raises:
        ModelError: one of them is missing, damaged or of another kind.
    """
    if lanes is None:
        lanes = lanes_here()
    faces = _face_detector(options, options.confidence, lanes=lanes)
    confidence = options.confidence
    if doubtful:
        # Only what was loaded says what its usual confidence is.
        confidence = faces.default_confidence if confidence is None else confidence
        least = min(confidence, DOUBTFUL * faces.default_confidence)
        faces = _face_detector(options, least, lanes=lanes, counted_from=confidence, doubtful=True)
    if classifier is None:
        classifier = MaskClassifier(
            find_or_convert_card(options.model, log),
            precision=options.precision,
            crop_margin=options.crop_margin,
            # Of a dozen faces in 720p, finding them takes one and a half times what reading them
            # does: on two cores reading in one lane is not what the others wait for, on four it is.
            lanes=max(1, lanes // 2),
            maps=maps,
            named=options.model,
            merge=options.merge,
        )
    return MaskDetector(
        faces, classifier, min_face=options.min_face, confidence=confidence if doubtful else None
    )


def _face_detector(
    options: NetworkOptions,
    confidence: float | None,
    *,
    lanes: int,
    counted_from: float = 0,
    doubtful: bool = False,
) -> "FaceDetector":
    """Loads the first stage; faces below `counted_from` do not count in the choice of its size."""
    faces: FaceDetector
    tiles = parse_tiles(options.tiles)
    # The choice of the size knows of strips: it follows a wide video, too.
    strips = tiles if isinstance(tiles, Strips) else None
    if options.face_detector == "yunet":
        faces = YunetFaceDetector(
            yunet_file(options.face), confidence=confidence, face_size=options.face_size
        )
    else:
        faces = load_sized_face_detector(
            face_detector_folder(options.face),
            confidence=confidence,
            precision=None if options.precision == "float32" else options.precision,
            face_size=options.face_size,
            lanes=lanes,
            strips=strips,
            counted_from=counted_from,
            # Who wants what is doubtful, too, can afford to overlook nobody in any frame.
            thorough=doubtful,
        )
    if tiles is not None and (strips is None or options.face_detector == "yunet"):
        faces = TiledFaceDetector(faces, tiles)
    return faces
