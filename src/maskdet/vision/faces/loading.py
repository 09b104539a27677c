"""Face detectors on disk: finding their folders, reading their cards, loading what they hold."""

from pathlib import Path

from maskdet.assets import bundled, card_file, read_card
from maskdet.errors import ModelError
from maskdet.vision.faces.caffe import CAFFE_INPUT_SIZE, CaffeFaceDetector
from maskdet.vision.faces.detector import FaceDetector
from maskdet.vision.faces.prior_boxes import PriorBoxSpec
from maskdet.vision.faces.ssd import SsdFaceDetector

CARD_NAME = "ssd_res10.json"
"""Of a detector converted from Caffe; any other name will do, if it is the folder's one card."""

CARD_FORMAT = 1
CARD_KIND = "ssd_face_detector"

ORIGINAL = "original"
"""Name of the bundled public network, as it was before maskdet trained it on."""


def face_detector_folder(given: Path | str | None) -> Path:
    """Finds a face detector's folder.

    Args:
        given: a folder; `ORIGINAL` for the bundled public network; ``None`` for the bundled
            detector.

    Raises:
        ModelError: there is no such folder.
    """
    if given is None:
        return bundled("face_detector")
    if str(given) == ORIGINAL:
        return bundled(f"face_detector/{ORIGINAL}")
    folder = Path(given)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder, and no bundled face detector of that name")
    return folder


def find_card(folder: Path) -> Path | None:
    """Returns the card of a detector's folder, ``None`` where it holds none or several."""
    cards = sorted(folder.glob("*.json"))
    return cards[0] if len(cards) == 1 else None


def input_sizes(folder: Path) -> tuple[int, ...]:
    """Returns the input sizes a folder's card offers to choose from, none where it offers none.

    Raises:
        ModelError: the card is damaged.
    """
    card_path = find_card(folder)
    if card_path is None:
        return ()
    try:
        return tuple(int(size) for size in read_card(card_path)["input"].get("sizes", ()))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{card_path}: lacks or garbles an entry ({error})") from None


def load_face_detector(
    folder: Path,
    *,
    confidence: float | None = None,
    precision: str | None = None,
    face_size: int | None = None,
    threads: int = 1,
    lanes: int = 1,
) -> FaceDetector:
    """Loads whichever face detector a folder holds.

    Args:
        folder: holds a card, its one ``.json``, and the files it names, or a Caffe pair: one
            ``.prototxt`` and one ``.caffemodel``.
        confidence: score from which on a box is a face; None takes the detector's default.
        precision: which of the card's files, such as ``int8`` or ``float16``; None takes the card's
            default.
        face_size: side of the network's square input in pixels; None takes the detector's own.
        threads: CPU threads for one frame.
        lanes: frames worked on at a time, where the detector can.

    Raises:
        ModelError: the folder holds no face detector, or one that is damaged or cannot be used.
    """
    card_path = find_card(folder)
    if card_path is not None:
        return _load_ssd(card_path, confidence, precision, face_size, threads, lanes)
    prototxts, caffemodels = sorted(folder.glob("*.prototxt")), sorted(folder.glob("*.caffemodel"))
    if len(prototxts) == len(caffemodels) == 1:
        size = face_size or CAFFE_INPUT_SIZE
        return CaffeFaceDetector(
            prototxts[0], caffemodels[0], confidence=confidence, face_size=size
        )
    raise ModelError(
        f"{folder}: holds no face detector (expected one card, .json, and the files it names, or "
        "one .prototxt and one .caffemodel)"
    )


def _load_ssd(
    card_path: Path,
    confidence: float | None,
    precision: str | None,
    face_size: int | None,
    threads: int,
    lanes: int,
) -> SsdFaceDetector:
    card = read_card(card_path)
    if card.get("kind") != CARD_KIND or card.get("format") != CARD_FORMAT:
        raise ModelError(
            f"{card_path}: is not the card of a face detector this maskdet can run "
            f"(expected kind {CARD_KIND!r}, format {CARD_FORMAT})"
        )
    try:
        spec = PriorBoxSpec.from_card(card["prior_boxes"])
        nms_threshold = float(card["nms_threshold"])
        default_confidence = float(card["default_confidence"])
        default_size = int(card["input"]["size"])
        multiple_of = int(card["input"].get("multiple_of", 1))
        halve = bool(card["input"].get("halved", False))
        default_precision = str(card["default_precision"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{card_path}: lacks or garbles an entry ({error})") from None
    return SsdFaceDetector(
        card_file(card_path, card, precision or default_precision),
        spec=spec,
        nms_threshold=nms_threshold,
        default_confidence=default_confidence,
        confidence=confidence,
        face_size=face_size or default_size,
        multiple_of=multiple_of,
        halve=halve,
        threads=threads,
        lanes=lanes,
    )
