"""Decides who is reported: each person who stays without a mask, or wears it incorrectly, once.

"Bare" is, in here, every face of a label that is told of. A person is a track. One that begins
where another ended a moment ago is the same person, who had turned away. Only the time is counted
in which a face was seen bare: neither that of which nobody knows, after a gap in the stream, nor
that in which the label was uncertain.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maskdet.alerts.options import AlertOptions
from maskdet.boxes import intersection_over_union
from maskdet.detections import UNCERTAIN_LABEL, Detections, FloatArray
from maskdet.media.frames import Frame, Source
from maskdet.media.records import moment_of
from maskdet.pace import Pace

# For so long a face may be overlooked, or till the next frame where that is later, and the time
# still be counted. Seconds.
_OVERLOOKED = 1.0
# A face that appears within this time where one was lost, their boxes overlapping by at least so
# much, belongs to the same person. Seconds; IoU.
_TURNED_AWAY, _SAME_PLACE = 2.0, 0.3
# A person not seen for so long, and for so many usual intervals between frames, does not come back
# under the same number and is forgotten, so that memory stays flat. Seconds; number.
_FORGET_AFTER, _FORGET_INTERVALS = 10.0, 3
# Times are sums of many steps; this much is lost in adding up. Seconds.
_ROUNDING = 1e-6


@dataclass
class _Person:
    """Somebody who was seen bare.

    Attributes:
        box: (4,) where, when last seen.
        seen: when last seen, with a mask or without. Seconds, as all times here.
        bare: how long seen so on this occasion, by label; a mask put on ends it.
        bare_at: when last seen bare, ``None`` if with a mask, or uncertain, since.
        is_reported: whether there was an alert on this occasion.
        alert_at: time of the last alert, of whatever occasion.
        reminders: number on this occasion.
    """

    box: FloatArray
    seen: float
    bare: dict[str, float] = field(default_factory=dict)
    bare_at: float | None = None
    is_reported: bool = False
    alert_at: float | None = None
    reminders: int = 0

    @property
    def seconds(self) -> float:
        """How long seen bare on this occasion, whatever the label."""
        return sum(self.bare.values())

    def cover(self) -> None:
        """Ends the occasion: taken off again it is a new one."""
        self.bare, self.bare_at, self.is_reported, self.reminders = {}, None, False, 0


@dataclass
class _Scene:
    """What is known of a source: its time, and who is there, by number of the track."""

    pace: Pace = field(default_factory=Pace)
    people: dict[int, _Person] = field(default_factory=dict)

    def advance(self, time: float) -> None:
        """Takes the time of the next frame, and forgets who has gone."""
        now = self.pace.advance(time)
        if self.pace.has_gap:
            self.people.clear()
        keep = max(_FORGET_AFTER, _FORGET_INTERVALS * self.pace.usual)
        self.people = {n: p for n, p in self.people.items() if now - p.seen <= keep}


class Watch:
    """Watches followed faces and pictures. Frames of a source come in order.

    Args:
        options: which faces are bare, for how long they must be, and how often they are reported.
    """

    def __init__(self, options: AlertOptions) -> None:
        self._options = options
        self._scenes: dict[str, _Scene] = {}

    def alerts(self, source: Source, frame: Frame, detections: Detections) -> list[dict[str, Any]]:
        """Looks at a frame.

        Args:
            source: its source.
            frame: the frame.
            detections: its faces; those of a moving source are followed.

        Returns:
            JSON-ready records of the alerts that are due: one a person, or one for a picture that
            shows any bare face.
        """
        records = detections.to_records()
        bare = [record for record in records if record["label"] in self._options.watched]
        if not source.is_moving:
            # The surest is named; who the others are that pictures show again, nobody knows.
            bare.sort(key=lambda record: record["confidence"], reverse=True)
            return [_alert(frame, bare[0], bare)] if bare else []
        scene = self._scenes.setdefault(source.name, _Scene())
        scene.advance(frame.time)
        if detections.tracks is None:
            return []
        alerts = []
        numbers = detections.tracks.tolist()
        for number, box, record in zip(numbers, detections.xyxy, records, strict=True):
            if self._is_due(scene, number, box, record["label"], numbers):
                person = scene.people[number]
                alert = _alert(frame, record, bare)
                alert["seconds_without_mask"] = round(person.seconds, 3)
                alert["seconds_by_label"] = {
                    label: round(seconds, 3) for label, seconds in person.bare.items()
                }
                alert["reminder"] = person.reminders
                alerts.append(alert)
        return alerts

    def _is_due(
        self, scene: _Scene, number: int, box: FloatArray, label: str, present: list[int]
    ) -> bool:
        """Counts the time of one face, and tells whether it is to be reported now."""
        now = scene.pace.now
        person = scene.people.get(number) or _returned(scene, box, present)
        if person is None:
            if label not in self._options.watched:
                return False
            person = _Person(box, now)
        scene.people[number] = person
        person.box, person.seen = box.copy(), now
        if label == UNCERTAIN_LABEL:
            person.bare_at = None
            return False
        if label not in self._options.watched:
            person.cover()
            return False
        if person.bare_at is not None:
            away = now - person.bare_at
            if away <= max(_OVERLOOKED, scene.pace.step) + _ROUNDING:
                person.bare[label] = person.bare.get(label, 0.0) + away
        person.bare_at = now
        return self._report(person, now)

    def _report(self, person: _Person, now: float) -> bool:
        """Tells whether a bare person is to be reported, and notes that it is."""
        options = self._options
        since = float("inf") if person.alert_at is None else now - person.alert_at + _ROUNDING
        if person.is_reported:
            if options.repeat is None or since < options.repeat:
                return False
            person.reminders += 1
        elif person.seconds + _ROUNDING < options.after or since < options.cooldown:
            return False
        person.is_reported, person.alert_at = True, now
        return True


def _returned(scene: _Scene, box: FloatArray, present: list[int]) -> _Person | None:
    """Takes out the person who was lost where a new track begins, if there is one."""
    now = scene.pace.now
    lost = [
        number
        for number, person in scene.people.items()
        if number not in present and now - person.seen <= _TURNED_AWAY
    ]
    if not lost:
        return None
    boxes = np.stack([scene.people[number].box for number in lost])
    overlaps = intersection_over_union(box[np.newaxis], boxes)[0]
    best = int(overlaps.argmax())
    return scene.people.pop(lost[best]) if overlaps[best] >= _SAME_PLACE else None


def _alert(frame: Frame, face: dict[str, Any], bare: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns an alert's record; its ``id`` tells a delivery that came twice."""
    return {
        "id": uuid.uuid4().hex,
        "source": frame.source,
        "frame": frame.index,
        **moment_of(frame),
        "label": face["label"],
        "face": face,
        "faces": bare,
    }
