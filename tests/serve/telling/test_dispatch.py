"""Deliveries from disk: tried again, in order, over restarts, and given up at last."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maskdet.alerts.channels import DeliveryError
from maskdet.errors import OutputError
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.storing.store import Store
from maskdet.serve.telling import dispatch as dispatching
from maskdet.serve.telling.channels import Way
from maskdet.serve.telling.dispatch import Dispatch
from maskdet.serve.telling.herald import Herald
from watched_cameras import wait_for

CAMERA = CameraSettings("door", "0")


class Receiver:
    """A channel that refuses as often as it is told to."""

    def __init__(self, name: str = "receiver") -> None:
        self.name = name
        self.errors: list[DeliveryError] = []
        self.got: list[dict[str, Any]] = []
        self.is_down = False
        self.attempts = 0

    def deliver(self, record: dict[str, Any]) -> None:
        """Takes a record, or refuses it."""
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        if self.is_down:
            raise DeliveryError(f"{self.name} is down")
        self.got.append(record)

    def close(self) -> None:
        """Does nothing."""


class Desk:
    """A store, a dispatch and what they said."""

    def __init__(self, store: Store, *receivers: Receiver, keep: float = 600) -> None:
        self.said: list[str] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        ways = [Way(receiver.name, receiver) for receiver in receivers]
        self.dispatch = Dispatch(store, ways, keep, self.said.append, self.count)
        self.herald = Herald(store, self.dispatch, self.said.append)

    def count(self, what: str, key: str) -> None:
        """Counts what is told."""
        self.counts[what, key] += 1

    def alert(self, identity: str, *, age: float = 0) -> None:
        """Makes an alert."""
        moment = datetime.now().astimezone() - timedelta(seconds=age)
        face = {"label": "without_mask"}
        record = {"id": identity, "label": "without_mask", "faces": [face, face]}
        record["seconds_without_mask"] = 12.4
        self.herald.alert(CAMERA, record, moment, b"jpeg")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store."""
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are short."""
    monkeypatch.setattr(dispatching, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(dispatching, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(dispatching, "_DISK_WAIT", 0.01)


@contextmanager
def working(desk: Desk) -> Iterator[Callable[[], None]]:
    """Delivers while it lasts."""
    desk.dispatch.start()
    try:
        yield desk.dispatch.ring
    finally:
        desk.dispatch.stop()


def test_an_alert_says_when_where_who_and_how_long(store: Store) -> None:
    """It carries the picture, and a sentence for people."""
    receiver = Receiver()
    desk = Desk(store, receiver)
    with working(desk):
        desk.alert("a")
        wait_for(lambda: receiver.got)
    (record,) = receiver.got
    assert (record["id"], record["camera"], record["people"]) == ("a", "door", 2)
    assert record["text"].startswith("door: 2 people without a mask, for 12 seconds, 20")
    assert Path(record["snapshot"]).read_bytes() == b"jpeg"
    assert store.waiting() == {}


def test_what_fails_is_tried_again_in_order(store: Store) -> None:
    """A receiver that is down gets everything once it is back, each once; others wait for none."""
    down, well = Receiver("down"), Receiver("well")
    down.is_down = True
    desk = Desk(store, down, well)
    with working(desk):
        for name in "abc":
            desk.alert(name)
        wait_for(lambda: len(well.got) == 3)
        wait_for(lambda: down.attempts > 2)
        down.is_down = False
        wait_for(lambda: len(down.got) == 3)
    assert [record["id"] for record in down.got] == ["a", "b", "c"]
    assert sum("down is down; tried again" in line for line in desk.said) == 1
    assert any("delivers again" in line for line in desk.said)
    assert desk.counts["delivered", "down"] == 3
    assert desk.counts["failed", "down"] >= 2


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """What was not delivered before the process ended is delivered by the next."""
    store = Store(tmp_path)
    desk = Desk(store, Receiver())
    desk.alert("a")
    desk.alert("b")
    store.close()
    store = Store(tmp_path)
    receiver = Receiver()
    with working(Desk(store, receiver)):
        wait_for(lambda: len(receiver.got) == 2)
    assert [record["id"] for record in receiver.got] == ["a", "b"]
    store.close()


def test_what_is_refused_or_too_old_is_given_up(store: Store) -> None:
    """A final refusal, or age, ends the attempts; the next alert is not held up."""
    receiver = Receiver()
    receiver.errors.append(DeliveryError("receiver answered 404", is_final=True))
    desk = Desk(store, receiver, keep=60)
    with working(desk):
        desk.alert("refused")
        desk.alert("old", age=120)
        desk.alert("new")
        wait_for(lambda: receiver.got)
    assert [record["id"] for record in receiver.got] == ["new"]
    assert desk.counts["given_up", "receiver"] == 2
    assert any("too old to be delivered" in line for line in desk.said)


def test_a_full_disk_silences_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert that cannot be written is delivered all the same, without its picture."""

    def full(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    receiver = Receiver()
    desk = Desk(store, receiver)
    monkeypatch.setattr(store, "add_event", full)
    with working(desk):
        desk.alert("a")
        wait_for(lambda: receiver.got)
    assert (receiver.got[0]["id"], receiver.got[0]["snapshot"]) == ("a", None)
    assert "alert: the disk is full" in desk.said


def test_what_arrived_is_not_sent_again_because_of_a_full_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its arrival cannot be written down it is not delivered a second time."""
    finish, refused = store.finish, []

    def full_at_first(*arguments: Any) -> None:
        if len(refused) < 3:
            refused.append(1)
            raise OutputError("the disk is full")
        finish(*arguments)

    receiver = Receiver()
    desk = Desk(store, receiver)
    monkeypatch.setattr(store, "finish", full_at_first)
    with working(desk):
        desk.alert("a")
        wait_for(lambda: not store.waiting())
    assert len(receiver.got) == 1


def test_a_camera_that_has_gone_is_told_of_once_it_has_lasted(store: Store) -> None:
    """A stutter is no news; a loss is, once, and so is the return."""
    desk = Desk(store, Receiver())
    now = datetime.now().astimezone()
    long_ago = now - timedelta(minutes=1)
    tell = desk.herald.look_after
    tell("door", "down", "no answer", now, is_trouble=True)
    assert store.events() == []
    tell("door", "down", "no answer", long_ago, is_trouble=True)
    tell("door", "down", "no answer", long_ago, is_trouble=True)
    tell("door", "live", "", now, is_trouble=False)
    tell("door", "live", "", long_ago, is_trouble=False)
    tell("door", "live", "", long_ago, is_trouble=False)
    assert [(event.kind, event.label) for event in store.events()] == [
        ("state", "live"), ("state", "down"),
    ]  # fmt: skip
    assert store.events()[1].record["text"].startswith("door: gives no pictures (no answer), 20")
    assert store.waiting() == {"receiver": 2}
