"""How cameras, events and counts look in the API: the words of the project's records, as JSON."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field

from maskdet.serve.showing.status import CameraState, CameraStatus, Crossings
from maskdet.serve.storing.records import Bucket, Event
from maskdet.wording import counted, label_text

_STATES = {
    CameraState.STARTING: "Starting",
    CameraState.LIVE: "Watching",
    CameraState.DOWN: "No connection",
    CameraState.FROZEN: "Picture stands still",
    CameraState.DARK: "Too dark",
    CameraState.COVERED: "Lens covered",
    CameraState.SMALL_FACES: "Faces too small",
    CameraState.ASLEEP: "Off at this hour",
    CameraState.ENDED: "Ended",
}
# In these states pictures come, be they of little use.
_WITH_PICTURE = frozenset(
    {CameraState.LIVE, CameraState.DARK, CameraState.COVERED, CameraState.SMALL_FACES}
)


class CrossingsView(BaseModel):
    """People who crossed a line today, by label."""

    inward: dict[str, int]
    outward: dict[str, int]

    @classmethod
    def of(cls, crossings: Crossings) -> "CrossingsView":
        """Makes it."""
        return cls(inward=dict(crossings.inward), outward=dict(crossings.outward))


class CameraView(BaseModel):
    """A camera, as it is."""

    name: str
    source: str = Field(description="its address, without what is secret in it")
    state: CameraState
    state_text: str = Field(description="the state in words")
    message: str = Field(description="why it is so; empty where there is nothing to say")
    since: datetime
    is_up: bool = Field(description="whether pictures come")
    is_well: bool = Field(description="whether nobody needs to look after it")
    width: int = Field(description="of its frames, in pixels; 0 before the first")
    height: int
    frames_per_second: float = Field(description="looked at lately")
    frames_read: int
    frames_seen: int
    frames_dropped: int
    reconnects: int
    latency: float = Field(description="seconds from a frame's arrival till it could be shown")
    is_recording: bool
    now: dict[str, int] = Field(description="faces in the newest frame, by label")
    today: dict[str, int] = Field(description="people since midnight, by label")
    crossings: dict[str, CrossingsView] = Field(description="by line")
    picture: str = Field(description="where its newest picture is")
    live: str = Field(description="where its pictures are as they come, as MJPEG")

    @classmethod
    def of(cls, status: CameraStatus) -> "CameraView":
        """Makes it."""
        place = f"/api/cameras/{quote(status.name, safe='')}"
        return cls(
            name=status.name,
            source=status.source,
            state=status.state,
            state_text=_STATES[status.state],
            message=status.reason,
            since=status.since,
            is_up=status.state in _WITH_PICTURE,
            is_well=not status.state.is_trouble,
            width=status.width,
            height=status.height,
            frames_per_second=round(status.frame_rate, 2),
            frames_read=status.frames_read,
            frames_seen=status.frames_seen,
            frames_dropped=status.frames_dropped,
            reconnects=status.reconnects,
            latency=round(status.latency, 4),
            is_recording=status.recording,
            now=dict(status.faces),
            today=dict(status.people_today),
            crossings={line: CrossingsView.of(one) for line, one in status.crossings.items()},
            picture=f"{place}/picture.jpg",
            live=f"{place}/live.mjpeg",
        )


class CamerasView(BaseModel):
    """All cameras, and what they see together."""

    labels: list[str] = Field(description="all that a face can have here")
    now: dict[str, int] = Field(description="faces in the newest frames, by label")
    today: dict[str, int] = Field(description="people since midnight, by label")
    cameras: list[CameraView]

    @classmethod
    def of(cls, statuses: Iterable[CameraStatus]) -> "CamerasView":
        """Makes it."""
        statuses = list(statuses)
        now: Counter[str] = Counter()
        today: Counter[str] = Counter()
        for status in statuses:
            now.update(status.faces)
            today.update(status.people_today)
        labels = dict.fromkeys(label for status in statuses for label in status.labels)
        return cls(
            labels=list(labels),
            now=dict(now),
            today=dict(today),
            cameras=[CameraView.of(status) for status in statuses],
        )


class EventView(BaseModel):
    """Something that happened."""

    id: str
    kind: Literal["alert", "state"]
    camera: str
    time: datetime
    label: str = Field(description="the face's label of an alert, the state of a camera")
    title: str = Field(description="what happened, in words")
    people: int | None = Field(description="faces of such a label then; null but for alerts")
    seconds: float | None = Field(description="for how long the person had been so")
    reminder: int | None = Field(description="which reminder of the same person it is, 0 for none")
    message: str | None = Field(description="more in words, of a camera's state")
    snapshot: str | None = Field(description="where the picture is")
    clip: str | None = Field(description="where the video is, once it is whole")
    record: dict[str, Any] = Field(description="as it is delivered")

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """Makes it."""
        place = f"/api/events/{quote(event.id, safe='')}"
        record = event.record
        is_alert = event.kind == "alert"
        return cls(
            id=event.id,
            kind=event.kind,
            camera=event.camera,
            time=event.time,
            label=event.label,
            title=_title(event),
            people=record.get("people") if is_alert else None,
            seconds=record.get("seconds_without_mask") if is_alert else None,
            reminder=record.get("reminder") if is_alert else None,
            message=None if is_alert else record.get("reason"),
            snapshot=f"{place}/snapshot.jpg" if event.has_snapshot else None,
            clip=f"{place}/clip.mp4" if event.clip == "ready" else None,
            record=record,
        )


class EventsView(BaseModel):
    """Events, the newest first."""

    events: list[EventView]
    next: int | None = Field(description="`before` of the page that follows; null at the end")


class BucketView(BaseModel):
    """What was seen in a span of time."""

    time: datetime = Field(description="its beginning")
    frames: int = Field(description="how many were looked at")
    faces: dict[str, int] = Field(description="by label, summed over frames")
    people: dict[str, int] = Field(description="by label, counted when they came")
    crossings: dict[str, CrossingsView] = Field(description="by line")

    @classmethod
    def of(cls, bucket: Bucket) -> "BucketView":
        """Makes it."""
        lines = sorted(bucket.inward.keys() | bucket.outward.keys())
        return cls(
            time=bucket.start,
            frames=bucket.frames,
            faces=dict(bucket.faces),
            people=dict(bucket.people),
            crossings={
                line: CrossingsView(
                    inward=dict(bucket.inward.get(line, {})),
                    outward=dict(bucket.outward.get(line, {})),
                )
                for line in lines
            },
        )


class StatisticsView(BaseModel):
    """What was seen over time; spans of which nothing is known are left out."""

    start: datetime
    end: datetime
    by: str
    camera: str | None
    labels: list[str]
    rows: list[BucketView]


def _title(event: Event) -> str:
    if event.kind == "state":
        known = {state.value: text for state, text in _STATES.items()}
        return known.get(event.label, label_text(event.label))
    people = event.record.get("people") or 1
    number = counted(people, "person").replace("persons", "people")
    return f"{label_text(event.label).capitalize()}: {number}"
