"""What the store gives back: events, counts over time, videos."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Span = Literal["minute", "hour", "day", "week", "month"]
SPANS: tuple[Span, ...] = ("minute", "hour", "day", "week", "month")


@dataclass(frozen=True)
class Event:
    """Something that happened, and that somebody was told of if anybody is.

    Attributes:
        number: grows from event to event; pages are cut by it.
        id: names it to the outside.
        kind: ``alert`` or ``state``.
        camera: where.
        time: when, with the machine's zone.
        label: of an alert the face's label; of a state its name.
        record: what is delivered: JSON-ready.
        has_snapshot: whether there is a picture of it.
        clip: whether there is a video of it: ``none``, ``coming`` or ``ready``.
    """

    number: int
    id: str
    kind: Literal["alert", "state"]
    camera: str
    time: datetime
    label: str
    record: dict[str, Any]
    has_snapshot: bool = False
    clip: Literal["none", "coming", "ready"] = "none"


@dataclass(frozen=True)
class Bucket:
    """What was seen in a span of time.

    Attributes:
        start: its beginning, in the machine's zone.
        camera: where; ``None`` for all cameras together.
        frames: how many frames were looked at.
        faces: faces by label, summed over frames.
        people: people by label, counted when they came.
        inward: people who crossed lines, by line and label.
        outward: likewise.
    """

    start: datetime
    camera: str | None
    frames: int = 0
    faces: Mapping[str, int] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    inward: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    outward: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """A recording or a clip.

    Attributes:
        number: names it to the outside.
        camera: of what.
        event: id of the event that it is a clip of; ``None`` for a recording.
        start: when it begins, in the machine's zone.
        seconds: how long it is.
        size: bytes.
        is_whole: whether it is finished.
    """

    number: int
    camera: str
    event: str | None
    start: datetime
    seconds: float
    size: int
    is_whole: bool
