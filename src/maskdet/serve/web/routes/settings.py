"""What the site file says, to be read; nothing that is secret in it."""

from fastapi import APIRouter
from pydantic import BaseModel

from maskdet.serve.hub import Hub
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.settings import Site
from maskdet.wording import label_text

_SECONDS_A_DAY = 86_400


class Entry(BaseModel):
    """A setting, in words."""

    name: str
    value: str


class Section(BaseModel):
    """Settings that belong together."""

    title: str
    entries: list[Entry]


class SettingsView(BaseModel):
    """All settings that may be shown."""

    sections: list[Section]


def settings(hub: Hub) -> APIRouter:
    """Returns the route."""
    router = APIRouter(prefix="/api", tags=["settings"])

    @router.get("/settings")
    async def shown() -> SettingsView:
        """The settings, for people to read. They are changed in the site file alone."""
        return SettingsView(sections=sections_of(hub.site))

    return router


def sections_of(site: Site) -> list[Section]:
    """Returns a site's settings in words, without passwords, addresses to be told and paths."""
    return [
        *(_section(f"Camera {camera.name}", _camera(camera)) for camera in site.cameras),
        _section("Privacy", _privacy(site)),
        _section("Kept", _kept(site)),
        _section("Told", _told(site)),
    ]


def _section(title: str, entries: dict[str, str]) -> Section:
    return Section(
        title=title, entries=[Entry(name=name, value=value) for name, value in entries.items()]
    )


def _camera(camera: CameraSettings) -> dict[str, str]:
    alerts, recording = camera.alerts, camera.recording
    labels = "all but a mask"
    if alerts.labels is not None:
        labels = ", ".join(label_text(label) for label in alerts.labels) or "none"
    entries = {"Source": camera.public_source}
    if camera.rotate:
        entries["Turned"] = f"{camera.rotate}° clockwise"
    if camera.frame_rate is not None:
        entries["Looked at"] = f"{camera.frame_rate:g} times a second at most"
    if camera.min_face:
        entries["Smallest face"] = f"{camera.min_face:g} pixels"
    if camera.zones:
        entries["Zones"] = ", ".join(
            f"{zone.name} ({'passed over' if zone.is_masked else 'watched'})"
            for zone in camera.zones
        )
    if camera.lines:
        entries["Lines"] = ", ".join(line.name for line in camera.lines)
    if camera.hours:
        entries["Hours"] = "; ".join(
            f"{_days(hours.days)} {hours.begin:%H:%M} to {hours.end:%H:%M}"
            for hours in camera.hours
        )
    reminder = f", again every {alerts.repeat:g} s" if alerts.repeat is not None else ""
    entries["Alerts"] = f"{labels}, after {alerts.after:g} s{reminder}"
    entries["Recording"] = {
        "off": "off",
        "events": f"alerts, from {recording.before:g} s before to {recording.after:g} s after",
        "always": f"always, in files of {recording.length:g} s, and alerts",
    }[recording.mode]
    return entries


def _privacy(site: Site) -> dict[str, str]:
    words = {True: "blurred", False: "shown"}
    return {
        "Faces in what is stored": words[site.privacy.blur_stored],
        "Faces in the live picture": words[site.privacy.blur_live],
    }


def _kept(site: Site) -> dict[str, str]:
    kept = site.retention
    return {
        "Pictures, clips and events": f"{kept.days:g} days, {kept.gigabytes:g} GB at most",
        "Counts": f"{kept.statistics_days:g} days",
        "Recording stops": f"with less than {kept.free_gigabytes:g} GB free",
    }


def _told(site: Site) -> dict[str, str]:
    told = site.notifications
    words = {True: "yes", False: "no"}
    return {
        "A command": words[told.command is not None],
        "A webhook": words[told.webhook is not None],
        "Addresses by Apprise": str(len(told.apprise)),
        "MQTT": words[told.mqtt is not None],
        "Of cameras that go and come back": words[told.states],
        "An alert is tried for": f"{told.keep / _SECONDS_A_DAY:g} days",
    }


def _days(days: frozenset[int]) -> str:
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return "daily" if len(days) == len(names) else ", ".join(names[day] for day in sorted(days))
