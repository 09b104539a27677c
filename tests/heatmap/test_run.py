"""Runs in process: one scale over a run, frames that change size, codecs that are not there."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.errors import OutputError
from maskdet.heatmap import run as run_module
from maskdet.heatmap.options import HeatmapOptions, LookOptions
from maskdet.media.frames import Frame
from maskdet.media.inputs.video import VideoSource
from maskdet.media.recording import codecs
from maskdet.media.recording.writer import VideoWriter


def record(samples: Path, output: Path, **look: Any) -> list[np.ndarray]:
    """Records four frames of the sample video and reads them back."""
    options = HeatmapOptions(
        (str(samples / "astronaut.mp4"),), look=LookOptions(**look), output=output, frames=4
    )
    summary = run_module.run(options, log=print)
    assert summary.frames == 4
    assert summary.written == [output]
    return [frame.image for frame in VideoSource(str(output))]


def test_frames_that_do_not_fit_in_memory_are_read_again(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording is the same either way, and not that of a scale a frame."""
    waiting = record(samples, tmp_path / "waiting.mp4")
    monkeypatch.setattr(run_module, "WAITING_FRAMES", 0)
    again = record(samples, tmp_path / "again.mp4")
    assert len(waiting) == len(again) == 4
    for one, other in zip(waiting, again, strict=True):
        np.testing.assert_array_equal(one, other)
    single = record(samples, tmp_path / "single.mp4", normalise="frame")
    assert any((one != other).any() for one, other in zip(waiting, single, strict=True))


def test_a_bad_video_does_not_end_a_second_reading(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named once, as in a short run; the others are drawn."""
    monkeypatch.setattr(run_module, "WAITING_FRAMES", 0)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"damaged")
    shutil.copy(samples / "astronaut.mp4", folder / "b.mp4")
    options = HeatmapOptions((str(folder),), output=tmp_path / "out", frames=2)
    summary = run_module.run(options, log=print)
    assert summary.frames == 2
    (failure,) = summary.failures
    assert "a.mp4" in failure


def test_a_picture_lost_before_the_second_reading(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told; the pictures after it are drawn, each with its own maps."""
    monkeypatch.setattr(run_module, "WAITING_FRAMES", 0)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(samples / "astronaut.jpg", folder / f"{name}.jpg")
    open_sources = run_module.open_sources
    times = iter(range(2))

    def open_again(*arguments: Any) -> Any:
        if next(times):
            (folder / "a.jpg").unlink()
        return open_sources(*arguments)

    monkeypatch.setattr(run_module, "open_sources", open_again)
    options = HeatmapOptions((str(folder),), output=tmp_path / "out")
    summary = run_module.run(options, log=print)
    assert [path.name[0] for path in summary.written] == ["b", "c"]
    assert summary.failures == [f"{folder}: 1 frame could not be read a second time"]


def test_quitting_while_the_camera_is_silent(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera is told to end before anything waits for its next frame."""
    told: list[bool] = []

    class Camera:
        kind, name, folder, frame_rate, frame_count = "camera", "camera 0", None, 25.0, None
        is_moving = is_live = True
        paths = ()

        def __init__(self, stop: threading.Event) -> None:
            self.failures: list[str] = []
            self._stop = stop

        def __iter__(self) -> Iterator[Frame]:
            # The first comes out once the face detector's workers all have one.
            for index in range(3):
                image = cv2.imread(str(samples / "astronaut.jpg"))
                yield Frame(self.name, index, index / 25, image)
            told.append(self._stop.wait(3))

    window = SimpleNamespace(show=lambda *_, **__: False)
    monkeypatch.setattr(run_module, "open_sources", lambda _, read: [Camera(read.stop)])
    monkeypatch.setattr(run_module, "open_window", lambda *_, **__: nullcontext(window))
    options = HeatmapOptions(("0",), output=tmp_path / "out.mp4", show=True)
    assert run_module.run(options, log=print).frames == 1
    assert told == [True]


def test_the_rate_of_the_recording_is_not_the_sources(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video runs as asked for, while detection sees how fast frames come."""
    rates: list[float | None] = []
    detect_frames = run_module.detect_frames

    def detect(sources: Any, *others: Any) -> Any:
        rates.extend(source.frame_rate for source in sources)
        return detect_frames(sources, *others)

    monkeypatch.setattr(run_module, "detect_frames", detect)
    name, output = str(samples / "astronaut.mp4"), tmp_path / "out.mp4"
    run_module.run(HeatmapOptions((name,), output=output, frames=2, frame_rate=3.0), log=print)
    assert rates == [VideoSource(name).frame_rate]
    assert rates != [3.0]
    assert VideoSource(str(output)).frame_rate == pytest.approx(3)


def test_a_codec_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one stands in and is named; without any it is one line."""
    usual = codecs.CODECS[".mp4"]
    missing = codecs.Codec("no_such_encoder", {})
    monkeypatch.setitem(codecs.CODECS, ".mp4", (missing, *usual[1:]))
    said: list[str] = []
    with VideoWriter(tmp_path / "out.mp4", 5, said.append) as video:
        for level in (50, 100, 150):
            video.write(np.full((47, 64, 3), level, np.uint8))
    (line,) = said
    assert "no_such_encoder cannot be opened, using mpeg4" in line
    frames = [frame.image for frame in VideoSource(str(tmp_path / "out.mp4"))]
    assert len(frames) == 3
    assert abs(int(frames[1].mean()) - 100) < 4
    monkeypatch.setitem(codecs.CODECS, ".mp4", (missing, missing))
    with (
        pytest.raises(OutputError, match="neither no_such_encoder nor no_such_encoder"),
        VideoWriter(tmp_path / "none.mp4", 5) as video,
    ):
        video.write(np.zeros((48, 64, 3), np.uint8))
    assert not (tmp_path / "none.mp4").exists()
