"""Loads a detector by what the user wants of it."""

from collections.abc import Mapping

from maskdet.api import checking
from maskdet.api.detector import Detector
from maskdet.api.given import Reading
from maskdet.api.logs import Log
from maskdet.media.inputs.decoding import MEGA


def load(
    model: checking.AnyPath | None = None,
    *,
    face: checking.AnyPath | None = None,
    face_detector: str = "ssd",
    confidence: float | None = None,
    face_size: int | None = None,
    tiles: str = "wide",
    min_face: float = 0,
    crop_margin: float | None = None,
    precision: str = "auto",
    merge: Mapping[str, str] | None = None,
    min_confidence: float | None = None,
    timeout: float = 10.0,
    max_megapixels: float = 200.0,
    log: Log | None = None,
) -> Detector:
    """Loads both networks. The arguments are the options of ``maskdet detect``.

    Args:
        model: classifier: its card, network or Keras file, or what `maskdet.train` returned;
            ``None`` for the bundled one.
        face: face detector's folder or one of its files, or ``original`` for the public SSD;
            ``None`` for the bundled one.
        face_detector: ``ssd`` or ``yunet``.
        confidence: leave out faces the face detector is less sure of, above 0 and up to 1; ``None``
            for the detector's own.
        face_size: pixels the face detector scales pictures to, 100 to 2000; ``None`` lets it
            choose.
        tiles: ``wide``, ``auto``, ``off``, or columns by rows such as ``3x2``: parts of the picture
            to look at one by one.
        min_face: leave out faces lower than so many pixels.
        crop_margin: share of its box added around a face; ``None`` for the classifier's own.
        precision: ``auto`` for what is fastest on this processor; ``float32``, ``float16`` or
            ``int8``.
        merge: label to the label that its probability is added to, such as
            ``{"mask_worn_incorrectly": "without_mask"}`` for two answers.
        min_confidence: call faces whose label is less sure ``uncertain``, 0 to 1; ``None``: never.
        timeout: seconds a server may be silent.
        max_megapixels: leave pictures and videos with more million pixels unread.
        log: told, a line at a time, what the user should know; ``None`` for the logger ``maskdet``,
            which is silent until it is given a handler.

    Raises:
        ModelError: a network is missing, damaged or of another kind.
        OptionError: what is to be merged are none of the model's labels.
        TypeError: an argument is of another kind.
        ValueError: an argument is out of range.

    Examples:
        >>> import maskdet
        >>> with maskdet.load(min_confidence=0.8) as detector:
        ...     print(detector("samples/astronaut_masked.jpg"))
        1 face: 1 Mask
    """
    networks = checking.networks(
        model=model,
        face=face,
        face_detector=face_detector,
        confidence=confidence,
        face_size=face_size,
        tiles=tiles,
        min_face=min_face,
        crop_margin=crop_margin,
        precision=precision,
        merge=merge,
    )
    seconds = checking.number("timeout", timeout)
    most = checking.number("max_megapixels", max_megapixels)
    if min_confidence is not None:
        min_confidence = checking.number("min_confidence", min_confidence)
    return Detector(networks, Reading(seconds, round(most * MEGA)), min_confidence, log)
