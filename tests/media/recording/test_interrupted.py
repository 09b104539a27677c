"""Runs that are killed: what they recorded is whole in the end, and no later run writes over it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import OutputError
from maskdet.media.frames import Frame
from maskdet.media.inputs.video import VideoSource
from maskdet.media.outputs import RunOutput
from maskdet.media.recording.interrupted import held
from maskdet.media.recording.writer import VideoWriter

DATED = r"door-\d{4}-\d\d-\d\d-\d{6}(-\d+)?"

# Writes ten frames a second of video as fast as it can, says how many, and waits to be killed.
WRITE = """
import sys, time
from pathlib import Path
import numpy as np
from maskdet.media.recording.writer import VideoWriter
noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
video = VideoWriter(Path(sys.argv[1]), 10)
for index in range(int(sys.argv[2])):
    video.write(noise)
print("written", flush=True)
time.sleep(60)
"""


def killed_while_recording(path: Path, frames: int) -> None:
    """Runs a recording in another process, and kills it after so many frames."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, path, str(frames)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.kill()
    process.wait()
    process.stdout.close()


def frames_of(path: Path) -> int:
    """Returns how many frames a video has, none of them damaged."""
    source = VideoSource(str(path))
    count = len(list(source))
    assert not source.failures
    return count


class Camera:
    """A moving source, for what only asks what it is."""

    kind, name, frame_rate, frame_count, folder = "stream", "door", 10.0, None, None
    is_moving, is_live = True, True
    failures: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


def record(target: Path | None, noise: NDArray[np.uint8], **options: bool) -> list[str]:
    """Records twelve frames as a run does; returns what was said."""
    lines: list[str] = []
    camera = Camera()
    with RunOutput([camera], target, "detect", log=lines.append, **options) as output:  # type: ignore[list-item]
        for index in range(12):
            output.write(camera, Frame("door", index, index / 10, noise), noise)  # type: ignore[arg-type]
    assert not output.failures
    return lines


@pytest.mark.parametrize("name", ["door.mp4", "door.mov", "door.mkv", "door.avi"])
def test_a_run_that_is_killed(tmp_path: Path, noise: NDArray[np.uint8], name: str) -> None:
    """The same command again: the earlier recording is whole, but for its last seconds."""
    killed_while_recording(tmp_path / name, 75)
    assert [path.name for path in tmp_path.iterdir()] == [f".door.partial{Path(name).suffix}"]
    (line,) = record(tmp_path / name, noise)
    assert "was interrupted in an earlier run, and is finished now" in line
    assert frames_of(tmp_path / name) == 12
    (earlier,) = (path for path in tmp_path.iterdir() if path.name != name)
    assert re.fullmatch(DATED, earlier.stem)
    assert 75 - 2 * 20 <= frames_of(earlier) <= 75


@pytest.mark.parametrize(
    ("target", "moments"),
    [("door.mp4", [1, 19, 25, 60, 45, 26]), ("out", [1, 45]), (None, [25, 1, 60])],
)
def test_killed_again_and_again(
    tmp_path: Path,
    noise: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    target: str | None,
    moments: list[int],
) -> None:
    """Killed at several moments, each recording stays; what had not begun leaves nothing."""
    monkeypatch.chdir(tmp_path)
    for number, frames in enumerate(moments, start=1):
        run = tmp_path / f"runs/detect/{number}/door.mp4"
        path = {"door.mp4": tmp_path / "door.mp4", "out": tmp_path / "out" / "door.mp4"}.get(
            target or "", run
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        killed_while_recording(path, frames)
    record(None if target is None else tmp_path / target, noise)
    found = sorted(tmp_path.rglob("*.mp4"))
    assert not [path for path in found if path.name.startswith(".")]
    counts = sorted(frames_of(path) for path in found)
    # A fragment is 20 frames; of a few the encoder has not let go yet.
    assert counts == sorted([12, *filter(None, ((frames - 1) // 20 * 20 for frames in moments))])


def test_names_in_a_fresh_folder_of_a_run(
    tmp_path: Path, noise: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the recording gets the name it was meant for: nothing else will."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/detect/1").mkdir(parents=True)
    killed_while_recording(tmp_path / "runs/detect/1/door.mp4", 45)
    record(None, noise)
    assert frames_of(tmp_path / "runs/detect/1/door.mp4") == 40
    assert frames_of(tmp_path / "runs/detect/2/door.mp4") == 12


def test_killed_while_it_was_finished(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """The recording was closed, its copy half made: the next run makes it anew."""
    killed_while_recording(tmp_path / "door.mp4", 45)
    (tmp_path / ".door.finishing.mp4").write_bytes(b"half a copy")
    record(tmp_path / "door.mp4", noise)
    counts = sorted(frames_of(path) for path in tmp_path.glob("door*.mp4"))
    assert counts == [12, 40]
    assert not (tmp_path / ".door.finishing.mp4").exists()


def test_two_runs_at_once(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A recording under way is neither finished nor written over by another run."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, tmp_path / "door.mp4", "50"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        size = (tmp_path / ".door.partial.mp4").stat().st_size
        with pytest.raises(OutputError, match=r"door\.mp4: is being recorded by another run"):
            record(tmp_path / "door.mp4", noise)
        video = VideoWriter(tmp_path / "door.mp4", 10)
        with pytest.raises(OutputError, match=r"door\.mp4: is being recorded by another run"):
            video.write(noise)
        assert (tmp_path / ".door.partial.mp4").stat().st_size == size
    finally:
        process.kill()
        process.wait()


def test_what_cannot_be_read_is_kept(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Whatever is in it, it is somebody's."""
    (tmp_path / ".door.partial.mp4").write_bytes(np.random.default_rng(0).bytes(100_000))
    (line,) = record(tmp_path / "door.mp4", noise)
    assert "cannot be read" in line
    (kept,) = (path for path in tmp_path.iterdir() if path.name != "door.mp4")
    assert kept.stat().st_size == 100_000


def test_earlier_recordings_stay(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Going on, a run gives its own recordings numbers."""
    for _ in range(3):
        record(tmp_path / "door.mp4", noise, append=True)
        record(tmp_path / "out", noise, append=True)
    names = ["door-2.mp4", "door-3.mp4", "door.mp4"]
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names


def test_a_door_whose_earlier_recording_is_there(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """It is refused at the start; what comes to stand there later gets the recording a number."""
    (tmp_path / "door.mp4").write_text("precious")
    camera = Camera()
    with pytest.raises(OutputError, match=r"door\.mp4: exists already"):
        RunOutput([camera], tmp_path, "detect", lasting=True)  # type: ignore[list-item]
    (tmp_path / "door.mp4").unlink()
    with RunOutput([camera], tmp_path, "detect", lasting=True) as output:  # type: ignore[list-item]
        (tmp_path / "door.mp4").write_text("precious")
        output.write(camera, Frame("door", 0, 0, noise), noise)  # type: ignore[arg-type]
    assert output.written == [tmp_path / "door-2.mp4"]
    assert (tmp_path / "door.mp4").read_text() == "precious"


def test_a_hold_ends_with_its_process(tmp_path: Path) -> None:
    """What a killed process held is free."""
    (tmp_path / "a").touch()
    program = (
        "import sys, time; from pathlib import Path; "
        "from maskdet.media.recording.interrupted import held; "
        "hold = held(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "a"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(OutputError, match="another run"):
            held(tmp_path / "a")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                held(tmp_path / "a").release()
            except OutputError:
                time.sleep(0.05)
            else:
                break
        held(tmp_path / "a").release()
    finally:
        process.kill()
        process.wait()
