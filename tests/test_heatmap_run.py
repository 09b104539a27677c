"""Runs in process: one scale over a run, frames that change size, codecs that are not there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.errors import OutputError
from maskdet.heatmap import run as run_module
from maskdet.heatmap.options import HeatmapOptions, LookOptions
from maskdet.media import codecs
from maskdet.media.sinks import VideoWriter
from maskdet.media.video import VideoSource


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
