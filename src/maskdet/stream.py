"""Frames through the two networks, each step in a thread of its own: what detect and heatmap share.

The only module that knows both `vision` and `media`, which know nothing of each other.
"""

import functools
import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import imutils
import numpy as np

from maskdet.detections import Detections, FloatArray
from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Source, UInt8Array
from maskdet.media.stages import in_thread, in_turn, merged
from maskdet.vision.faces.sizes import AutoSizedFaceDetector
from maskdet.vision.pipeline import Follower, MaskDetector
from maskdet.vision.track import ADJUSTING, TrackingOptions
from maskdet.vision.turning import TurnWatch, turned

if TYPE_CHECKING:
    from maskdet.vision.faces.detector import Faces
    from maskdet.vision.faces.following import FollowingFaceDetector

# So many frames of a file wait for a lane: a look at the full size takes as long as several frames
# after it, which the others find their faces in meanwhile.
_WAITING = 4

# What a frame may be enlarged to.
_MOST_PIXELS = 1 << 28

# Given how many frames are to come, if anybody knows, gives what to call after each of them.
Progress = Callable[[int | None], AbstractContextManager[Callable[[], None]]]


def frames_to_come(sources: Sequence[Source], max_frames: int | None) -> int | None:
    """Returns how many frames a run will see, ``None`` where a source does not know."""
    total = 0
    for source in sources:
        counts = [n for n in (source.frame_count, max_frames) if n is not None]
        if source.frame_count is None and not (source.is_live and max_frames):
            return None
        total += min(counts)
    return total


@contextmanager
def no_progress(_: int | None) -> Iterator[Callable[[], None]]:
    """Shows nothing: what a run takes for its progress unless told otherwise."""
    yield lambda: None


@dataclass(frozen=True)
class StreamOptions:
    """What is done to frames besides running the networks.

    Attributes:
        max_frames: stop each source after so many; ``None`` for no limit.
        track: whether the faces of moving sources are followed.
        min_confidence: faces whose label is less sure are uncertain; ``None`` for none.
        width: scale frames to this width first, in pixels; ``None`` leaves them.
        gamma: brighten (above 1) or darken frames first, as photographers mean it.
        rotate: turn frames clockwise by so many degrees before anything else; see
            `maskdet.vision.turning.TURNS`.
        adjusting: for so long a mask that is put right again may be out of place, in seconds.
    """

    max_frames: int | None = None
    track: bool = True
    min_confidence: float | None = None
    width: int | None = None
    gamma: float = 1.0
    rotate: int = 0
    adjusting: float = ADJUSTING


def gamma_table(gamma: float) -> UInt8Array:
    """Returns the (256,) uint8 lookup table of a gamma correction: out = 255 (in / 255)^(1/gamma).

    2.0 brightens, as in photo editors and in the usual scripts.
    """
    levels = np.arange(256) / 255
    return np.round(255 * levels ** (1 / gamma)).astype(np.uint8)


@dataclass(frozen=True)
class Seen:
    """A frame, where it comes from, and what was found in it.

    Attributes:
        source: the frame's source.
        frame: the frame; its image is the consumer's to draw on.
        detections: its faces.
        veiled: (M, 4) float32, what is to be blurred in it, in pixels; ``None`` for nothing.
    """

    source: Source
    frame: Frame
    detections: Detections
    veiled: FloatArray | None = None


def detect_frames(
    sources: Sequence[Source],
    detector: MaskDetector,
    options: StreamOptions | None = None,
    stop: threading.Event | None = None,
    log: Callable[[str], None] | None = None,
    *,
    threads: bool = True,
) -> Generator[Seen]:
    """Runs every frame of the sources through both networks.

    Reading, finding faces and classifying work on several frames at a time, in order. Sources that
    end are read one after another; with a live one among them all are read at once.

    Args:
        sources: where the frames come from.
        detector: both networks.
        options: what else is done.
        stop: ends the frames when set, though a source may be waiting for one.
        log: told of sources that seem to lie on their side; ``None`` for not looking.
        threads: whether the steps work in threads of their own, to use several cores. Without,
            `stop` is not heard while a source waits for a frame.

    Yields:
        Each frame with what was found in it, a source's frames in order.
    """
    options = options or StreamOptions()
    table = None if options.gamma == 1 else gamma_table(options.gamma)
    turns = None if log is None else TurnWatch(options.rotate, log)
    followers: dict[int, Follower] = {}
    tracking = TrackingOptions(adjusting=options.adjusting)
    live_count = sum(source.is_live for source in sources)
    following: dict[int, FollowingFaceDetector] = {}
    if isinstance(detector.faces, AutoSizedFaceDetector):
        for source in sources:
            # Live sources share the workers, and none may fall behind.
            rate = source.frame_rate * live_count if source.is_live and source.frame_rate else None
            if source.is_moving:
                following[id(source)] = detector.faces.following(1 / rate if rate else None)

    def prepare(item: tuple[Source, Frame]) -> tuple[Source, Frame]:
        source, frame = item
        image = turned(frame.image, options.rotate)
        if options.width is not None and image.shape[1] != options.width:
            height = round(image.shape[0] * options.width / image.shape[1])
            if height * options.width > _MOST_PIXELS:
                raise SourceError(
                    f"{frame.source}: {options.width}x{height} pixels are too many; take a smaller "
                    "--width"
                )
            image = imutils.resize(image, width=options.width)
        if table is not None:
            image = table[image]
        return source, frame if image is frame.image else replace(frame, image=image)

    def find_faces(
        item: tuple[Source, Frame],
    ) -> tuple[Source, Frame, "Faces", FloatArray]:
        source, frame = item
        sized = following.get(id(source))
        detect = functools.partial(sized.detect, frame.index, moment=frame.time) if sized else None
        # First, as later frames wait for what this one shows, even if it can only be that it fails.
        found = detector.find_all(frame.image, detect)
        if turns is not None:
            usual, moving = detector.faces.default_confidence, source.is_moving
            look = detector.faces.detect
            turns.look(source.name, frame.image, look, confidence=usual, moving=moving)
        return source, frame, *found

    def classify(found: tuple[Source, Frame, "Faces", FloatArray]) -> Seen:
        source, frame, (xyxy, scores), doubtful = found
        if options.track and source.is_moving:
            follower = followers.setdefault(id(source), Follower(detector, tracking))
            detections = follower.classify(frame.image, xyxy, scores, frame.time)
        else:
            detections = detector.classify(frame.image, xyxy, scores)
        if options.min_confidence is not None:
            detections = detections.requiring(options.min_confidence)
        if detector.confidence is not None:
            detections = replace(detections, doubtful=doubtful)
        return Seen(source, frame, detections)

    def read(source: Source) -> Iterator[tuple[Source, Frame]]:
        try:
            for frame in itertools.islice(source, options.max_frames):
                yield source, frame
        except SourceError as error:
            if stop is not None and stop.is_set():
                return  # it waited for what no longer comes, which is no fault of its own
            if len(sources) == 1:
                raise
            # One bad video in an archive, one dead camera at a gate, does not end the others.
            source.failures.append(str(error))

    live = any(source.is_live for source in sources)
    feeds = [read(source) for source in sources]
    frames: Iterable[tuple[Source, Frame]]
    frames = merged(feeds, stop) if live else itertools.chain.from_iterable(feeds)
    prepared = in_turn(prepare, frames)
    if not threads:
        return in_turn(classify, in_turn(find_faces, prepared))
    # A live frame that waits grows old.
    ahead, waiting = (1, 0) if live else (2, _WAITING)
    threaded = functools.partial(in_thread, ahead=ahead, stop=stop)
    faces = threaded(find_faces, prepared, workers=detector.faces.workers, waiting=waiting)
    return threaded(classify, faces)
