"""Recordings: files of fixed length, clips of events, faces blurred, and what a crash leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import OutputError
from maskdet.serve.recording import recorder as recording
from maskdet.serve.recording.fragments import Fragments
from maskdet.serve.recording.recorder import Recorder
from maskdet.serve.site.camera_settings import CameraSettings, RecordingSettings
from maskdet.serve.site.settings import RetentionSettings
from maskdet.serve.storing.retention import Retention
from maskdet.serve.storing.store import Store
from watched_cameras import wait_for

Image = NDArray[np.uint8]
# Ahead of the clock: however slow the machine, no picture is ever late.
START = datetime.now().astimezone().replace(microsecond=0) + timedelta(hours=1)
FACE = np.array([[20, 10, 44, 40]], np.float32)


@dataclass(frozen=True)
class Shown:
    """A picture that was looked at."""

    time: datetime
    image: Image
    veiled: NDArray[np.float32]


def scene(number: int) -> Image:
    """Makes a picture whose level tells its number, with stripes for a face."""
    image = np.full((48, 64, 3), 60 + 2 * number, np.uint8)
    image[10:40, 20:44:4] = 255
    return image


def moment(seconds: float) -> datetime:
    """Returns a time of the test's own."""
    return START + timedelta(seconds=seconds)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store."""
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def make(store: Store) -> Iterator[Callable[..., Recorder]]:
    """Makes recorders, and ends them."""
    made: list[Recorder] = []

    def make(*, room: Callable[[], bool] = lambda: True, **settings: Any) -> Recorder:
        camera = CameraSettings("door", "0", recording=RecordingSettings(**settings))
        recorder = Recorder(
            camera, store, blur=True, log=lambda _: None, has_room=room, recording=lambda _: None
        )
        recorder.start()
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        recorder.stop()


def record(recorder: Recorder, begin: float, end: float, rate: int = 5) -> None:
    """Shows pictures of a time, one after the other."""
    for number in range(round((end - begin) * rate)):
        at = begin + number / rate
        taken = Shown(moment(at), scene(round(at)), FACE)
        recorder.take(taken)
        wait_for(lambda: not recorder.waits)


def frames(path: Path | None) -> list[Image]:
    """Decodes a video."""
    assert path is not None
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_everything_is_kept_in_files_of_fixed_length(
    store: Store, make: Callable[..., Recorder]
) -> None:
    """Ten seconds in files of four; every frame is there, its face is not."""
    recorder = make(mode="always", length=4)
    record(recorder, 0, 10)
    recorder.stop()
    kept = store.videos()
    assert [(video.start - START).total_seconds() for video in kept] == [8, 4, 0]
    assert all(video.is_whole and video.camera == "door" for video in kept)
    assert [round(video.seconds, 1) for video in kept] == [1.8, 3.8, 3.8]
    pictures = [frame for video in kept for frame in frames(store.video_path(video.number))]
    assert len(pictures) == 50
    for picture in pictures:
        assert picture[15:35, 24:40].astype(int).std(axis=1).max() < scene(0)[15:35].std() / 2
    assert abs(int(pictures[0][4, 4, 0]) - 76) < 8


def test_a_clip_has_the_seconds_before_and_after(
    store: Store, make: Callable[..., Recorder]
) -> None:
    """Without recording else, an event has its clip, from a key frame before it on."""
    recorder = make(mode="events", before=3, after=2)
    record(recorder, 0, 14)
    event = store.add_event("alert", {"id": "a", "camera": "door", "label": "x"}, moment(14))
    recorder.keep(event)
    wait_for(lambda: (found := store.event("a")) is not None and found.clip == "coming")
    record(recorder, 14, 17)
    wait_for(lambda: (found := store.event("a")) is not None and found.clip == "ready")
    shown = [round((int(frame[4, 4, 0]) - 60) / 2) for frame in frames(store.clip_path("a"))]
    assert 9 <= shown[0] <= 11
    assert 15 <= shown[-1] <= 16
    assert shown == sorted(shown)
    assert store.videos() == []
    assert not list(store.folder.glob("recordings/**/*.mp4"))


def test_a_clip_leaves_the_file_it_is_cut_from_alone(
    store: Store, make: Callable[..., Recorder]
) -> None:
    """What is always recorded keeps its length; the clip of an event is there long before its end.

    It has all of the event's seconds, from the file that is being written.
    """
    recorder = make(mode="always", length=100, before=3, after=2)
    record(recorder, 0, 10)
    event = store.add_event("alert", {"id": "a", "camera": "door", "label": "x"}, moment(10))
    recorder.keep(event)
    record(recorder, 10, 16)
    wait_for(lambda: (found := store.event("a")) is not None and found.clip == "ready")
    shown = [round((int(frame[4, 4, 0]) - 60) / 2) for frame in frames(store.clip_path("a"))]
    assert 5 <= shown[0] <= 7
    assert shown[-1] == 12
    record(recorder, 16, 20)
    recorder.stop()
    (video,) = store.videos()
    assert video.seconds == pytest.approx(19.8, abs=0.1)
    assert len(frames(store.video_path(video.number))) == 100


def test_a_gap_begins_a_new_file(store: Store, make: Callable[..., Recorder]) -> None:
    """A camera that was away, or a clock that was set back, is not stretched over it."""
    recorder = make(mode="always", length=100)
    record(recorder, 0, 2)
    record(recorder, 20, 22)
    record(recorder, 5, 7)
    recorder.stop()
    assert len(store.videos()) == 3
    assert all(video.seconds < 3 for video in store.videos())


def test_a_full_disk_stops_recording(store: Store, make: Callable[..., Recorder]) -> None:
    """While there is no room nothing is written; when there is, it goes on."""
    room = [False]
    recorder = make(mode="always", length=100, room=lambda: room[0])
    record(recorder, 0, 2)
    assert store.videos() == []
    room[0] = True
    record(recorder, 2, 4)
    recorder.stop()
    (video,) = store.videos()
    assert (video.start - START).total_seconds() == 2


def test_what_cannot_be_written_is_said_once_and_tried_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error ends the file, not the thread."""
    said: list[str] = []

    def broken(*_: object) -> None:
        raise OutputError("door: cannot be recorded")

    monkeypatch.setattr(recording, "Fragments", broken)
    camera = CameraSettings("door", "0", recording=RecordingSettings("always"))
    recorder = Recorder(
        camera, store, blur=True, log=said.append, has_room=lambda: True, recording=lambda _: None
    )
    recorder.start()
    record(recorder, 0, 2)
    recorder.stop()
    assert said == ["recording: door: cannot be recorded; tried again in 30 s"]


_KILLED = """
import sys, os, signal
from pathlib import Path
import numpy as np
from datetime import datetime
from maskdet.serve.recording.fragments import Fragments
from maskdet.serve.storing.store import Store
from maskdet.serve.storing.videos import begin_video
store = Store(Path(sys.argv[1]))
name = "recordings/door/2026-11-23/a.mp4"
(store.folder / name).parent.mkdir(parents=True)
begin_video(store.database, name, "door", datetime.now().astimezone(), None)
begin_video(store.database, "clips/b.mp4", "door", datetime.now().astimezone(), "b")
video = Fragments(store.folder / name, 64, 48)
for number in range(50):
    video.write(np.full((48, 64, 3), number, np.uint8), number / 5)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_being_written_when_the_process_was_killed_plays(tmp_path: Path) -> None:
    """All but the last fragment is found again; a clip that was never cut is forgotten."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)],
        check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    (said,) = Retention(store, RetentionSettings()).find_again()
    assert "was cut short and plays" in said
    (video,) = store.videos()
    assert video.is_whole
    assert 7.5 < video.seconds < 10
    assert len(frames(store.video_path(video.number))) >= 38
    assert store.clip_path("b") is None
    store.close()


def test_pictures_of_odd_sides_are_taken(tmp_path: Path) -> None:
    """H.264 wants even sides: a pixel is left out."""
    video = Fragments(tmp_path / "a.mp4", 65, 49)
    for number in range(3):
        video.write(np.full((49, 65, 3), 90, np.uint8), number / 5)
    video.close()
    assert [frame.shape for frame in frames(tmp_path / "a.mp4")] == [(48, 64, 3)] * 3
