"""A real RTSP server on loopback: it goes away in the middle, comes back, and lags never add up."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.video import VideoSource
from maskdet.media.sources import open_source
from rtsp_process import address_at, free_port, serving, skip_without_server
from rtsp_server import LEVELS, LEVELS_A_SECOND, level_at

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", autouse=True)
def parts() -> None:
    """Skips where the server cannot run."""
    skip_without_server()


@pytest.fixture
def port() -> int:
    """A port that is free."""
    return free_port()


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until something is so, for a time that is plenty."""
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_detection_outlives_the_server(port: int, tmp_path: Path) -> None:
    """The server is killed and restarted; SIGTERM then leaves whole records and a whole video."""
    records, errors = tmp_path / "all.jsonl", tmp_path / "errors"
    address = address_at(port)
    with serving(port), errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "maskdet", "detect", "--source", address, "--json", records,
             "--output", "out", "--timeout", "5"],
            stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=tmp_path, env=os.environ,
        )  # fmt: skip
        wait_for(lambda: records.exists() and records.read_text().count("\n") > 5)
    try:
        wait_for(lambda: "opening it again in" in errors.read_text())
        with serving(port):
            wait_for(lambda: "is back" in errors.read_text())
            seen = records.read_text().count("\n")
            wait_for(lambda: records.read_text().count("\n") > seen + 5)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in errors.read_text()
    # By their times: FFmpeg's versions round them differently.
    opened = rf"{re.escape(address)}: stream, (30|29\.\d+) frames a second, 64x48"
    assert re.search(opened, errors.read_text())
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    assert f"{address}: stream, {len(lines)} frames" in output
    # The recording takes as long as it took.
    times = [
        frame.time for frame in VideoSource(str(tmp_path / "out" / f"127.0.0.1-{port}-door.mp4"))
    ]
    assert times == pytest.approx([line["time"] for line in lines], abs=0.02)


def test_a_slow_consumer_sees_the_present(port: int) -> None:
    """After seconds of taking a few frames a second, the pictures are as new as at first."""
    with serving(port):
        source = open_source(address_at(port), ReadOptions(timeout=5))
        assert source.kind == "stream"
        for frame in source:
            level = round(float(frame.image.mean()))
            behind = (level_at(time.time()) - level) % LEVELS / LEVELS_A_SECOND
            time.sleep(0.25)
            if frame.index == 15:
                break
    # Queued, the sixteenth frame would be more than three seconds old by now.
    assert behind < 1.5
