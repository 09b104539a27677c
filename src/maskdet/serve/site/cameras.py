"""Reads the tables of a site file's cameras."""

import re
from datetime import time
from typing import Any

from maskdet.addresses import MARK
from maskdet.serve.site.camera_settings import (
    CameraAlerts,
    CameraSettings,
    Hours,
    Line,
    RecordingSettings,
    Zone,
)
from maskdet.serve.site.tables import Table

# It becomes the name of a folder, and a part of topics.
_NAME = re.compile(r"\w[\w .-]{0,63}(?<! )")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def camera_of(table: Table) -> CameraSettings:
    """Returns the settings of a camera's table.

    Raises:
        OptionError: something in it is wrong; file, line and key are named.
    """
    name = table.needed_text("name")
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise table.error("name", "must be letters, digits, blanks, . - and _")
    source = table.needed_text("source").strip()
    if MARK not in source and ("*" in source or source == "-"):
        raise table.error("source", "must be one camera, stream or video")
    settings = CameraSettings(
        name=name,
        source=source,
        rotate=table.choice("rotate", (0, 90, 180, 270), 0),
        frame_rate=table.number("frame_rate", None, 0.05, 240),
        min_face=_number(table, "min_face", CameraSettings.min_face, 0, 10000),
        zones=_zones(table),
        lines=_lines(table),
        hours=tuple(_hours(hours) for hours in table.tables("hours")),
        alerts=_alerts(table.table("alerts")),
        recording=_recording(table.table("recording")),
        frozen_after=_number(table, "frozen_after", CameraSettings.frozen_after, 1, 86400),
    )
    table.done()
    return settings


def _number(table: Table, key: str, default: float, least: float, most: float) -> float:
    value = table.number(key, default, least, most)
    assert value is not None
    return value


def _zones(table: Table) -> tuple[Zone, ...]:
    zones: list[Zone] = []
    for part in table.tables("zones"):
        name = part.text("name", f"zone {len(zones) + 1}") or ""
        polygon = part.points("polygon")
        if len(polygon) < 3:
            raise part.error("polygon", "must have three corners or more")
        kind = part.choice("kind", ("watched", "masked"), "watched")
        zones.append(Zone(name, polygon, kind == "masked", part.number("min_face", None, 0, 10000)))
        part.done()
    return tuple(zones)


def _lines(table: Table) -> tuple[Line, ...]:
    lines: list[Line] = []
    for part in table.tables("lines"):
        name = part.text("name", f"line {len(lines) + 1}") or ""
        ends = part.points("ends")
        if len(ends) != 2 or ends[0] == ends[1]:
            raise part.error("ends", "must be two places")
        if any(name == other.name for other in lines):
            raise part.error("name", f"another line is called {name}, too")
        lines.append(Line(name, *ends))
        part.done()
    return tuple(lines)


def _hours(table: Table) -> Hours:
    days = table.text("days", "mon-sun") or ""
    try:
        chosen = _days(days)
    except ValueError:
        raise table.error("days", "must be days such as mon-fri or sat,sun") from None
    clock: dict[str, time] = {}
    for key, default in (("from", "00:00"), ("to", "24:00")):
        text = table.text(key, default) or ""
        try:
            clock[key] = time() if text == "24:00" else time.fromisoformat(text)
        except ValueError:
            raise table.error(key, "must be a time of day such as 08:30") from None
    table.done()
    return Hours(chosen, clock["from"], clock["to"])


def _days(text: str) -> frozenset[int]:
    """Reads ``mon-fri,sun``.

    Raises:
        ValueError: it is something else.
    """
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        begin = _DAYS.index(first)
        end = _DAYS.index(last) if dash else begin
        days |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(days)


def _alerts(table: Table | None) -> CameraAlerts:
    usual = CameraAlerts()
    if table is None:
        return usual
    alerts = CameraAlerts(
        labels=table.texts("labels"),
        after=_number(table, "after", usual.after, 0, 86400),
        cooldown=_number(table, "cooldown", usual.cooldown, 0, 86400),
        repeat=table.number("repeat", None, 1),
    )
    table.done()
    return alerts


def _recording(table: Table | None) -> RecordingSettings:
    usual = RecordingSettings()
    if table is None:
        return usual
    given: dict[str, Any] = {
        "mode": table.choice("mode", ("off", "events", "always"), usual.mode),
        "before": _number(table, "before", usual.before, 0, 60),
        "after": _number(table, "after", usual.after, 1, 600),
        "length": _number(table, "length", usual.length, 5, 3600),
        "width": table.whole("width", usual.width, 160, 7680),
    }
    table.done()
    return RecordingSettings(**given)
