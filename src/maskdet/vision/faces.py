"""Face detectors: a frame in, boxes and scores out."""

from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.assets import bundled, card_file, read_card
from maskdet.boxes import clip_boxes
from maskdet.detections import FloatArray
from maskdet.errors import ModelError
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.prior_boxes import PriorBoxSpec
from maskdet.vision.runtime import Network
from maskdet.vision.ssd_heads import SsdHeads, squash

CARD_NAME = "ssd_res10.json"
"""Of a detector converted from Caffe; any other name will do, if it is the folder's one card."""

CARD_FORMAT = 1
CARD_KIND = "ssd_face_detector"

# Of the public Caffe model, which a folder without a card is taken to hold.
CAFFE_INPUT_MEAN_BGR = (104.0, 177.0, 123.0)
CAFFE_INPUT_SIZE = 300  # pixels, what it was trained at
CAFFE_CONFIDENCE = 0.25  # face_detector/README.md says why

ORIGINAL = "original"
"""Name of the bundled public network, as it was before maskdet trained it on."""

Faces = tuple[FloatArray, FloatArray]
"""(N, 4) float32 xyxy in pixels of the frame, and (N,) float32 scores, best first."""


class FaceDetector(Protocol):
    """What the rest of maskdet asks of a face detector.

    Attributes:
        default_confidence: the score from which on this detector's boxes are worth showing.
        workers: how many frames it can work on at a time, called from as many threads.
    """

    default_confidence: float
    workers: int

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame.

        Args:
            frame_bgr: (H, W, 3) uint8.

        Returns:
            Boxes, (N, 4) float32 xyxy in pixels, clipped to the frame and none of them empty,
            and their scores, (N,) float32 in [0, 1]: all that reach the confidence the detector
            was made with, best first.
        """
        ...


class SsdFaceDetector:
    """The SSD of `maskdet.train.ssd`, exported, on LiteRT.

    Attributes:
        size: side of the network's input in pixels.

    Args:
        path: the ``.tflite`` file.
        spec: layout of the network's prior boxes.
        nms_threshold: overlap from which on the weaker of two boxes is dropped.
        default_confidence: see `FaceDetector`.
        confidence: score from which on a box is a face; None takes the default.
        face_size: side in pixels of the square the frame is squashed to. Twice the side finds
            faces half as large, in four times the time. Taken to the nearest the network can do.
        multiple_of: what its sides have to be multiples of.
        halve: whether it was trained on frames that were averaged down, see `squash`.
        threads: CPU threads for one frame.
        lanes: frames worked on at a time.

    Raises:
        ModelError: the file is missing, damaged, or not such a network.
    """

    def __init__(
        self,
        path: Path,
        *,
        spec: PriorBoxSpec,
        nms_threshold: float,
        default_confidence: float,
        confidence: float | None,
        face_size: int,
        multiple_of: int = 1,
        halve: bool = False,
        threads: int,
        lanes: int = 1,
    ) -> None:
        self.default_confidence = default_confidence
        self.workers = lanes
        self.confidence = default_confidence if confidence is None else confidence
        self._halve = halve
        # Half a step rounds up: 600 becomes 608 where 16 is wanted.
        self.size = max(1, int(face_size / multiple_of + 0.5)) * multiple_of
        shape = (1, self.size, self.size, 3)
        self._network = Network(path, input_shape=shape, threads=threads, lanes=lanes)
        maps = range(len(spec.steps))
        expected = {f"{kind}_{index}" for kind in ("loc", "conf") for index in maps}
        if self._network.output_names != expected:
            raise ModelError(f"{path}: is not an SSD with {len(maps)} pairs of head maps")
        heads = self._network.run(np.zeros(shape, np.uint8))
        shapes = [heads[f"loc_{index}"].shape[1:3] for index in maps]
        self._heads = SsdHeads(spec, shapes, nms_threshold=nms_threshold)
        offsets = sum(heads[f"loc_{index}"].size for index in maps)
        if offsets != self._heads.priors.size:
            raise ModelError(
                f"{path}: has {offsets} offsets for {len(self._heads.priors)} prior boxes; its "
                "card describes another network"
            )

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        squashed = squash(frame_bgr, self.size, halve=self._halve)
        heads = self._network.run(squashed[np.newaxis])
        boxes, scores = self._heads.boxes(heads, self.confidence)
        scale = np.array([width, height, width, height], np.float32) / np.float32(self.size)
        return _inside_frame(boxes * scale, scores, width, height)


class CaffeFaceDetector:
    """The same network as its authors publish it, in Caffe's format, on OpenCV 4.

    Args:
        prototxt: the network's description.
        caffemodel: its weights.
        confidence: score from which on a box is a face; None takes `CAFFE_CONFIDENCE`.
        face_size: see `SsdFaceDetector`.

    Raises:
        ModelError: this OpenCV no longer reads Caffe models, or not these files.
    """

    def __init__(
        self, prototxt: Path, caffemodel: Path, *, confidence: float | None, face_size: int
    ) -> None:
        if not hasattr(cv2.dnn, "readNetFromCaffe"):
            raise ModelError(
                f"{caffemodel.parent}: OpenCV {cv2.__version__} no longer reads Caffe models; "
                f"convert it: python tools/build_assets.py --caffe {caffemodel.parent} "
                f"--output {caffemodel.parent}"
            )
        try:
            self._network = cv2.dnn.readNetFromCaffe(str(prototxt), str(caffemodel))
        except cv2.error as error:
            raise ModelError(
                f"{caffemodel}: is not a Caffe model that goes with {prototxt.name} ({error.err})"
            ) from None
        self.default_confidence = CAFFE_CONFIDENCE
        # OpenCV's network keeps its input between calls: one frame at a time.
        self.workers = 1
        self.confidence = CAFFE_CONFIDENCE if confidence is None else confidence
        self._size = face_size

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        blob = cv2.dnn.blobFromImage(frame_bgr, 1.0, (self._size, self._size), CAFFE_INPUT_MEAN_BGR)
        self._network.setInput(blob)
        # A row a box: picture, class, score, then left, top, right, bottom as shares of the frame.
        rows = self._network.forward().reshape(-1, 7)
        rows = rows[rows[:, 2] >= self.confidence]
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        scale = np.array([width, height, width, height], np.float32)
        return _inside_frame(rows[:, 3:] * scale, rows[:, 2], width, height)


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


def _inside_frame(xyxy: NDArray[Any], scores: NDArray[Any], width: int, height: int) -> Faces:
    """Clips boxes to the frame and drops those of which nothing is left."""
    clipped = clip_boxes(xyxy.astype(np.float32), width, height)
    left = np.all(clipped[:, 2:] > clipped[:, :2], axis=1)
    return clipped[left], cast("FloatArray", scores[left].astype(np.float32))
