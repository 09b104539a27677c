"""Reads a site file, or makes a site of sources alone; every mistake is named with its line."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from maskdet.assets import model_named
from maskdet.errors import OptionError
from maskdet.files.text_files import read_text
from maskdet.limits import RUN_PRECISIONS
from maskdet.media.inputs.naming import split_name
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.cameras import camera_of
from maskdet.serve.site.lines import key_lines
from maskdet.serve.site.settings import (
    MqttSettings,
    NotificationSettings,
    PrivacySettings,
    RetentionSettings,
    ServerSettings,
    Site,
)
from maskdet.serve.site.tables import Table
from maskdet.vision.faces.tiles import parse_tiles
from maskdet.vision.networks import NetworkOptions

_DEFAULT_FOLDER = Path("maskdet-site")
_ADDRESS = re.compile(r"https?://[^\s/]+\S*")


def read_site(path: Path) -> Site:
    """Reads a site file.

    Args:
        path: TOML; see `maskdet.serve.site.example.example_site`.

    Raises:
        OptionError: it cannot be read, or something in it is wrong: file, line and key are named.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise OptionError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{path}: is not TOML: {error}") from None
    top = Table(content, path, key_lines(text))
    site = _site(top, path)
    top.done()
    return site


def site_of_sources(sources: Sequence[str], folder: Path = _DEFAULT_FOLDER) -> Site:
    """Returns the site of cameras alone, all else as it is by default.

    Args:
        sources: see `maskdet.media.sources.open_source`; ``door=rtsp://...`` gives a name.
        folder: where everything is written that is remembered.

    Raises:
        OptionError: two have one name.
    """
    cameras: list[CameraSettings] = []
    for number, text in enumerate(sources, 1):
        name, where = split_name(text)
        cameras.append(CameraSettings(name or f"camera {number}", where))
    names = [camera.name.casefold() for camera in cameras]
    for camera in cameras:
        if names.count(camera.name.casefold()) > 1:
            raise OptionError(f"--source: two cameras are called {camera.name}")
    server = ServerSettings(users=folder / "users.json")
    return Site(tuple(cameras), folder=folder, server=server)


def _site(top: Table, path: Path) -> Site:
    folder = top.file("folder", path.parent / _DEFAULT_FOLDER)
    assert folder is not None
    tables = top.tables("cameras")
    if not tables:
        raise top.error(None, "names no camera: add [[cameras]] with name and source")
    cameras: list[CameraSettings] = []
    for table in tables:
        camera = camera_of(table)
        if camera.name.casefold() in {other.name.casefold() for other in cameras}:
            raise table.error("name", f"another camera is called {camera.name}, too")
        cameras.append(camera)
    timeout = top.number("timeout", Site.timeout, 1, 600)
    assert timeout is not None
    return Site(
        tuple(cameras),
        folder=folder,
        path=path,
        networks=_networks(top.table("networks")),
        min_confidence=top.number("min_confidence", None, 0, 1),
        timeout=timeout,
        server=_server(top.table("server"), folder),
        privacy=_privacy(top.table("privacy")),
        retention=_retention(top.table("retention")),
        notifications=_notifications(top.table("notifications")),
    )


def _model(table: Table) -> Path | None:
    """Returns the classifier: a file, or one that comes with maskdet, by its name."""
    file = table.file("model", None)
    if file is None or file.exists():
        return file
    named = model_named(Path(table.text("model") or ""))
    return named if named.exists() else file


def _networks(table: Table | None) -> NetworkOptions:
    if table is None:
        return NetworkOptions()
    tiles = table.text("tiles", "wide") or ""
    try:
        parse_tiles(tiles)
    except ValueError as error:
        raise table.error("tiles", str(error)) from None
    face = table.text("face")
    options = NetworkOptions(
        model=_model(table),
        # A word, or a path.
        face=Path("original") if face == "original" else table.file("face", None),
        confidence=table.number("confidence", None, 0, 1),
        face_detector=table.choice("face_detector", ("ssd", "yunet"), "ssd"),
        face_size=table.whole("face_size", None, 100, 2000),
        tiles=tiles,
        crop_margin=table.number("crop_margin", None, -0.4, 2),
        precision=table.choice("precision", RUN_PRECISIONS, "auto"),
    )
    table.done()
    return options


def _server(table: Table | None, folder: Path) -> ServerSettings:
    usual = ServerSettings(users=folder / "users.json")
    if table is None:
        return usual
    port = table.whole("port", usual.port, 0, 65535)
    users = table.file("users", usual.users)
    assert port is not None
    assert users is not None
    server = ServerSettings(
        host=table.text("host", usual.host) or usual.host,
        port=port,
        users=users,
        certificate=table.file("certificate", None),
        key=table.file("key", None),
        behind_proxy=table.flag("behind_proxy", usual.behind_proxy),
    )
    if (server.certificate is None) != (server.key is None):
        raise table.error(None, "certificate and key go together")
    table.done()
    return server


def _privacy(table: Table | None) -> PrivacySettings:
    usual = PrivacySettings()
    if table is None:
        return usual
    privacy = PrivacySettings(
        table.flag("blur_stored", usual.blur_stored), table.flag("blur_live", usual.blur_live)
    )
    table.done()
    return privacy


def _retention(table: Table | None) -> RetentionSettings:
    usual = RetentionSettings()
    if table is None:
        return usual
    least = {"gigabytes": 0.001, "free_gigabytes": 0.0}
    given = {
        field.name: table.number(field.name, getattr(usual, field.name), least.get(field.name, 1))
        for field in fields(RetentionSettings)
    }
    table.done()
    return replace(usual, **{name: value for name, value in given.items() if value is not None})


def _notifications(table: Table | None) -> NotificationSettings:
    usual = NotificationSettings()
    if table is None:
        return usual
    command = table.text("command")
    words: tuple[str, ...] | None = None
    if command is not None:
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise table.error("command", str(error)) from None
        if not words or shutil.which(words[0]) is None:
            raise table.error("command", f"there is no command {words[0] if words else ''}".strip())
    webhook = table.text("webhook")
    if webhook is not None and not _ADDRESS.fullmatch(webhook):
        raise table.error("webhook", "must be an address such as http://localhost:8000/alert")
    timeout = table.number("timeout", usual.timeout, 1, 600)
    keep = table.number("keep", usual.keep, 1)
    assert timeout is not None
    assert keep is not None
    broker = table.table("mqtt")
    settings = NotificationSettings(
        command=words,
        webhook=webhook,
        apprise=table.texts("apprise") or (),
        mqtt=None if broker is None else _mqtt(broker),
        timeout=timeout,
        keep=keep,
        states=table.flag("states", usual.states),
    )
    table.done()
    return settings


def _mqtt(table: Table) -> MqttSettings:
    host = table.needed_text("host")
    tls = table.flag("tls", False)
    port = table.whole("port", 8883 if tls else 1883, 1, 65535)
    assert port is not None
    prefix = table.text("prefix", MqttSettings.prefix) or ""
    discovery = table.text("discovery", MqttSettings.discovery) or ""
    for key, topic in (("prefix", prefix), ("discovery", discovery)):
        if re.search(r"[+#\s]", topic) or topic.startswith("/") or topic.endswith("/"):
            raise table.error(key, "is no beginning of a topic")
    settings = MqttSettings(
        host=host,
        port=port,
        user=table.text("user"),
        password=table.text("password"),
        tls=tls,
        prefix=prefix,
        discovery=discovery if table.flag("home_assistant", True) else "",
    )
    table.done()
    return settings
