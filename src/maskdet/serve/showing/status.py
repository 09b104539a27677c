"""What is known of a camera at this moment: the words that watching and the page have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CameraState(StrEnum):
    """How a camera is."""

    STARTING = "starting"
    LIVE = "live"
    DOWN = "down"
    FROZEN = "frozen"
    DARK = "dark"
    COVERED = "covered"
    SMALL_FACES = "small_faces"
    ASLEEP = "asleep"
    ENDED = "ended"

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look after the camera."""
        return self not in (CameraState.STARTING, CameraState.LIVE, CameraState.ASLEEP)


@dataclass(frozen=True)
class StageSeconds:
    """How long a stage has taken, as counters that only grow.

    Attributes:
        count: how many frames.
        total: seconds, of all of them.
    """

    count: int = 0
    total: float = 0.0


@dataclass(frozen=True)
class Crossings:
    """People who crossed a line today, by label.

    Attributes:
        inward: to the right-hand side of the line.
        outward: to its left-hand side.
    """

    inward: Mapping[str, int] = field(default_factory=dict)
    outward: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CameraStatus:
    """A camera, as it is.

    Attributes:
        name: what it is called.
        source: its address as it may be said.
        state: how it is.
        reason: why, in words; empty where there is nothing to say.
        since: since when it is so, with the zone.
        width: of its frames in pixels, 0 before the first.
        height: likewise.
        frame_rate: frames a second that were looked at lately.
        frames_read: frames that came, a counter as those that follow.
        frames_seen: frames that were looked at.
        frames_dropped: frames that came while there was no time for them.
        reconnects: how often it was lost.
        faces: faces in the newest frame, by label.
        faces_seen: faces in all frames, by label, a counter.
        people_today: people since midnight, by label.
        crossings: by the name of the line.
        seconds: by stage: ``wait``, ``faces``, ``classify``, ``handle``.
        latency: seconds from the newest frame's arrival to when it could be shown.
        recording: whether video is being written.
        labels: all labels that faces can have here.
    """

    name: str
    source: str
    state: CameraState
    reason: str
    since: datetime
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    frames_read: int = 0
    frames_seen: int = 0
    frames_dropped: int = 0
    reconnects: int = 0
    faces: Mapping[str, int] = field(default_factory=dict)
    faces_seen: Mapping[str, int] = field(default_factory=dict)
    people_today: Mapping[str, int] = field(default_factory=dict)
    crossings: Mapping[str, Crossings] = field(default_factory=dict)
    seconds: Mapping[str, StageSeconds] = field(default_factory=dict)
    latency: float = 0.0
    recording: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counters:
    """What the service as a whole has counted since it began.

    Attributes:
        started: when, with the zone.
        alerts: by camera.
        delivered: by channel, as the others by channel.
        failed: attempts that failed.
        given_up: alerts that were too old, or refused.
        waiting: alerts that wait, a gauge.
        is_disk_full: whether nothing is recorded for want of room.
        stored_bytes: what recordings, clips and snapshots take.
    """

    started: datetime
    alerts: Mapping[str, int] = field(default_factory=dict)
    delivered: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    given_up: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    is_disk_full: bool = False
    stored_bytes: int = 0
