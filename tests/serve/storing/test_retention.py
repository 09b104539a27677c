"""Forgetting: by age, by size, and files that nothing names."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maskdet.serve.site.settings import RetentionSettings
from maskdet.serve.storing.counts import Tally
from maskdet.serve.storing.export import counts_csv, events_csv
from maskdet.serve.storing.retention import Retention
from maskdet.serve.storing.store import Store
from maskdet.serve.storing.videos import begin_video, end_video

NOW = datetime.now().astimezone()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store."""
    store = Store(tmp_path)
    yield store
    store.close()


def add(store: Store, name: str, days_ago: float, size: int = 1000) -> None:
    """Adds an alert with a picture and a clip, and a recording, of so many days ago."""
    moment = NOW - timedelta(days=days_ago)
    record = {"id": name, "camera": "door", "label": "without_mask", "text": f"{name}, there"}
    store.add_event("alert", record, moment, snapshot=bytes(size), channels=("mail",))
    for event, folder in ((name, "clips"), (None, "recordings")):
        file = f"{folder}/{name}.mp4"
        number = begin_video(store.database, file, "door", moment, event)
        (store.folder / folder).mkdir(exist_ok=True)
        (store.folder / file).write_bytes(bytes(size))
        end_video(store.database, number, 5.0, size)


def files(store: Store) -> set[str]:
    """Returns the names of all stored files."""
    found = (path for folder in ("snapshots", "clips", "recordings")
             for path in (store.folder / folder).rglob("*") if path.is_file())  # fmt: skip
    return {path.stem for path in found}


def test_what_is_too_old_is_forgotten(store: Store) -> None:
    """Events, deliveries, pictures, clips, recordings; counts have a time of their own."""
    add(store, "old", 40)
    add(store, "new", 1)
    for days in (900, 40):
        minute = int((NOW - timedelta(days=days)).timestamp())
        store.add_tallies([Tally("door", minute, 7, Counter({"with_mask": 1}))])
    swept = Retention(store, RetentionSettings(days=30, free_gigabytes=0)).sweep()
    assert [event.id for event in store.events()] == ["new"]
    assert files(store) == {"new"}
    assert store.waiting() == {"mail": 1}
    assert swept.stored_bytes == 3000
    assert not swept.is_full
    long_ago = NOW - timedelta(days=2000)
    assert [bucket.frames for bucket in store.statistics(long_ago, NOW)] == [7]


def test_the_oldest_goes_first_where_all_takes_too_much(store: Store) -> None:
    """Videos go before pictures; the event of a deleted picture stays."""
    for number, name in enumerate(("c", "b", "a")):
        add(store, name, number + 1)
    Retention(store, RetentionSettings(gigabytes=5000 / 1e9)).sweep()
    assert {video.start.date() for video in store.videos()} == {(NOW - timedelta(days=1)).date()}
    assert store.clip_path("a") is None
    assert store.clip_path("c") is not None
    assert store.snapshot_path("a") is not None
    Retention(store, RetentionSettings(gigabytes=1000 / 1e9)).sweep()
    assert store.videos() == []
    assert [event.has_snapshot for event in store.events()] == [True, False, False]


def test_a_disk_with_too_little_room_is_full(store: Store) -> None:
    """By what is to be left of it."""
    assert Retention(store, RetentionSettings(free_gigabytes=1e9)).sweep().is_full


def test_files_that_nothing_names_are_swept_when_old(store: Store) -> None:
    """A picture whose event was never written goes, but not while it may still be."""
    folder = store.folder / "snapshots" / "2026-01-01"
    folder.mkdir(parents=True)
    for name in ("stray", "fresh"):
        (folder / f"{name}.jpg").write_bytes(b"x")
    os.utime(folder / "stray.jpg", (time.time() - 9000,) * 2)
    Retention(store, RetentionSettings()).sweep()
    assert files(store) == {"fresh"}


def test_all_is_exported_as_csv(store: Store) -> None:
    """A header, a row for each span and label; and each event, its text quoted where it must be."""
    add(store, "a", 1)
    minute = int((NOW - timedelta(days=1)).timestamp())
    faces = Counter({"with_mask": 5, "without_mask": 2})
    store.add_tallies([Tally("door", minute, 9, faces, Counter({"with_mask": 1}))])
    begin = NOW - timedelta(days=9)
    lines = "".join(counts_csv(store, ["door", "gate"], begin, NOW, "day")).splitlines()
    assert lines[0] == "start,camera,label,frames,faces,people"
    assert [line.split(",", 1)[1] for line in lines[1:]] == [
        "door,with_mask,9,5,1", "door,without_mask,9,2,0",
    ]  # fmt: skip
    head, row = "".join(events_csv(store, None, None)).splitlines()
    assert head.startswith("time,id,kind,camera,label")
    assert row.endswith('a,alert,door,without_mask,,,,"a, there"')
