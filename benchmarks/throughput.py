"""How fast `maskdet detect` is, and in how much memory, beside the usual script: one table.

    pip install --target opencv4 --no-deps opencv-python==4.14.0.94
    python benchmarks/throughput.py ONE.mp4 FOUR.mp4 --photographs DIR --caffe DIR --opencv4 opencv4

Each command runs as a user would start it. Its records say when a frame was done (annotated and
written). `benchmarks/reference.py` runs over the same video in between: on a shared machine only
the ratio of neighbouring runs means something. Of the photographs the busiest become a video of a
crowd, panned, and all of them are a row of their own. Without --caffe there are no ratios.
"""

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

from crowd import make_crowd
from maskdet.media.drawing import draw_detections
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sources import open_source
from maskdet.processor import processor
from maskdet.vision.networks import NetworkOptions, load_detector

HERE = Path(__file__).resolve().parent

# Options of maskdet detect, and whether frames are drawn and written, as the script's always are.
# The last finds faces with the very network that the script does.
VARIANTS: tuple[tuple[tuple[str, ...], bool], ...] = (
    ((), True),
    ((), False),
    (("--face-size", "320"), True),
    (("--face-size", "320"), False),
    (("--precision", "int8"), False),
    (("--precision", "float16"), False),
    (("--face", "original", "--face-size", "300"), True),
)
PICTURE_VARIANTS: tuple[tuple[tuple[str, ...], bool], ...] = (
    ((), True),
    ((), False),
    (("--precision", "int8"), False),
    (("--precision", "float16"), False),
)


@dataclass(frozen=True)
class Run:
    """What one run of a command took.

    Attributes:
        first_frame: seconds from the start of the command to its first finished frame.
        total: seconds from start to exit.
        frames: finished.
        rate: frames a second between the first and the last finished frame.
        processor: seconds of processor time, of all cores together.
        memory: peak resident memory in MB.
    """

    first_frame: float
    total: float
    frames: int
    rate: float
    processor: float
    memory: float


def measure(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Runs a command that prints a JSON line a frame, and times those lines."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    moments = [time.perf_counter() - start for _ in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0 or len(moments) < 2:
        raise click.ClickException(f"{' '.join(command)} failed")
    return Run(
        first_frame=moments[0],
        total=time.perf_counter() - start,
        frames=len(moments),
        rate=(len(moments) - 1) / (moments[-1] - moments[0]),
        processor=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
    )


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


class Table:
    """A Markdown table that is printed as it grows: whoever watches sees how far it is."""

    def __init__(self) -> None:
        self._row(
            "what",
            "options",
            "frames/s",
            "times the script",
            "ms a frame",
            "processor ms",
            "first frame s",
            "peak MB",
        )
        self._row(*["---"] * 8)

    def add(self, what: str, options: str, runs: list[Run], script: list[Run]) -> None:
        """Adds the medians of a command's runs, and of their ratios to the script's beside them."""
        ratio = ""
        if script:
            ratios = [ours.rate / theirs.rate for ours, theirs in zip(runs, script, strict=True)]
            ratio = f"{statistics.median(ratios):.1f}"

        def median(value: Callable[[Run], float]) -> float:
            return statistics.median(map(value, runs))

        self._row(
            what,
            options,
            f"{median(lambda run: run.rate):.1f}",
            ratio,
            f"{median(lambda run: 1000 / run.rate):.1f}",
            f"{median(lambda run: 1000 * run.processor / run.frames):.1f}",
            f"{median(lambda run: run.first_frame):.2f}",
            f"{median(lambda run: run.memory):.0f}",
        )

    @staticmethod
    def _row(*cells: str) -> None:
        print(f"| {' | '.join(cells)} |", flush=True)


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--photographs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runs", default=1, show_default=True, help="Runs of each command; medians count.")
@click.option("--caffe", type=click.Path(exists=True), help="Folder of the Caffe pair.")
@click.option("--opencv4", type=click.Path(exists=True), help="Folder OpenCV 4 was installed to.")
@click.option("--stages", is_flag=True, help="Time the stages of the first video, too.")
def main(
    videos: tuple[str, ...],
    photographs: Path | None,
    runs: int,
    caffe: str | None,
    opencv4: str | None,
    stages: bool,
) -> None:
    """Measures `maskdet detect` on VIDEOS, a crowd and a folder of photographs."""
    here = processor()
    extensions = " ".join(here.extensions)
    print(f"{here.cores} x {here.name} ({extensions}), Python {platform.python_version()}\n")
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        films = list(videos)
        if photographs is not None:
            crowd = place / "crowd.mp4"
            make_crowd(photographs, crowd)
            films.append(str(crowd))
        for film in films:
            script = _script(film, place, caffe, opencv4) if caffe else None
            _compare(table, film, VARIANTS, place, script, runs)
        if photographs is not None:
            _compare(table, str(photographs), PICTURE_VARIANTS, place, None, runs)
    if stages:
        print("\nmilliseconds a frame, one stage after another:")
        for stage, milliseconds in time_stages(videos[0], NetworkOptions()).items():
            print(f"  {stage:<16}{milliseconds:6.2f}")


def _script(film: str, place: Path, caffe: str, opencv4: str | None) -> Callable[[], Run]:
    """Returns what runs the usual script over a video."""
    output = ["--output", str(place / "script.avi")]
    command = [sys.executable, str(HERE / "reference.py"), film, "--caffe", caffe, *output]
    return lambda: measure(command, {"PYTHONPATH": opencv4} if opencv4 else None)


def _compare(
    table: Table,
    source: str,
    variants: tuple[tuple[tuple[str, ...], bool], ...],
    place: Path,
    script: Callable[[], Run] | None,
    runs: int,
) -> None:
    name = Path(source).name
    base = [sys.executable, "-m", "maskdet", "detect", source, "--json", "--overwrite"]
    theirs: list[Run] = []
    ours: dict[int, list[Run]] = {number: [] for number in range(len(variants))}
    for _ in range(runs):
        if script is not None:
            theirs.append(script())
        for number, (options, writes) in enumerate(variants):
            output = ["--output", str(place / "out")] if writes else ["--no-output"]
            ours[number].append(measure([*base, *options, *output]))
    if theirs:
        table.add(name, "the usual script", theirs, [])
    for number, (options, writes) in enumerate(variants):
        words = " ".join([*options, *(() if writes else ("--no-output",))])
        table.add(name, f"`{words}`" if words else "none", ours[number], theirs)


if __name__ == "__main__":
    main()
