"""Runs of the commands for `benchmarks/archive.py`, with what they took."""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

_RAY = """
import sys
from maskdet.archive.cluster import ray_started
with ray_started(None, 2, print, dashboard=False):
    pass
"""


@dataclass
class Run:
    """What a command took.

    Attributes:
        seconds: from its start to its end.
        processor: seconds that a core was busy: of `detect` all, of `archive` the work on pieces.
        span: from the first piece's begin to the last one's end, networks loaded.
        video: seconds of video.
        pieces: rows in ``pieces/``.
        memory: bytes that the driver had resident, once a quarter of a second.
    """

    seconds: float
    processor: float
    span: float = 0.0
    video: float = 0.0
    pieces: int = 0
    memory: list[int] = field(default_factory=list)


def command(*words: object) -> list[str]:
    """Returns a command line of maskdet."""
    return [sys.executable, "-m", "maskdet", *map(str, words), "--quiet"]


def start_of_ray() -> float:
    """Returns the seconds of a process that starts Ray on this machine and ends it."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", _RAY], check=True)
    return time.perf_counter() - start


def detected(films: Path, records: Path) -> Run:
    """Runs `detect` on a folder."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command("detect", films, "--no-output", "--json", records), check=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, busy)


def archived(study: Path, films: Path, *more: object, watch_memory: bool = False) -> Run:
    """Runs `archive` into a new study."""
    start, memory = time.perf_counter(), []
    process = subprocess.Popen(command("archive", films, "--output", study, *more))
    page = resource.getpagesize()
    while watch_memory and process.poll() is None:
        memory.append(int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * page)
        time.sleep(0.25)
    if process.wait():
        raise SystemExit(f"maskdet archive {films}: failed")
    seconds = time.perf_counter() - start
    rows = pq.read_table(study / "pieces").to_pylist()
    ends = [row["finished"].timestamp() for row in rows]
    begins = [end - row["seconds"] for end, row in zip(ends, rows, strict=True)]
    return Run(
        seconds,
        sum(row["processor_seconds"] for row in rows),
        max(ends) - min(begins),
        sum(row["video_seconds"] for row in rows),
        len(rows),
        # A process that has just ended has none.
        [one for one in memory if one],
    )
