"""How fast `maskdet detect` is on a video, whole command and stage by stage.

    python benchmarks/throughput.py VIDEO
    python benchmarks/throughput.py VIDEO --caffe DIR --opencv4 opencv4    # beside the usual script

Each command runs as a user would start it. Its records say when a frame was done (annotated and
written). By default it runs the public face detector at 300 pixels, which the usual script runs,
too. With --caffe, `benchmarks/reference.py` runs in turns with it: on a shared machine only the
ratio of neighbouring runs means something.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.media.drawing import draw_detections
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sources import open_source
from maskdet.vision.networks import NetworkOptions, load_detector

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Run:
    """What one run of a command took.

    Attributes:
        first_frame: seconds from the start of the command to its first finished frame.
        total: seconds from start to exit.
        rate: frames a second between the first and the last finished frame.
        memory: peak resident memory in MB.
        records: what it printed, an object a frame.
    """

    first_frame: float
    total: float
    rate: float
    memory: float
    records: list[dict[str, Any]]


def measure(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Runs a command that prints a JSON line a frame, and times those lines."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    records, moments = [], []
    for line in process.stdout:
        moments.append(time.perf_counter() - start)
        records.append(json.loads(line))
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0 or len(moments) < 2:
        raise click.ClickException(f"{' '.join(command)} failed")
    return Run(
        first_frame=moments[0],
        total=time.perf_counter() - start,
        rate=(len(moments) - 1) / (moments[-1] - moments[0]),
        memory=usage.ru_maxrss / 1024,
        records=records,
    )


def agreement(ours: Run, theirs: Run, threshold: float = 0.9) -> float:
    """Returns the share of their faces that ours also has, at an IoU of `threshold`."""
    found = total = 0
    for our, their in zip(ours.records, theirs.records, strict=True):
        boxes = np.array([face["box"] for face in their["faces"]], np.float32).reshape(-1, 4)
        total += len(boxes)
        mine = np.array([face["box"] for face in our["faces"]], np.float32).reshape(-1, 4)
        if len(boxes) and len(mine):
            found += int((intersection_over_union(boxes, mine).max(axis=1) >= threshold).sum())
    return found / total if total else 1.0


def time_stages(video: str, networks: NetworkOptions) -> dict[str, float]:
    """Returns the median milliseconds of each stage a frame, one after another in one thread."""
    detector = load_detector(networks)
    spent: dict[str, list[float]] = {}

    def timed(stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        result = work(*arguments)
        spent.setdefault(stage, []).append((time.perf_counter() - start) * 1000)
        return result

    frames = iter(open_source(video))
    with tempfile.TemporaryDirectory() as folder, VideoWriter(Path(folder) / "out.mp4", 25) as out:
        while (frame := timed("decode", next, frames, None)) is not None:
            faces = timed("face detection", detector.faces.detect, frame.image)
            seen = timed("classification", detector.classify, frame.image, *faces)
            timed("drawing", draw_detections, frame.image, seen)
            timed("writing", out.write, frame.image)
    return {stage: statistics.median(times) for stage, times in spent.items()}


def processor() -> str:
    """Returns the processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@click.command()
@click.argument("video", type=click.Path(exists=True))
@click.option("--runs", default=3, show_default=True, help="Runs of each command; medians count.")
@click.option("--confidence", default=0.5, show_default=True, help="Face threshold for both.")
@click.option("--face", default="original", show_default=True, help="As of maskdet detect.")
@click.option("--face-size", default=300, show_default=True, help="As of maskdet detect.")
@click.option("--precision", help="As of maskdet detect.")
@click.option("--caffe", type=click.Path(exists=True), help="Folder of the Caffe pair.")
@click.option("--opencv4", type=click.Path(exists=True), help="Folder OpenCV 4 was installed to.")
def main(
    video: str,
    runs: int,
    confidence: float,
    face: str,
    face_size: int,
    precision: str | None,
    caffe: str | None,
    opencv4: str | None,
) -> None:
    """Measures `maskdet detect` on VIDEO."""
    print(f"{video}; {os.cpu_count()} x {processor()}, Python {platform.python_version()}")
    script = [sys.executable, str(HERE / "reference.py"), video, "--caffe", str(caffe)]
    detect = [sys.executable, "-m", "maskdet", "detect", "--source", video, "--json"]
    confident = ["--confidence", str(confidence)]
    networks = ["--face", face, "--face-size", str(face_size)]
    if precision is not None:
        networks += ["--precision", precision]
    results: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            output = ["--output", f"{folder}/{run}.mp4"]
            commands = {
                "maskdet detect": (*detect, *networks, *confident, *output),
                "  --no-output": (*detect, *networks, *confident, "--no-output"),
            }
            if caffe is not None:
                avi = ["--output", f"{folder}/{run}.avi"]
                commands["reference"] = (*script, *confident, *avi)
            for name, command in commands.items():
                path = {"PYTHONPATH": opencv4} if opencv4 and name == "reference" else None
                results.setdefault(name, []).append(measure(list(command), path))
    _print_row("", "frames/s", "first frame s", "peak MB", "whole run s")
    for name, took in results.items():
        values = ("rate", "first_frame", "memory", "total")
        medians = (statistics.median(getattr(run, value) for run in took) for value in values)
        _print_row(name, *(f"{median:.2f}" for median in medians))
    theirs = results.pop("reference", [])
    if theirs:
        for name, ours in results.items():
            ratios = [our.rate / their.rate for our, their in zip(ours, theirs, strict=True)]
            print(f"{name.strip()}: {statistics.median(ratios):.1f} times the reference's frames/s")
        found = agreement(results["maskdet detect"][0], theirs[0])
        print(f"reference's faces also found (IoU 0.9): {found:.1%}")
    chosen = NetworkOptions(
        face=Path(face), confidence=confidence, face_size=face_size, precision=precision
    )
    print("\nmilliseconds a frame, one stage after another:")
    for stage, milliseconds in time_stages(video, chosen).items():
        print(f"  {stage:<16}{milliseconds:6.2f}")


def _print_row(*cells: str) -> None:
    print(f"{cells[0]:<16}" + "".join(f"{cell:>15}" for cell in cells[1:]))


if __name__ == "__main__":
    main()
