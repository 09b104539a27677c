"""What one camera of a site is: where it is, what of its frames counts, what is told and kept."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

from maskdet.addresses import MARK, public_name
from maskdet.detections import MASK_LABEL, UNCERTAIN_LABEL

# A place in a frame: shares of its width and height, each in [0, 1].
Point = tuple[float, float]
Rotation = Literal[0, 90, 180, 270]
RecordingMode = Literal["off", "events", "always"]


@dataclass(frozen=True)
class Zone:
    """A part of a frame.

    Attributes:
        name: what it is called.
        polygon: its corners, in shares of the frame as it is shown.
        is_masked: whether what is in it is passed over; else it is watched, and where any zone is,
            what lies in none of them is passed over.
        min_face: faces in it that are lower are left out, in pixels; ``None`` for the camera's own.
    """

    name: str
    polygon: tuple[Point, ...]
    is_masked: bool = False
    min_face: float | None = None


@dataclass(frozen=True)
class Line:
    """A line at which people who cross are counted.

    Seen from `start` to `end`, who goes to the right-hand side goes in, to the left-hand side out.

    Attributes:
        name: what it is called.
        start: one end, in shares of the frame as it is shown.
        end: the other.
    """

    name: str
    start: Point
    end: Point


@dataclass(frozen=True)
class Hours:
    """A time of the week at which a camera is watched, in the machine's own zone.

    Attributes:
        days: of the week, Monday is 0.
        begin: from when on.
        end: until when, not included; at or before `begin` it is on the day after.
    """

    days: frozenset[int]
    begin: time
    end: time

    def include(self, moment: datetime) -> bool:
        """Tells whether a moment lies in it."""
        clock, day = moment.time().replace(tzinfo=None), moment.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= clock < self.end
        yesterday = (day - 1) % 7
        return (day in self.days and clock >= self.begin) or (
            yesterday in self.days and clock < self.end
        )


@dataclass(frozen=True)
class CameraAlerts:
    """What of a camera's people somebody is told, and when. All times in seconds.

    Attributes:
        labels: which of a face's labels raise an alert; ``None`` for all but a mask.
        after: how long a person must have been seen so.
        cooldown: how long after an alert the same person causes no further one.
        repeat: how often there is a reminder of who stays so; ``None`` for never.
    """

    labels: tuple[str, ...] | None = None
    after: float = 2.0
    cooldown: float = 10.0
    repeat: float | None = None

    def among(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Returns which of a model's labels raise an alert."""
        if self.labels is not None:
            return self.labels
        return tuple(label for label in labels if label not in (MASK_LABEL, UNCERTAIN_LABEL))


@dataclass(frozen=True)
class RecordingSettings:
    """What is kept of a camera as video. All times in seconds.

    Attributes:
        mode: ``off``; ``events`` for a clip of each alert; ``always`` for that and all the rest.
        before: how much of what came before an alert its clip has.
        after: how much of what comes after.
        length: of a file of what is always recorded.
        width: larger frames are scaled to it, in pixels.
    """

    mode: RecordingMode = "off"
    before: float = 5.0
    after: float = 10.0
    length: float = 300.0
    width: int = 1280


@dataclass(frozen=True)
class CameraSettings:
    """One camera.

    Attributes:
        name: what it is called: letters, digits, blanks, ``.``, ``-`` and ``_``.
        source: as in `maskdet.media.sources.open_source`. May hold a password: see
            `public_source`.
        rotate: by how much its frames are turned, clockwise, in degrees.
        frame_rate: no more frames a second are looked at; ``None`` for all there is time for.
        min_face: faces lower than this are left out, in pixels.
        zones: parts that are watched, or passed over.
        lines: where people are counted who cross.
        hours: when it is watched; empty for always.
        alerts: what is told of it.
        recording: what is kept of it as video.
        frozen_after: the same picture for so many seconds is no picture.
    """

    name: str
    source: str = field(repr=False)
    rotate: Rotation = 0
    frame_rate: float | None = None
    min_face: float = 0.0
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    hours: tuple[Hours, ...] = ()
    alerts: CameraAlerts = CameraAlerts()
    recording: RecordingSettings = RecordingSettings()
    frozen_after: float = 30.0

    @property
    def public_source(self) -> str:
        """Its source as it may be said."""
        return public_name(self.source) if MARK in self.source else self.source

    def is_awake(self, moment: datetime) -> bool:
        """Tells whether it is to be watched at a moment."""
        return not self.hours or any(hours.include(moment) for hours in self.hours)
