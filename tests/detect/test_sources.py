"""Sources as people type them: none, without an option, a camera that is looked at."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Cli
from webhook_server import running_webhook

pty = pytest.importorskip("pty", reason="needs pseudo-terminals, which Windows lacks")

# A camera that shows the sample, as machines that run tests have none.
PROGRAM = """
import sys, time, cv2

PICTURE = cv2.imread(sys.argv.pop(1))

class Camera:
    def __init__(self, device):
        pass
    def isOpened(self):
        return True
    def get(self, _):
        return 10.0
    def read(self):
        time.sleep(0.1)
        return True, PICTURE.copy()
    def release(self):
        pass

cv2.VideoCapture = Camera
from maskdet.cli import main
main()
"""


def test_what_a_shell_makes_of_a_pattern(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """`--source photos/*.jpg photos/*.mp4` without quotation marks: the rest are sources, too."""
    shutil.copytree(samples, tmp_path / "photos")
    names = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "photos").glob("*.jpg"))
    done = maskdet(
        "detect", "--source", *names, "photos/astronaut.mp4", "--max-frames", "3",
        "--output", "out", "--json", "all.jsonl",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [record["source"] for record in records] == [*names, *["photos/astronaut.mp4"] * 3]
    # As a folder's pictures they are one source, with one summary.
    assert f"photos: {len(names)} pictures" in done.stdout
    assert len(list((tmp_path / "out").iterdir())) == len(names) + 1


def test_a_source_taken_for_a_file_of_records(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """`--json photo.jpg` would write over the picture that was meant as a source."""
    shutil.copy(samples / "coffee.jpg", tmp_path / "photo.jpg")
    before = (tmp_path / "photo.jpg").read_bytes()
    for option in ("--json", "--csv", "--summary"):
        done = maskdet("detect", "--overwrite", option, "photo.jpg")
        assert done.returncode == 2
        assert "is a file for records" in done.stderr
    assert (tmp_path / "photo.jpg").read_bytes() == before


def test_quiet_hides_no_trouble(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Without progress and summary, what is tried again is still said, and what is lost."""
    once = tmp_path / "once"
    once.write_text("#!/bin/sh\nrmdir fails || exit 0\nexit 1\n")
    once.chmod(0o755)
    (tmp_path / "fails").mkdir()
    with running_webhook() as webhook:
        webhook.script = [403]
        done = maskdet(
            "detect", samples / "astronaut.mp4", "-q", "--no-output", "--alert-after", "0.3",
            "--on-no-mask", once, "--webhook", webhook.url,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "once ended with exit code 1" in done.stderr
    assert "1 of 1 alert not delivered" in done.stderr
    assert "video" not in done.stderr


def test_the_first_signal_ends_a_wait_for_a_pipe(tmp_path: Path) -> None:
    """A run that has nothing to read ends at once, with whole files and its summary."""
    os.mkfifo(tmp_path / "gate.jpg")
    process = subprocess.Popen(
        [sys.executable, "-m", "maskdet", "detect", "gate.jpg", "--json", "all.jsonl"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "all.jsonl").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "gate.jpg: 0 pictures" in output
    assert errors == "stopped\n"


@pytest.mark.server
@pytest.mark.parametrize(
    ("words", "terminal", "opens"),
    [
        ([], True, True),
        (["--no-show"], True, False),
        ([], False, False),
        (["--show"], False, True),
    ],
)
def test_a_window_opens_for_a_camera(
    display: str, samples: Path, tmp_path: Path, words: list[str], terminal: bool, opens: bool
) -> None:
    """Without a word, `maskdet detect` at a terminal shows what camera 0 sees; else by option."""
    if shutil.which("xdotool") is None:
        pytest.skip("needs xdotool, which presses keys")
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    master, slave = pty.openpty()
    stream = slave if terminal else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, samples / "astronaut.jpg", "detect", *words, "--json", "a"],
        stdin=stream, stderr=stream, stdout=subprocess.DEVNULL, cwd=tmp_path, env=environment,
    )  # fmt: skip

    def window() -> str:
        words = ["xdotool", "search", "--onlyvisible", "--name", "maskdet"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.strip()

    def wait_for(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)

    records = tmp_path / "a"
    try:
        wait_for(lambda: records.exists() and records.read_text().count("\n") >= 3)
        assert bool(window()) == opens
        if opens:
            subprocess.run(
                ["xdotool", "windowfocus", "--sync", window().splitlines()[0], "key", "q"],
                check=True, env=environment,
            )  # fmt: skip
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
    assert json.loads(records.read_text().splitlines()[0])["source"] == "camera 0"
    assert (tmp_path / "runs/detect/1/camera-0.mp4").is_file()
