"""Frames through the two networks, each step in a thread of its own: what detect and heatmap share.

The only module that knows both `vision` and `media`, which know nothing of each other.
"""

import itertools
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from maskdet.assets import bundled
from maskdet.detections import Detections, FloatArray
from maskdet.media.frames import Frame, Source
from maskdet.media.stages import in_thread
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.faces import load_face_detector
from maskdet.vision.pipeline import MaskDetector

# Given the opened source, gives what to call after each frame for as long as the run lasts.
Progress = Callable[[Source], AbstractContextManager[Callable[[], None]]]


@contextmanager
def no_progress(_: Source) -> Iterator[Callable[[], None]]:
    """Shows nothing: what a run takes for its progress unless told otherwise."""
    yield lambda: None


@dataclass(frozen=True)
class NetworkOptions:
    """Which networks to run, and how.

    Attributes:
        model: classifier named by the user, ``None`` for the bundled one.
        face: face detector's folder, ``None`` for the bundled one.
        confidence: faces the first stage is less sure of are left out; ``None`` for its default.
    """

    model: Path | None = None
    face: Path | None = None
    confidence: float | None = None


def load_detector(options: NetworkOptions, *, maps: bool = False) -> MaskDetector:
    """Loads both networks.

    Args:
        options: which ones.
        maps: whether detections carry heat maps.

    Raises:
        ModelError: one of them is missing, damaged or of another kind.
    """
    faces = load_face_detector(
        options.face or bundled("face_detector"), confidence=options.confidence
    )
    return MaskDetector(faces, MaskClassifier(find_card(options.model), maps=maps))


def detect_frames(
    source: Source, detector: MaskDetector, *, max_frames: int | None = None
) -> Generator[tuple[Frame, Detections]]:
    """Runs every frame of a source through both networks.

    Reading, finding faces and classifying work on three frames at a time, in order.

    Args:
        source: where the frames come from.
        detector: both networks.
        max_frames: stop after so many.

    Yields:
        Each frame with what was found in it. The frame's image is the consumer's to draw on.
    """

    def find_faces(frame: Frame) -> tuple[Frame, FloatArray, FloatArray]:
        return frame, *detector.faces.detect(frame.image)

    def classify(found: tuple[Frame, FloatArray, FloatArray]) -> tuple[Frame, Detections]:
        frame, xyxy, scores = found
        return frame, detector.classify(frame.image, xyxy, scores)

    frames: Iterable[Frame] = in_thread(_read, itertools.islice(source, max_frames))
    return in_thread(classify, in_thread(find_faces, frames))


def _read(frame: Frame) -> Frame:
    """Names the reading step: the work is done by the iterator behind it."""
    return frame


@contextmanager
def stopping_on_signals() -> Iterator[threading.Event]:
    """Gives an event that Ctrl-C and SIGTERM set, so that a run can end with its files whole.

    A second signal has its usual effect, for a run that does not come to its end.
    """
    stop = threading.Event()
    watched = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in watched}

    def handle(_: int, __: FrameType | None) -> None:
        stop.set()
        for watched_number, handler in before.items():
            signal.signal(watched_number, handler)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread:
        for number in watched:
            signal.signal(number, handle)
    try:
        yield stop
    finally:
        if in_main_thread:
            for number, handler in before.items():
                signal.signal(number, handler)
