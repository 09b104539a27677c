"""Whether `maskdet serve` stays as it is: many frames, restarts in between, every alert counted.

    python benchmarks/serve_soak.py --frames 60000

Two cameras play a small film over and over at many frames a second: a wall, a person without a
mask, a wall. So each round has one alert, neither none nor two. A webhook takes them, and refuses
one in ten at first. One camera is always recorded, the other at alerts. Every few seconds a line
tells memory, threads and file descriptors of the service; at the end a verdict, and exit code 1
where something grew, or an alert was lost or came twice. Linux only: reads /proc.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from maskdet.media.inputs.decoding import read_picture
from serve_kills import begin, receiving, verdict, wait_until_serving, waiting

if TYPE_CHECKING:
    import subprocess

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
WIDTH, HEIGHT = 320, 240
# The film: seconds, and those in which somebody is there.
SECONDS, COMES, GOES = 8, 1.0, 7.0
# What may grow between the first and the last third of a run's lines. Megabytes, number.
MEMORY, NUMBER = 20, 2
# Of each run, so long is not looked at: all is loaded then. Seconds.
WARM = 25
PATIENCE = 120
SITE = """
folder = "data"
[server]
port = {port}
[notifications]
webhook = "http://127.0.0.1:{hook}/"
[[cameras]]
name = "one"
source = "{film}"
[cameras.recording]
mode = "always"
length = 60
[[cameras]]
name = "two"
source = "{film}"
[cameras.recording]
mode = "events"
before = 1
after = 2
"""


@dataclass(frozen=True)
class Line:
    """The service at a moment: frames looked at in this run, MB, threads, open files."""

    frames: int
    memory: float
    threads: int
    files: int


def main() -> None:
    """Runs the service several times, and judges."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60_000, help="in all, of both cameras")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--rate", type=int, default=60, help="the film's frames a second")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--every", type=float, default=5, help="seconds from line to line")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name, receiving(refused=0.1) as (hook, got):
        folder = Path(name)
        write_film(folder / "film.mp4", options.rate)
        text = SITE.format(port=options.port, hook=hook, film=folder / "film.mp4")
        (folder / "site.toml").write_text(text)
        print(f"{'run':>3} {'seconds':>7} {'frames':>7} {'MB':>5} {'threads':>7} {'files':>5}")
        runs, seams, codes = [], [], []
        share = options.frames // (options.restarts + 1)
        for number in range(options.restarts + 1):
            process = begin(folder)
            wait_until_serving(folder, process)
            runs.append(watched(process, options, number, share, begun))
            if number == options.restarts:
                until = time.monotonic() + PATIENCE
                while waiting(folder) and time.monotonic() < until:
                    time.sleep(0.5)
            process.terminate()
            codes.append(process.wait(30))
            seams.append(time.time())
        growths = [grew(lines) for lines in runs]
        result = {
            "frames": sum(lines[-1].frames for lines in runs),
            "minutes": round((time.monotonic() - begun) / 60, 1),
            "exit_codes": codes,
            **verdict(folder, got),
            **rounds(folder, seams),
            "grew": growths,
        }
    print(json.dumps(result, indent=1))
    is_well = (
        not any(codes)
        and result["database"] == "ok"
        and not any(result[name] for name in result if name.startswith(("alerts_", "rounds_")))
        and not result["videos_that_do_not_play"]
        and all(growth["MB"] <= MEMORY for growth in growths if growth)
        and all(max(growth["threads"], growth["files"]) <= NUMBER for growth in growths if growth)
    )
    print("well" if is_well else "NOT WELL")
    sys.exit(not is_well)


def watched(
    process: "subprocess.Popen[bytes]",
    options: argparse.Namespace,
    number: int,
    share: int,
    begun: float,
) -> list[Line]:
    """Waits until a run has seen its share of frames; returns its lines but the first ones."""
    lines, started = [], time.monotonic()
    while True:
        time.sleep(options.every)
        line = measured(process.pid, options.port)
        spent = time.monotonic() - begun
        print(
            f"{number:>3} {spent:>7.0f} {line.frames:>7} {line.memory:>5.0f} "
            f"{line.threads:>7} {line.files:>5}",
            flush=True,
        )
        is_done = line.frames >= share
        if is_done or time.monotonic() - started >= WARM:
            lines.append(line)
        if is_done:
            return lines


def measured(pid: int, port: int) -> Line:
    """Looks at a process, and asks it how many frames it has seen."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/cameras", timeout=PATIENCE) as answer:
        cameras = json.load(answer)["cameras"]
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Line(
        sum(camera["frames_seen"] for camera in cameras),
        int(status["VmRSS"].split()[0]) / 1000,
        int(status["Threads"]),
        sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    )


def grew(lines: list[Line]) -> dict[str, float]:
    """Returns by how much the last third of some lines is above the first, nothing of a few."""
    third = len(lines) // 3
    if not third:
        return {}

    def of(name: str) -> float:
        values: list[float] = [getattr(line, name) for line in lines]
        return round(statistics.median(values[-third:]) - statistics.median(values[:third]), 1)

    return {"MB": of("memory"), "threads": of("threads"), "files": of("files")}


def rounds(folder: Path, seams: list[float]) -> dict[str, int]:
    """Returns the rounds of the film that had no alert, and those that had two."""
    with sqlite3.connect(folder / "data" / "maskdet.sqlite3") as database:
        rows = database.execute(
            "SELECT camera, time FROM events WHERE kind = 'alert' ORDER BY time"
        ).fetchall()
    without = twice = 0
    for name in ("one", "two"):
        times = [moment for camera, moment in rows if camera == name]
        for before, after in pairwise(times):
            if any(before < seam <= after for seam in seams):
                continue
            twice += after - before < SECONDS / 2
            without += after - before > 1.5 * SECONDS
    return {"rounds_without_alert": without, "rounds_with_two": twice}


def write_film(path: Path, rate: int) -> None:
    """Writes the film."""
    face = cv2.resize(read_picture(SAMPLES / "astronaut.jpg"), (200, 200))
    random = np.random.default_rng(0)
    wall = cv2.resize(random.integers(80, 160, (6, 8, 3), np.uint8), (WIDTH, HEIGHT))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(rate * SECONDS):
            image, moment = wall.copy(), number / rate
            # The camera's noise: no picture is the same as the one before.
            image[:16, :16] = random.integers(0, 256, 3, np.uint8)
            if COMES <= moment < GOES:
                left = round(60 + 40 * np.sin(moment))
                image[20:220, left : left + 200] = face
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(stream.encode(None))


if __name__ == "__main__":
    main()
