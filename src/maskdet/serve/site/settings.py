"""What a site is: frozen settings, as `maskdet.serve.site.reading` makes them of a site file."""

from dataclasses import dataclass, field
from pathlib import Path

from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.vision.networks import NetworkOptions


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
