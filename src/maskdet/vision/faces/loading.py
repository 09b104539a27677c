"""Face detectors on disk: finding their folders, reading their cards, loading what they hold."""

from pathlib import Path

from maskdet.assets import bundled
from maskdet.cards.card import card_naming
from maskdet.errors import ModelError
from maskdet.vision.faces.caffe import CAFFE_INPUT_SIZE, CaffeFaceDetector
from maskdet.vision.faces.card import FaceCard, read_face_card
from maskdet.vision.faces.detector import FaceDetector
from maskdet.vision.faces.ssd import SsdFaceDetector
from maskdet.vision.precision import AUTO, fastest

CARD_NAME = "ssd_res10.json"
"""Of a detector converted from Caffe; any other name will do, if it is the folder's one card."""

TFLITE = ".tflite"
_CAFFE = frozenset({".caffemodel", ".prototxt"})

ORIGINAL = "original"
"""Name of the bundled public network, as it was before maskdet trained it on."""


def face_detector_folder(given: Path | str | None) -> Path:
    """Finds a face detector's folder, or in a folder of several the file that tells which.

    Args:
        given: a folder, or a card or a network in one; `ORIGINAL` for the bundled public network;
            ``None`` for the bundled detector.

    Returns:
        The folder, or the card or the network that was given.

    Raises:
        ModelError: there is no such folder or file.
    """
    if given is None:
        return bundled("face_detector")
    if str(given) == ORIGINAL:
        return bundled(f"face_detector/{ORIGINAL}")
    place = Path(given)
    try:
        is_file, is_folder = place.is_file(), place.is_dir()
    except OSError as error:
        raise ModelError(f"{place}: cannot be read ({error.strerror})") from None
    if is_file:
        suffix = place.suffix.lower()
        if suffix in (".json", TFLITE):
            return place
        if suffix in _CAFFE:
            return place.parent
        hint = "; --face-detector yunet runs it" if suffix == ".onnx" else ""
        raise ModelError(
            f"{place}: is not a face detector's folder, card (.json) or network (.tflite){hint}"
        )
    if not is_folder:
        raise ModelError(f"{place}: no such folder, and no bundled face detector of that name")
    return place


def find_card(place: Path) -> Path | None:
    """Finds the card of a face detector.

    Args:
        place: what `face_detector_folder` returns.

    Returns:
        The card; ``None`` where a folder holds none or several.

    Raises:
        ModelError: a network lies beside no card that names it.
    """
    if not place.is_file():
        cards = sorted(place.glob("*.json"))
        return cards[0] if len(cards) == 1 else None
    card = card_naming(place) if place.suffix.lower() == TFLITE else place
    if card is None:
        raise ModelError(f"{place}: no card (.json) beside it names it")
    return card


def input_sizes(place: Path) -> tuple[int, ...]:
    """Returns the input sizes a detector's card offers to choose from, none where it offers none.

    Raises:
        ModelError: the card is damaged.
    """
    card_path = find_card(place)
    if card_path is None:
        return ()
    return read_face_card(card_path).sizes


def load_face_detector(
    place: Path,
    *,
    confidence: float | None = None,
    precision: str | None = None,
    face_size: int | None = None,
    threads: int = 1,
    lanes: int = 1,
) -> FaceDetector:
    """Loads whichever face detector a folder holds.

    Args:
        place: holds a card, its one ``.json``, and the files it names, or a Caffe pair: one
            ``.prototxt`` and one ``.caffemodel``. Or a card, or one of the networks it names, which
            is then the one that is run.
        confidence: score from which on a box is a face; None takes the detector's default.
        precision: which of the card's files, such as ``int8`` or ``float16``, or
            `maskdet.vision.precision.AUTO`; None takes the card's default.
        face_size: side of the network's square input in pixels; None takes the detector's own.
        threads: CPU threads for one frame.
        lanes: frames worked on at a time, where the detector can.

    Raises:
        ModelError: the folder holds no face detector, or one that is damaged or cannot be used.
    """
    card_path = find_card(place)
    if card_path is not None:
        return _load_ssd(card_path, place, confidence, precision, face_size, threads, lanes)
    prototxts, caffemodels = sorted(place.glob("*.prototxt")), sorted(place.glob("*.caffemodel"))
    if len(prototxts) == len(caffemodels) == 1:
        size = face_size or CAFFE_INPUT_SIZE
        return CaffeFaceDetector(
            prototxts[0], caffemodels[0], confidence=confidence, face_size=size
        )
    raise ModelError(
        f"{place}: holds no face detector (expected one card, .json, and the files it names, or "
        "one .prototxt and one .caffemodel)"
    )


def _load_ssd(
    card_path: Path,
    place: Path,
    confidence: float | None,
    precision: str | None,
    face_size: int | None,
    threads: int,
    lanes: int,
) -> SsdFaceDetector:
    card = read_face_card(card_path)
    wanted = fastest_key(card) if precision == AUTO else precision or card.default_precision
    if place.suffix.lower() == TFLITE:
        path = card.named_file(place, None if precision in (None, AUTO) else precision)
        known = (key for key, entry in card.files.items() if entry.name == path.name)
        wanted = next(known, wanted)
    else:
        path = card.file(wanted)
    return SsdFaceDetector(
        path,
        spec=card.prior_boxes,
        nms_threshold=card.nms_threshold,
        box_voting=card.box_voting,
        default_confidence=card.default_confidence,
        confidence=confidence,
        face_size=face_size or card.size,
        multiple_of=card.multiple_of,
        halve=card.halved,
        threads=threads,
        lanes=lanes,
        precision=wanted,
    )


def fastest_key(card: FaceCard) -> str:
    """Returns the key of the card's file that is fastest here, of those that are equally right.

    Raises:
        ModelError: a file that is to be timed is missing or damaged.
    """
    default = card.default_precision
    if default not in card.interchangeable:
        return default
    files = {key: card.files[key] for key in card.interchangeable if key in card.files}
    return fastest(default, files, card.file, card.size)
