"""Decides for every frame what is blurred in it, a few frames of a video late where it can wait."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from maskdet.detections import Detections, FloatArray
from maskdet.errors import MaskdetError
from maskdet.media.frames import Source
from maskdet.stream import Seen
from maskdet.vision.veil import Veil, VeilOptions

# For how long a lost face stays blurred, and in how many frames at least and at most.
_HOLD_SECONDS, _FEWEST_HELD, _MOST_HELD = 0.5, 6, 30
# A video beside cameras has ended, or is far behind them, once so many other frames have come.
_ENDED_AFTER = 50
# What the frames held back may take in memory. Bytes.
_WAITING_FRAMES = 256 << 20


@dataclass
class _Waiting:
    """The frames of a moving source that are held back; `latest` is the last one's number."""

    veil: Veil
    ahead: int
    frames: deque[Seen] = field(default_factory=deque)
    passed: int = 0
    latest: int = 0

    def take(self) -> Seen:
        """Returns the oldest, with what is to be blurred in it."""
        seen = self.frames.popleft()
        boxes = self.veil.at(self.passed)
        self.passed += 1
        return replace(seen, veiled=boxes)


def veiled(results: Iterable[Seen]) -> Iterator[Seen]:
    """Adds to each frame what is to be blurred in it.

    Args:
        results: frames with what was found in them, a source's in order.

    Yields:
        The same frames with `Seen.veiled`; those of a video that is no live source come a few
        frames late, so that a face found late is blurred in the frames before.
    """
    waiting: dict[int, _Waiting] = {}
    try:
        yield from _veiled(results, waiting)
    except MaskdetError:
        # What was read before it broke off is not lost.
        yield from _rest(waiting.values())
        raise
    yield from _rest(waiting.values())


def _veiled(results: Iterable[Seen], waiting: dict[int, _Waiting]) -> Iterator[Seen]:
    begun: set[int] = set()
    for number, seen in enumerate(results):
        source = seen.source
        if id(source) not in begun:
            begun.add(id(source))
            # Without cameras one source follows the other: those before are at their end.
            if not source.is_live:
                yield from _rest(waiting.values())
        yield from _rest(held for held in waiting.values() if number - held.latest > _ENDED_AFTER)
        if not source.is_moving:
            yield replace(seen, veiled=_boxes(seen.detections))
            continue
        if id(source) not in waiting:
            waiting[id(source)] = _begin(source, seen)
        held = waiting[id(source)]
        held.latest = number
        held.veil.add(_boxes(seen.detections), len(seen.detections))
        held.frames.append(seen)
        if len(held.frames) > held.ahead:
            yield held.take()


def _rest(waiting: Iterable[_Waiting]) -> Iterator[Seen]:
    for held in waiting:
        while held.frames:
            yield held.take()


def _begin(source: Source, seen: Seen) -> _Waiting:
    hold = _FEWEST_HELD if source.frame_rate is None else round(_HOLD_SECONDS * source.frame_rate)
    hold = min(max(hold, _FEWEST_HELD), _MOST_HELD)
    # A live picture is shown, and told of, at once.
    ahead = VeilOptions.ahead if not source.is_live else 0
    ahead = min(ahead, _WAITING_FRAMES // max(1, seen.frame.image.nbytes))
    return _Waiting(Veil(VeilOptions(hold=hold, ahead=ahead)), ahead)


def _boxes(detections: Detections) -> FloatArray:
    doubtful = detections.doubtful
    if doubtful is None:
        return detections.xyxy
    return np.concatenate([detections.xyxy, doubtful])
