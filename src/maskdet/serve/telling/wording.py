"""What an alert says, as a record for programs and as a sentence for people."""

import uuid
from collections import Counter
from datetime import datetime
from typing import Any

from maskdet.detections import NO_MASK_LABEL
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.wording import counted, label_text

# How the states that somebody should look after read.
_STATES = {
    "down": "gives no pictures",
    "frozen": "shows the same picture all the time",
    "dark": "shows a black picture",
    "covered": "seems to be covered",
    "small_faces": "shows faces too small to be judged",
    "ended": "has ended",
}


def alert_record(camera: CameraSettings, alert: dict[str, Any], moment: datetime) -> dict[str, Any]:
    """Returns the record of an alert of a camera.

    Args:
        camera: which.
        alert: see `maskdet.alerts.watch.Watch.alerts`.
        moment: when, with the zone.

    Returns:
        The same with ``kind``, ``camera``, ``people`` (how many are so at that moment) and
        ``text``, a sentence.
    """
    people = Counter(face["label"] for face in alert["faces"])
    seconds = alert.get("seconds_without_mask", 0.0)
    whom = ", ".join(_who(label, number) for label, number in people.most_common())
    again = "still " if alert.get("reminder") else ""
    text = f"{camera.name}: {again}{whom}, for {_lasting(seconds)}, {_clock(moment)}"
    return {
        **alert,
        "kind": "alert",
        "camera": camera.name,
        "people": sum(people.values()),
        "text": text,
    }


def state_record(camera: str, state: str, reason: str, moment: datetime) -> dict[str, Any]:
    """Returns the record of a camera that has gone, or come back."""
    said = _STATES.get(state, "is back")
    why = f" ({reason})" if reason else ""
    return {
        "id": uuid.uuid4().hex,
        "kind": "state",
        "camera": camera,
        "label": state,
        "wall_time": moment.isoformat(timespec="milliseconds"),
        "reason": reason,
        "text": f"{camera}: {said}{why}, {_clock(moment)}",
    }


def trial_record(moment: datetime) -> dict[str, Any]:
    """Returns the record of a trial alert."""
    return {
        "id": uuid.uuid4().hex,
        "kind": "trial",
        "camera": "trial",
        "label": NO_MASK_LABEL,
        "wall_time": moment.isoformat(timespec="milliseconds"),
        "people": 0,
        "text": f"maskdet serve --check: this is how an alert arrives, {_clock(moment)}",
    }


def _who(label: str, number: int) -> str:
    people = "1 person" if number == 1 else f"{number} people"
    if label == NO_MASK_LABEL:
        return f"{people} without a mask"
    return f"{people}: {label_text(label).lower()}"


def _lasting(seconds: float) -> str:
    whole = round(seconds)
    if whole == 0:
        return "a moment"
    return counted(whole, "second") if whole < 120 else counted(whole // 60, "minute")


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".rstrip()
