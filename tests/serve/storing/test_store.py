"""A site's memory: counts, events and deliveries, over restarts."""

import sqlite3
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maskdet.errors import OutputError
from maskdet.serve.storing.counts import Tally
from maskdet.serve.storing.store import Store

MONDAY = datetime(2026, 11, 23, 10, 30).astimezone()


def record(identity: str, camera: str = "door", label: str = "without_mask") -> dict[str, Any]:
    """Makes the record of an event."""
    return {"id": identity, "camera": camera, "label": label}


def tally(moment: datetime, camera: str = "door", *, frames: int = 10, bare: int = 3) -> Tally:
    """Makes the counts of a minute."""
    return Tally(
        camera,
        int(moment.timestamp()) // 60 * 60,
        frames,
        Counter({"without_mask": bare, "with_mask": 5}),
        Counter({"without_mask": 1}),
        Counter({("threshold", "with_mask"): 2}),
    )


def test_counts_add_up_over_every_span(tmp_path: Path) -> None:
    """Minutes, hours, days, weeks and months have the sums of what was added, camera by camera."""
    store = Store(tmp_path)
    store.add_tallies([tally(MONDAY), tally(MONDAY), tally(MONDAY, "gate")])
    store.add_tallies([tally(MONDAY + timedelta(minutes=40)), tally(MONDAY + timedelta(days=1))])
    begin, end = MONDAY - timedelta(days=2), MONDAY + timedelta(days=3)
    minutes = store.statistics(begin, end, "minute", "door")
    assert [bucket.frames for bucket in minutes] == [20, 10, 10]
    assert minutes[0].faces == {"without_mask": 6, "with_mask": 10}
    assert minutes[0].people == {"without_mask": 2}
    assert minutes[0].inward == {"threshold": {"with_mask": 4}}
    hours = store.statistics(begin, end, "hour", "door")
    assert [(bucket.start.hour, bucket.frames) for bucket in hours] == [
        (10, 20),
        (11, 10),
        (10, 10),
    ]
    days = store.statistics(begin, end, "day")
    assert [(bucket.start.day, bucket.frames) for bucket in days] == [(23, 40), (24, 10)]
    weeks = store.statistics(begin, end, "week")
    assert [(bucket.start.day, bucket.frames) for bucket in weeks] == [(23, 50)]
    months = store.statistics(begin, end, "month")
    assert [(bucket.start.day, bucket.frames) for bucket in months] == [(1, 50)]
    assert store.people_since(MONDAY.replace(hour=0, minute=0), "door") == {"without_mask": 4}


def test_events_are_found_by_page_and_by_id(tmp_path: Path) -> None:
    """Pages go from the newest on; files are found by ids alone, and only where they are."""
    store = Store(tmp_path)
    for number in range(5):
        moment = MONDAY + timedelta(seconds=number)
        picture = b"jpeg" if number == 4 else None
        store.add_event("alert", record(f"e{number}"), moment, snapshot=picture)
    first = store.events(limit=2)
    assert [event.id for event in first] == ["e4", "e3"]
    assert [event.id for event in store.events(limit=9, before=first[-1].number)] == [
        "e2", "e1", "e0",
    ]  # fmt: skip
    assert [e.id for e in store.events(MONDAY, MONDAY + timedelta(seconds=2))] == ["e1", "e0"]
    assert store.events(camera="gate") == []
    found = store.event("e4")
    assert found is not None
    assert (found.time, found.record, found.has_snapshot) == (
        MONDAY + timedelta(seconds=4), record("e4"), True,
    )  # fmt: skip
    path = store.snapshot_path("e4")
    assert path is not None
    assert path.read_bytes() == b"jpeg"
    path.unlink()
    assert store.snapshot_path("e4") is None
    assert store.snapshot_path("../../etc/passwd") is None
    assert store.event("no such") is None
    assert store.clip_path("e4") is None


def test_deliveries_outlive_the_process(tmp_path: Path) -> None:
    """What a channel was not told waits in order, with its attempts, until it is finished."""
    store = Store(tmp_path)
    store.add_event("alert", record("a"), MONDAY, channels=("mail", "mqtt"))
    store.add_event("alert", record("b"), MONDAY, channels=("mail",))
    first = store.next_delivery("mail")
    assert first is not None
    store.postpone(first, "mail", 5000.0)
    store.close()

    store = Store(tmp_path)
    again = store.next_delivery("mail")
    assert again is not None
    assert (again.event.id, again.attempts, again.due) == ("a", 1, 5000.0)
    store.finish(again, "mail")
    following = store.next_delivery("mail")
    assert following is not None
    assert following.event.id == "b"
    assert store.waiting() == {"mail": 1, "mqtt": 1}
    assert store.forget_channels(["mail"]) == 1
    assert store.next_delivery("mqtt") is None


def test_an_event_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """An event that cannot be added leaves no delivery behind."""
    store = Store(tmp_path)
    store.add_event("alert", record("a"), MONDAY, channels=("mail",))
    with pytest.raises(OutputError, match="cannot be written"):
        store.add_event("alert", record("a"), MONDAY, channels=("mail", "mqtt"))
    assert store.waiting() == {"mail": 1}


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    """A database of a later maskdet is refused in one line."""
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "maskdet.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutputError, match="newer maskdet"):
        Store(tmp_path)
