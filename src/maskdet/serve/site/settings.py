"""What a site is: frozen settings, as `maskdet.serve.site.reading` makes them of a site file."""

from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Literal

from maskdet.addresses import MARK, public_name
from maskdet.detections import MASK_LABEL, UNCERTAIN_LABEL
from maskdet.vision.networks import NetworkOptions

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


@dataclass(frozen=True)
class PrivacySettings:
    """Where faces are made unrecognisable.

    Attributes:
        blur_stored: in snapshots, clips and recordings.
        blur_live: in the live picture, too.
    """

    blur_stored: bool = True
    blur_live: bool = False


@dataclass(frozen=True)
class RetentionSettings:
    """For how long what was seen is remembered.

    Attributes:
        days: recordings, clips, snapshots and events older than this are deleted.
        gigabytes: the oldest files are deleted while they take more than this in all.
        statistics_days: counts older than this are deleted.
        free_gigabytes: recording stops while the disk has less left than this.
    """

    days: float = 30.0
    gigabytes: float = 20.0
    statistics_days: float = 800.0
    free_gigabytes: float = 1.0


@dataclass(frozen=True)
class MqttSettings:
    """A broker that is told of states, counts and alerts.

    Attributes:
        host: its name or number.
        port: its port.
        user: for logging in; ``None`` for nobody.
        password: likewise.
        tls: whether the connection is encrypted.
        prefix: all topics begin with it.
        discovery: prefix of Home Assistant's discovery; empty for none.
    """

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    prefix: str = "maskdet"
    discovery: str = "homeassistant"


@dataclass(frozen=True)
class NotificationSettings:
    """Who is told of alerts, and of cameras that see nothing.

    Attributes:
        command: words of a command to run, the record on its standard input; ``None`` for none.
        webhook: address to POST the record to; ``None`` for none.
        apprise: addresses as Apprise knows them: mail, Telegram and others.
        mqtt: a broker; ``None`` for none.
        timeout: how long a command or a server may take, in seconds.
        keep: for how long an alert is tried to be delivered, in seconds.
        states: whether they are told of cameras that go and come back, too.
    """

    command: tuple[str, ...] | None = None
    webhook: str | None = field(default=None, repr=False)
    apprise: tuple[str, ...] = field(default=(), repr=False)
    mqtt: MqttSettings | None = None
    timeout: float = 10.0
    keep: float = 86400.0
    states: bool = True


@dataclass(frozen=True)
class ServerSettings:
    """The page and the API.

    Attributes:
        host: address to listen at.
        port: likewise; 0 for any that is free.
        users: file of users and hashed passwords, made by ``--add-user``.
        certificate: TLS certificate chain, PEM; ``None`` for none.
        key: its key.
        behind_proxy: whether a proxy before it speaks TLS and says who asks.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    users: Path = Path("users.json")
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False


@dataclass(frozen=True)
class Site:
    """All that is watched, and how.

    Attributes:
        cameras: at least one; their names differ, whatever the case of their letters.
        folder: where everything is written that is remembered.
        path: the site file it was read from; ``None`` for none.
        networks: which ones run.
        min_confidence: faces whose label is less sure are uncertain; ``None`` for none.
        timeout: how long a stream's server may be silent, in seconds.
    """

    cameras: tuple[CameraSettings, ...]
    folder: Path = Path("maskdet-site")
    path: Path | None = None
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    min_confidence: float | None = None
    timeout: float = 10.0
    server: ServerSettings = ServerSettings()
    privacy: PrivacySettings = PrivacySettings()
    retention: RetentionSettings = RetentionSettings()
    notifications: NotificationSettings = NotificationSettings()
