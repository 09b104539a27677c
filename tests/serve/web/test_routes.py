"""What the API answers: cameras, events, counts, settings, health."""

import asyncio
import csv
import io
import json
import struct
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from maskdet.serve.showing.status import CameraState
from maskdet.serve.site.camera_settings import Hours, Line, Zone
from maskdet.serve.site.settings import MqttSettings, NotificationSettings
from maskdet.serve.web.routes.live import events_of
from maskdet.serve.web.routes.settings import sections_of
from maskdet.serve.web.streaming.pulse import Pulse
from maskdet.serve.web.streaming.streams import BOUNDARY, Streams, mjpeg_part, page_part
from serve_site import DOOR, GATE, SECRET, Shop


def test_cameras_say_how_they_are(asker: Any) -> None:
    """States, people and sums over all cameras; one that is not there is not found."""
    answer = asker.get("/api/cameras").json()
    door, gate = answer["cameras"]
    assert (door["name"], door["state"], door["is_up"], door["is_well"]) == (
        DOOR,
        "live",
        True,
        True,
    )
    assert (gate["name"], gate["message"], gate["is_up"]) == (GATE, "does not answer", False)
    assert answer["now"] == door["now"]
    assert door["now"]["with_mask"] == 1
    assert asker.get(f"/api/cameras/{DOOR}").json()["name"] == DOOR
    for name in ("nobody", "..", "%2e%2e%2fetc", "\N{SNOWMAN}", "%00", "%ff"):
        assert asker.get(f"/api/cameras/{name}").status_code == 404


def test_the_newest_picture_is_shown_as_wide_as_asked(asker: Any, shop: Shop) -> None:
    """A JPEG, never wider than its own; a camera without any has none."""
    own = shop.show().image.shape[1]
    for width, expected in ((320, 320), (8192, own), (None, own)):
        query = "" if width is None else f"?width={width}"
        answer = asker.get(f"/api/cameras/{DOOR}/picture.jpg{query}")
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[1] == expected
    assert asker.get(f"/api/cameras/{GATE}/picture.jpg").status_code == 404


def test_pictures_are_streamed_as_they_come(shop: Shop) -> None:
    """Each once, the newest only, with its faces; a stream ends when it may not go on."""

    async def run() -> list[bytes]:
        streams = Streams(shop.hub, Pulse(shop.hub))
        left = [True] * 4
        parts = []
        async for part in streams.pictures(
            [DOOR, GATE], 320, 50, page_part, lambda: bool(left and left.pop())
        ):
            parts.append(part)
            # Of these two nobody sees the first.
            shop.show()
            shop.show()
        return parts

    numbers = []
    for part in asyncio.run(run()):
        line, size = struct.unpack(">II", part[:8])
        info = json.loads(part[8 : 8 + line])
        image = cv2.imdecode(np.frombuffer(part[8 + line :], np.uint8), cv2.IMREAD_COLOR)
        assert size == len(part) - 8 - line
        assert image is not None
        assert info["camera"] == DOOR
        assert {face["label"] for face in info["faces"]} == {"with_mask", "without_mask"}
        numbers.append(info["frame"])
    assert len(numbers) >= 2
    assert all(second - first == 2 for first, second in pairwise(numbers))


def test_a_part_of_an_mjpeg_stream_says_its_length(shop: Shop) -> None:
    """As players read it."""
    part = mjpeg_part(DOOR, shop.show(), b"picture")
    head, _, body = part.partition(b"\r\n\r\n")
    assert head.startswith(f"--{BOUNDARY}".encode())
    assert b"Content-Length: 7" in head
    assert body == b"picture\r\n"


def test_live_numbers_tell_of_changes_and_alerts(shop: Shop) -> None:
    """First how the cameras are, then what changes, and each alert once."""

    async def run() -> list[str]:
        stream = events_of(shop.hub, Pulse(shop.hub), lambda: True)
        first = await anext(stream)
        identity = await asyncio.to_thread(shop.alert)
        shop.show()
        found = [first]
        while not found[-1].startswith("event: alert"):
            found.append(await asyncio.wait_for(anext(stream), 10))
        assert identity in found[-1]
        await stream.aclose()
        return found

    events = asyncio.run(run())
    assert events[0].startswith("event: cameras\ndata: {")
    assert all(text.endswith("\n\n") for text in events)


def test_events_come_in_pages(asker: Any, shop: Shop) -> None:
    """The newest first, by camera and kind, each page from where the one before ended."""
    ids = [shop.alert(clip=number == 2) for number in range(5)]
    lost = shop.lose()
    found: list[str] = []
    before = ""
    while True:
        page = asker.get(f"/api/events?kind=alert&limit=2{before}").json()
        found += [event["id"] for event in page["events"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == ids[::-1]
    (state,) = asker.get(f"/api/events?camera={GATE}").json()["events"]
    assert (state["id"], state["title"], state["message"]) == (lost, "No connection", "no answer")
    assert asker.get("/api/events?camera=nobody").status_code == 404


def test_an_event_has_its_picture_and_its_clip(asker: Any, shop: Shop) -> None:
    """Files are found by the event's id, and parts of a clip can be asked for."""
    identity = shop.alert(clip=True)
    event = asker.get(f"/api/events/{identity}").json()
    assert event["title"].startswith("No mask: ")
    assert event["seconds"] == 4.2
    assert asker.get(event["snapshot"]).content.startswith(b"\xff\xd8")
    part = asker.get(event["clip"], headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-type"] == "video/mp4"
    assert asker.get(f"/api/events/{shop.lose()}/clip.mp4").status_code == 404


@pytest.mark.parametrize(
    "identity",
    ["0" * 32, "..", "%2e%2e%2fusers.json", "..%5cusers", "a%00b", "' OR 1=1 --", "x" * 500],
)
def test_no_path_is_taken_from_a_request(asker: Any, shop: Shop, identity: str) -> None:
    """What is no event's id is not found, whatever it looks like."""
    shop.alert()
    (shop.site.folder / "users").write_text("secret")
    for path in ("", "/snapshot.jpg", "/clip.mp4"):
        answer = asker.get(f"/api/events/{identity}{path}")
        assert answer.status_code in (404, 422)
        assert "secret" not in answer.text
    for name in (f"%2e%2e/{identity}", "../../access/users.py", "%2e%2e%2fapp.py", "/etc/passwd"):
        assert asker.get(f"/static/{name}").status_code == 404


def test_counts_over_time(asker: Any, shop: Shop) -> None:
    """By the minute, hour and day the sums are the same; CSV has the same numbers."""
    shop.remember(days=3)
    end = datetime.now().astimezone() + timedelta(minutes=1)
    query = {"from": (end - timedelta(days=6)).isoformat(), "to": end.isoformat()}
    sums = {}
    for by in ("hour", "day", "week"):
        answer = asker.get("/api/statistics", params={**query, "by": by, "camera": DOOR}).json()
        sums[by] = sum(row["people"].get("with_mask", 0) for row in answer["rows"])
        assert answer["labels"] == ["with_mask", "without_mask"]
    assert len(set(sums.values())) == 1
    assert sums["day"] > 100
    rows = list(
        csv.DictReader(
            io.StringIO(asker.get("/api/statistics.csv", params={**query, "by": "day"}).text)
        )
    )
    masked = [int(row["people"]) for row in rows if row["label"] == "with_mask"]
    assert sum(masked) == sums["day"]
    minutes = asker.get("/api/statistics?by=minute").json()["rows"]
    assert len(minutes) > 100


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2020-01-01"},
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"from": "1e300"},
        {"from": "yesterday"},
        {"by": "second"},
        {"from": "2025-01-01T00:00Z", "to": "2026-01-01T00:00Z", "by": "minute"},
    ],
)
def test_counts_that_cannot_be_given_are_refused(asker: Any, query: dict[str, str]) -> None:
    """Too many spans at once, times that are none, or the wrong way round."""
    if query == {"from": "2020-01-01"}:
        query = {**query, "by": "minute"}
    assert asker.get("/api/statistics", params=query).status_code == 422
    assert asker.get("/api/statistics?camera=nobody").status_code == 404


def test_settings_are_told_without_what_is_secret(asker: Any, shop: Shop) -> None:
    """In words for people; neither passwords nor whom alerts go to."""
    door, gate = shop.site.cameras
    zone = Zone("till", ((0, 0), (1, 0), (1, 1)), is_masked=True)
    hours = Hours(frozenset({0, 4}), datetime.min.time(), datetime.max.time())
    line = Line("in and out", (0, 0.5), (1, 0.5))
    door = replace(door, zones=(zone,), lines=(line,), hours=(hours,), rotate=90, min_face=20)
    told = NotificationSettings(
        command=("notify", SECRET),
        webhook=f"https://hooks.example/{SECRET}",
        apprise=(f"tgram://{SECRET}/1",),
        mqtt=MqttSettings("broker", user="me", password=SECRET),
    )
    site = replace(shop.site, cameras=(door, gate), notifications=told)
    text = " ".join(
        f"{entry.name}: {entry.value}" for section in sections_of(site) for entry in section.entries
    )
    assert SECRET not in text
    for words in (
        "till (passed over)",
        "in and out",
        "Mon, Fri 00:00 to 23:59",
        "90°",
        "MQTT: yes",
    ):
        assert words in text
    titles = [section["title"] for section in asker.get("/api/settings").json()["sections"]]
    assert titles[:2] == [f"Camera {DOOR}", f"Camera {GATE}"]


def test_health_is_told_to_whoever_asks(asking: Any, shop: Shop) -> None:
    """It lives; it is ready once every camera has been tried."""
    asker = asking(users=True)
    assert asker.get("/healthz").json() == {"status": "ok"}
    assert asker.get("/readyz").status_code == 200
    shop.hub.board_of(shop.site.cameras[1]).set_state(CameraState.STARTING)
    assert asker.get("/readyz").status_code == 503


def test_metrics_follow_the_conventions(asker: Any, shop: Shop) -> None:
    """Prometheus's own parser reads them; counters end in total, units are base units."""
    shop.hub.count("alerts", DOOR)
    text = asker.get("/metrics").text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["maskdet_camera_frames_seen_total", DOOR] == 1
    assert samples["maskdet_camera_up", DOOR] == 1
    assert samples["maskdet_camera_up", GATE] == 0
    assert samples["maskdet_camera_state", GATE, "down"] == 1
    assert samples["maskdet_camera_stage_seconds_sum", DOOR, "faces"] == 0.01
    assert samples["maskdet_camera_faces", DOOR, "with_mask"] == 1
    assert samples["maskdet_alerts_total", DOOR] == 1
    assert any(name[0] == "process_resident_memory_bytes" for name in samples)
    assert SECRET not in text


def test_a_browser_that_has_a_file_gets_it_once(asker: Any) -> None:
    """Files are packed, and asked for again only when they have changed."""
    answer = asker.get("/static/vendor/uplot.js")
    assert answer.headers["content-encoding"] == "gzip"
    again = asker.get("/static/vendor/uplot.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_goes_wrong_here_is_not_told(asker: Any, shop: Shop) -> None:
    """An error of the server's is said to be one, without what it was."""
    shop.hub.store.database.path.unlink()
    shop.hub.store.database.path.mkdir()
    answer = asker.get("/api/events")
    assert answer.status_code == 500
    assert str(shop.site.folder) not in answer.text
    assert "sqlite" not in answer.text.lower()
