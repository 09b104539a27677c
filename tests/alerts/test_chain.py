"""From frames through both networks to alerts: what a door sees in half a minute."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maskdet.alerts.options import AlertOptions
from maskdet.alerts.watch import Watch
from maskdet.media.frames import Frame
from maskdet.media.inputs.decoding import read_picture
from maskdet.stream import detect_frames
from maskdet.vision.networks import NetworkOptions, load_detector

BEGIN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Door:
    """A stream that shows one picture at given times."""

    kind, name, frame_rate, frame_count = "stream", "door", 10.0, None
    is_moving, is_live = True, True
    folder = None

    def __init__(self, picture: Path, times: list[float]) -> None:
        self.failures: list[str] = []
        self._image = read_picture(picture)
        self._times = times

    def __iter__(self) -> Iterator[Frame]:
        for index, time in enumerate(self._times):
            taken = BEGIN + timedelta(seconds=time)
            yield Frame(self.name, index, time, self._image.copy(), taken)


@pytest.mark.parametrize(("gap", "reported"), [(0.9, [1.0]), (29.0, [1.0, 31.4])])
def test_an_outage_at_the_door(samples: Path, gap: float, reported: list[float]) -> None:
    """A stutter is bridged; who stands there after an outage is reported by his own time."""
    times = [index / 10 for index in range(15)]
    times += [1.4 + gap + index / 10 for index in range(15)]
    door = Door(samples / "astronaut.jpg", times)
    watch, alerts, numbers = Watch(AlertOptions(after=1.0)), [], set()
    with closing(detect_frames([door], load_detector(NetworkOptions()))) as frames:  # type: ignore[list-item]
        for seen in frames:
            numbers |= set(seen.detections.tracks.tolist())  # type: ignore[union-attr]
            alerts += watch.alerts(seen.source, seen.frame, seen.detections)
    assert [alert["time"] for alert in alerts] == reported
    assert {alert["seconds_without_mask"] for alert in alerts} == {1.0}
    assert len(numbers) == len(reported)
    for alert, time in zip(alerts, reported, strict=True):
        assert alert["wall_time"] == (BEGIN + timedelta(seconds=time)).isoformat(
            timespec="milliseconds"
        )
