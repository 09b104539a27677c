"""Who is reported, and when: by the time a face was seen bare, a person at a time."""

import pickle
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from maskdet.alerts.options import AlertOptions
from maskdet.alerts.watch import Watch
from maskdet.detections import Detections
from maskdet.media.frames import Frame
from maskdet.media.inputs.pictures import PictureSource

IMAGE = np.zeros((4, 4, 3), np.uint8)
LABELS = ("with_mask", "without_mask")
BARE, MASKED, UNSURE = 0.9, 0.1, 0.6


class Door:
    """A moving source, for what only asks what it is."""

    kind, name, frame_rate, frame_count = "stream", "door", 10.0, None
    is_moving, is_live = True, True

    def __init__(self, name: str = "door") -> None:
        self.name = name
        self.folder = None
        self.failures: list[str] = []


def seen(people: dict[int, float], places: dict[int, int] | None = None) -> Detections:
    """Returns faces by track, each bare with a probability, each in a place of its own."""
    bare = np.array(list(people.values()), np.float32)
    shares = np.stack([1 - bare, bare], axis=1).reshape(-1, 2)
    left = [100 * (places or {}).get(number, number) for number in people]
    found = Detections(
        LABELS,
        np.array([[x, 10, x + 50, 70] for x in left], np.float32).reshape(-1, 4),
        np.full(len(people), 0.8, np.float32),
        shares,
        np.log(shares),
        tracks=np.array(list(people), np.intp),
    )
    return found.requiring(0.7)


class Played:
    """Plays frames to a watch and keeps the alerts."""

    def __init__(self, **options: Any) -> None:
        self.watch = Watch(AlertOptions(**options))
        self.alerts: list[dict[str, Any]] = []
        self.time = 0.0
        self.index = 0

    def play(
        self,
        seconds: float,
        people: dict[int, float],
        places: dict[int, int] | None = None,
        *,
        rate: float = 10,
        source: str = "door",
    ) -> "Played":
        """Shows the same people for a while; each frame ends its interval."""
        for _ in range(round(seconds * rate)):
            frame = Frame(source, self.index, self.time, IMAGE)
            detections = seen(people, places)
            self.alerts += self.watch.alerts(Door(source), frame, detections)  # type: ignore[arg-type]
            self.time += 1 / rate
            self.index += 1
        return self

    def gap(self, seconds: float) -> "Played":
        """Shows nothing, not even empty frames."""
        self.time += seconds
        return self

    @property
    def who(self) -> list[int]:
        """Tracks that were reported, in order."""
        return [alert["face"]["track"] for alert in self.alerts]


def test_a_face_that_stays_bare_is_reported_once() -> None:
    """After two seconds, and never again while it stays."""
    played = Played(after=2.0).play(60, {1: BARE, 2: MASKED})
    (alert,) = played.alerts
    assert alert["time"] == 2.0
    assert alert["seconds_without_mask"] == 2.0
    assert alert["reminder"] == 0
    assert alert["face"]["label"] == "without_mask"


def test_everybody_is_reported() -> None:
    """Five at once are five alerts, each with all the bare faces of its frame."""
    played = Played(after=1.0).play(3, dict.fromkeys(range(1, 6), BARE) | {6: MASKED})
    assert played.who == [1, 2, 3, 4, 5]
    for alert in played.alerts:
        assert [face["track"] for face in alert["faces"]] == [1, 2, 3, 4, 5]
    assert len({alert["id"] for alert in played.alerts}) == 5


def test_a_second_person_within_the_cool_down() -> None:
    """The cool-down is a person's own: who comes three seconds later is reported, too."""
    played = Played(after=1.0, cooldown=60).play(3, {1: BARE}).play(3, {1: BARE, 2: BARE})
    assert played.who == [1, 2]
    assert [face["track"] for face in played.alerts[1]["faces"]] == [1, 2]


@pytest.mark.parametrize("number", [1, 2])
def test_time_away_is_not_time_bare(number: int) -> None:
    """0.6 s seen before a gap of 90 and 2 s after it: not 92 seconds, whatever its number."""
    played = Played(after=2.0).play(0.6, {1: BARE}).gap(90).play(2.0, {number: BARE}, {2: 1})
    assert played.alerts == []
    played.play(0.2, {number: BARE}, {2: 1})
    (alert,) = played.alerts
    assert alert["seconds_without_mask"] == 2.0


def test_whoever_stands_there_after_an_outage_is_reported() -> None:
    """A person was reported, the camera is gone for 29 s: the next one is another."""
    played = Played(after=2.0).play(5, {1: BARE}).gap(29).play(2.2, {1: BARE})
    assert played.who == [1, 1]
    assert played.alerts[1]["seconds_without_mask"] == 2.0


def test_a_stutter_interrupts_nothing() -> None:
    """A radio link that stands still for a second now and then."""
    played = Played(after=3.0)
    for _ in range(4):
        played.play(0.5, {1: BARE}).gap(0.8)
    assert played.who == [1]


def test_out_of_the_picture_is_not_bare() -> None:
    """Frames without the face, the stream going on: only the time it was seen counts."""
    played = Played(after=2.0)
    for _ in range(4):
        played.play(0.5, {1: BARE}).play(1.5, {})
    assert played.alerts == []
    # Overlooked in every other frame is something else.
    played = Played(after=2.0)
    for _ in range(12):
        played.play(0.1, {1: BARE}).play(0.1, {})
    assert played.who == [1]


def test_turning_away_is_no_new_person() -> None:
    """A new track in the place of the one just lost is the same person; elsewhere it is not."""
    turned = Played(after=1.0, cooldown=0).play(3, {1: BARE}).play(1.5, {})
    turned.play(5, {2: BARE}, {2: 1})
    assert turned.who == [1]
    elsewhere = Played(after=1.0).play(3, {1: BARE}).play(1.5, {}).play(5, {2: BARE})
    assert elsewhere.who == [1, 2]
    later = Played(after=1.0).play(3, {1: BARE}).play(2.5, {}).play(5, {2: BARE}, {2: 1})
    assert later.who == [1, 2]
    beside = Played(after=1.0).play(3, {1: BARE}).play(3, {1: BARE, 2: BARE}, {1: 1, 2: 1})
    assert beside.who == [1, 2]


def test_a_mask_taken_off_again() -> None:
    """Is a new occasion, once the cool-down of this person is over."""

    def play(**options: Any) -> list[float]:
        played = Played(after=1.0, **options).play(3, {1: BARE}).play(1, {1: MASKED})
        return [alert["time"] for alert in played.play(20, {1: BARE}).alerts]

    assert play(cooldown=0) == [1.0, 5.0]
    assert play(cooldown=10) == [1.0, 11.0]


def test_uncertain_is_neither() -> None:
    """An uncertain label ends no occasion, and its time does not count."""
    played = Played(after=1.0, cooldown=0).play(2, {1: BARE}).play(2, {1: UNSURE})
    assert played.play(5, {1: BARE}).who == [1]
    unsure = Played(after=1.0)
    for _ in range(4):
        unsure.play(0.3, {1: BARE}).play(0.6, {1: UNSURE})
    assert unsure.alerts == []
    assert unsure.play(0.4, {1: BARE}).who == [1]


def test_reminders() -> None:
    """Every ten seconds of the same person, if asked for; not once the mask is on."""
    played = Played(after=1.0, repeat=10, cooldown=60).play(25, {1: BARE, 2: MASKED})
    played.play(30, {1: MASKED})
    assert [alert["time"] for alert in played.alerts] == [1.0, 11.0, 21.0]
    assert [alert["reminder"] for alert in played.alerts] == [0, 1, 2]
    assert played.alerts[2]["seconds_without_mask"] == 21.0


def test_a_clock_that_is_set_back() -> None:
    """A recording put together of two: its time begins anew, and alerts go on."""
    played = Played(after=1.0).play(100, {1: BARE})
    played.time = 0.0
    assert played.play(3, {2: BARE}).who == [1, 2]


@pytest.mark.parametrize("interval", [0.5, 1.0, 5.0, 30.0])
def test_slow_sources(interval: float) -> None:
    """A frame every few seconds is no gap where that is usual."""
    played = Played(after=4 * interval).play(12 * interval, {1: BARE}, rate=1 / interval)
    assert played.who == [1]
    assert played.alerts[0]["time"] <= 6 * interval


def test_sources_are_told_apart() -> None:
    """Person 1 of two doors is two persons; what happens at one is not counted at the other."""
    played = Played(after=1.0)
    for _ in range(15):
        for door in ("a", "b"):
            played.play(0.1, {1: BARE if door == "a" or played.time > 1.5 else MASKED}, source=door)
    assert [alert["source"] for alert in played.alerts] == ["a", "b"]


def test_memory_stays_flat() -> None:
    """People who have gone are forgotten."""
    played = Played(after=0)
    sizes = []
    for number in range(200):
        played.play(0.2, {number: BARE})
        sizes.append(len(pickle.dumps(played.watch)))
    assert max(sizes) < 1.5 * sizes[80]


def test_pictures_with_bare_faces() -> None:
    """A snapshot camera's: one alert a picture, the surest face named, all of them listed."""
    source = PictureSource([], "in", "pictures")
    watch = Watch(AlertOptions(after=5))
    found = []
    for name, faces in (
        ("a.jpg", seen({1: 0.8, 2: 0.95, 3: MASKED})),
        ("b.jpg", seen({1: MASKED, 2: UNSURE})),
        ("c.jpg", seen({})),
        ("d.jpg", seen({1: BARE})),
    ):
        found += watch.alerts(source, Frame(name, 0, 0.0, IMAGE), faces)
    assert [alert["source"] for alert in found] == ["a.jpg", "d.jpg"]
    assert [face["confidence"] for face in found[0]["faces"]] == [0.95, 0.8]
    assert found[0]["face"] == found[0]["faces"][0]
    assert "seconds_without_mask" not in found[0]


def test_wall_time_of_live_sources() -> None:
    """Beside the seconds stands when it was, with the zone."""
    taken = datetime(2026, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC)
    frame = Frame("door", 0, 0.0, IMAGE, taken)
    (alert,) = Watch(AlertOptions(after=0)).alerts(Door(), frame, seen({1: BARE}))  # type: ignore[arg-type]
    assert alert["wall_time"] == "2026-03-04T05:06:07.891+00:00"


def test_a_gap_begins_anew_even_under_the_same_number() -> None:
    """Who stands there after an outage may be somebody else, whatever a tracker makes of it."""
    played = Played(after=2.0).play(1.5, {1: BARE})
    played.time += 5.0
    played.play(1.2, {1: BARE})
    assert played.alerts == []
    played.play(1.0, {1: BARE})
    assert len(played.alerts) == 1
    assert played.alerts[0]["seconds_without_mask"] < 2.5


def with_third(shares: dict[int, tuple[float, float, float]]) -> Detections:
    """Returns followed faces of a model that knows masks worn incorrectly, by track."""
    rows = np.array(list(shares.values()), np.float32).reshape(-1, 3)
    return Detections(
        (*LABELS, "mask_worn_incorrectly"),
        np.array([[100 * n, 10, 100 * n + 50, 70] for n in shares], np.float32).reshape(-1, 4),
        np.full(len(rows), 0.8, np.float32),
        rows,
        np.log(rows),
        tracks=np.array(list(shares), np.intp),
    )


ON, OFF, UNDER = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9)


def alerts_of(
    states: list[tuple[float, float, float]], *labels: str, after: float = 2.0
) -> list[dict[str, Any]]:
    """Shows a person in one state a second, ten frames each."""
    watch, alerts = Watch(AlertOptions(labels=labels, after=after, cooldown=0)), []
    for index in range(10 * len(states)):
        frame = Frame("door", index, index / 10, IMAGE)
        shares = states[index // 10]
        alerts += watch.alerts(Door(), frame, with_third({1: shares}))  # type: ignore[arg-type]
    return alerts


def test_a_mask_worn_incorrectly_is_reported_as_such() -> None:
    """After the same time as a bare face; the record says which it is."""
    (alert,) = alerts_of([UNDER] * 4)
    assert alert["time"] == 2.0
    assert alert["label"] == alert["face"]["label"] == "mask_worn_incorrectly"
    assert alert["seconds_by_label"] == {"mask_worn_incorrectly": 2.0}


def test_from_under_the_nose_to_off_is_one_occasion() -> None:
    """Time of both adds up; the label is that of the moment; nobody is told twice."""
    (alert,) = alerts_of([UNDER, OFF, OFF, UNDER, OFF])
    assert alert["label"] == "without_mask"
    assert alert["seconds_without_mask"] == 2.0
    assert alert["seconds_by_label"] == {"mask_worn_incorrectly": 0.9, "without_mask": 1.1}
    assert [one["label"] for one in alerts_of([UNDER] * 3 + [ON] + [OFF] * 3)] == [
        "mask_worn_incorrectly",
        "without_mask",
    ]


def test_only_the_labels_named_are_told_of() -> None:
    """To others the face is as good as masked."""
    assert [one["label"] for one in alerts_of([UNDER] * 3 + [OFF] * 3, "without_mask")] == [
        "without_mask"
    ]
    assert alerts_of([OFF] * 5, "mask_worn_incorrectly") == []
    (alert,) = alerts_of([ON] * 3, "with_mask")
    assert alert["faces"][0]["label"] == "with_mask"
