"""`maskdet detect` at a door for days: cameras that come late, disks that fill, runs that die."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import Cli, assert_user_error
from maskdet.media.inputs.video import VideoSource
from maskdet.media.records import CSV_COLUMNS
from mjpeg_server import serving


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


class Run:
    """A run of `maskdet detect` under way.

    Attributes:
        process: it.
        errors: the file that its standard error goes to.
    """

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.errors = folder / "errors"
        with self.errors.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "maskdet", "detect", *map(str, arguments)],
                stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=folder, env=os.environ,
            )  # fmt: skip

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until something is so, for a time that is plenty."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.errors.read_text()
            assert self.process.poll() is None, self.errors.read_text()
            time.sleep(0.05)

    def wait_for_line(self, words: str) -> None:
        """Waits until something has been said."""
        self.wait_for(lambda: words in self.errors.read_text())

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it by a signal; returns its exit code and standard output."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=60)
        assert "Traceback" not in self.errors.read_text()
        return self.process.returncode, output


@contextmanager
def running(folder: Path, *arguments: object) -> Iterator[Run]:
    """Starts a run, and kills it at the end if it still goes on."""
    run = Run(folder, *arguments)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()


def lines_of(path: Path) -> list[dict[str, object]]:
    """Returns the records of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def count_of(path: Path) -> int:
    """Returns how many whole lines a file has, while it is written."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_camera_that_is_down_at_the_start(samples: Path, tmp_path: Path, port: int) -> None:
    """The other one is watched at once; it joins when it comes. Nothing ends over it."""
    late, records = f"http://127.0.0.1:{port}/yard", tmp_path / "all.jsonl"
    picture = samples / "coffee.jpg"
    with (
        serving(picture) as door,
        running(
            tmp_path, "--source", late, "--source", door, "--no-output", "--json", records
        ) as run,
    ):
        run.wait_for(lambda: count_of(records) > 3)
        assert f"{late}: cannot be opened (Connection refused); opening it again in" in (
            run.errors.read_text()
        )
        with serving(picture, port):
            run.wait_for_line(f"{late}: is there")
            run.wait_for(lambda: late in records.read_text())
            code, output = run.stop()
    assert code == 0, run.errors.read_text()
    assert {line["source"] for line in lines_of(records)} == {late, door}
    assert f"{late}: stream" in output


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_single_camera_that_is_down(maskdet: Cli, tmp_path: Path, port: int, scheme: str) -> None:
    """It is waited for as --reconnect says: for ever, or so many times."""
    address = f"{scheme}://127.0.0.1:{port}/door"
    done = maskdet("detect", "--source", address, "--reconnect", 0, "--no-output")
    assert_user_error(done, f"maskdet: {address}: cannot be opened (Connection refused)")
    with running(tmp_path, "--source", address, "--no-output") as run:
        run.wait_for_line("opening it again in 1.0 s")
        code, _ = run.stop()
    assert code == 0


def test_cameras_that_do_not_exist(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Alone, that is a mistake; beside others, a camera that may be plugged in later."""
    assert_user_error(
        maskdet("detect", "--source", 97, "--no-output"), "camera 97: cannot be opened"
    )
    assert_user_error(
        maskdet("detect", "--source", 97, "--source", 98, "--no-output"),
        "camera 97, camera 98: cannot be opened",
    )
    with (
        serving(samples / "coffee.jpg") as door,
        running(
            tmp_path, "--source", 97, "--source", door, "--no-output", "--json", "all.jsonl"
        ) as run,
    ):
        run.wait_for_line("camera 97: cannot be opened; is one connected")
        run.wait_for(lambda: count_of(tmp_path / "all.jsonl") > 3)
        assert run.stop()[0] == 0


def test_a_full_disk_ends_the_recording_alone(
    samples: Path, tmp_path: Path, small_disk: Path
) -> None:
    """Watching, alerting and what is written elsewhere go on; it is said once, and at the end."""
    program = f"{sys.executable} -c \"open('alert', 'a').write('x')\""
    records, small = tmp_path / "all.jsonl", small_disk / "door.csv"
    with (
        serving(samples / "astronaut.jpg") as door,
        running(
            tmp_path, "--source", door, "--output", small_disk / "door.mp4", "--json", records,
            "--csv", small, "--on-no-mask", program, "--alert-after", 3,
        ) as run,
    ):  # fmt: skip
        run.wait_for_line("; watching goes on")
        run.wait_for(lambda: (tmp_path / "alert").exists())
        seen = count_of(records)
        run.wait_for(lambda: count_of(records) > seen + 20)
        code, output = run.stop()
    said = run.errors.read_text()
    assert code == 1
    assert f"{door}: stream, " in output
    assert said.count("door.mp4: cannot be written on (No space left on device); it holds") == 2
    assert said.count("watching goes on") <= 2
    assert len(list(VideoSource(str(small_disk / "door.mp4")))) > 0
    assert all(line.count(",") == len(CSV_COLUMNS) - 1 for line in small.read_text().splitlines())


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_a_disk_that_is_full_before_the_first_frame(
    maskdet: Cli, samples: Path, small_disk: Path, suffix: str
) -> None:
    """One line, no half file, and the process ends by itself."""
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(96 << 10))
    done = maskdet(
        "detect", "--source", samples / "astronaut.mp4", "--output", small_disk / f"out{suffix}"
    )
    assert_user_error(done, f"out{suffix}: cannot be written (No space left on device)")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_disk_that_may_not_be_written_to(maskdet: Cli, samples: Path, small_disk: Path) -> None:
    """One line for a folder that is read-only, for records and crops as for video."""
    mount = ["mount", "-o", "remount,ro", small_disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to make a disk read-only")
    run = ("detect", "--source", samples / "astronaut.mp4", "--max-frames", 3)
    for options in (
        ("--output", small_disk / "out.mp4"),
        ("--output", small_disk / "out"),
        ("--no-output", "--json", small_disk / "a.jsonl"),
        ("--no-output", "--save-crops", small_disk / "crops"),
        ("--no-output", "--summary", small_disk / "s.json"),
    ):
        assert_user_error(maskdet(*run, *options), "Read-only file system", str(small_disk))


def test_a_run_that_is_killed_and_begun_again(samples: Path, tmp_path: Path) -> None:
    """With --append the same command goes on each time: no record and no recording is lost."""
    records, rows = tmp_path / "all.jsonl", tmp_path / "all.csv"
    known = 0
    with serving(samples / "coffee.jpg") as door:
        command = (
            "--source", door, "--output", "door.mp4", "--json", records, "--csv", rows, "--append",
            "--summary", "s.json",
        )  # fmt: skip
        for more in (5, 50):
            with running(tmp_path, *command) as run:
                run.wait_for(lambda wanted=known + more: count_of(records) >= wanted)  # type: ignore[misc]
                run.stop(signal.SIGKILL)
            known = count_of(records)
            # As a crash in the middle of a line leaves it.
            with records.open("a") as half:
                half.write('{"source": "http')
        for number in ("", "-2"):
            with running(tmp_path, *command) as run:
                wanted = known + 5
                run.wait_for(lambda wanted=wanted: count_of(records) >= wanted)  # type: ignore[misc]
                code, output = run.stop()
            assert code == 0, run.errors.read_text()
            assert f"written to door{number}.mp4\n" in output
            assert f"written to s{number}.json\n" in output
            known = count_of(records)
    numbers = [line["frame"] for line in lines_of(records)]
    assert numbers.count(0) == 4
    assert rows.read_text().count("source,frame") == 1
    videos = sorted(path.name for path in tmp_path.glob("*.mp4"))
    assert {"door.mp4", "door-2.mp4"} <= set(videos)
    # Of the first run, a few frames, nothing was on the disk yet.
    assert len(videos) in (3, 4)
    assert not list(tmp_path.glob(".*.mp4"))
    for name in videos:
        assert len(list(VideoSource(str(tmp_path / name)))) > 0


def test_append_and_overwrite(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """They exclude each other; without either, one line tells of both."""
    run = ("detect", "--source", samples / "coffee.jpg", "--no-output", "--json", "a.jsonl")
    assert maskdet(*run, "--append", "--overwrite").returncode == 2
    for lines in (1, 2):
        assert maskdet(*run, "--append").returncode == 0
        assert count_of(tmp_path / "a.jsonl") == lines
    assert_user_error(maskdet(*run), "a.jsonl: exists already; --append", "--overwrite")


def test_the_last_lines_name_all_that_was_written(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """Records, crops, figures, plots and every contact sheet, not the pictures alone."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(31):
        (folder / f"{number}.jpg").write_bytes((samples / "coffee.jpg").read_bytes())
    (folder / "face.jpg").write_bytes((samples / "astronaut.jpg").read_bytes())
    done = maskdet(
        "detect", "--source", folder, "--output", "out", "--json", "a.jsonl", "--csv", "a.csv",
        "--save-crops", "crops", "--summary", "s.json", "--plot", "p.png", "--grid", "g.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    named = [
        line.removeprefix("written to ")
        for line in done.stdout.splitlines()
        if line.startswith("written")
    ]
    assert named == [
        "out (32 files)", "a.jsonl", "a.csv", "crops (1 face)", "g.png", "g-2.png", "s.json",
        "p.png",
    ]  # fmt: skip
    made = {path.name for path in tmp_path.iterdir()} - {"photos"}
    assert made == {name.split(" ")[0] for name in named}
