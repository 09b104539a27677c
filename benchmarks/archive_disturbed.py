"""Runs of `maskdet archive` that are disturbed: no row of their tables may be lost or doubled."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq

from archive_films import loop
from archive_runs import command

FILMS, SECONDS = 4, 14.0
# What differs from run to run.
CHANGING = ("seconds", "processor_seconds", "finished", "attempts")


def disturbed(video: Path, folder: Path, runs: int) -> None:
    """Kills the driver, in every second run a worker, at a random moment; compares the tables.

    A run whose driver was killed is gone on with; one whose worker was killed goes on by itself.
    """
    draw = random.Random(0)
    films = folder / "films"
    first = loop(video, films / "0.mp4", seconds=SECONDS)
    for number in range(1, FILMS):
        shutil.copy(first, films / f"{number}.mp4")
    words = ("archive", films, "--workers", 2, "--piece", 0.1, "--warm-up", 2, "--face-size", 320)
    whole = folder / "whole"
    start = time.perf_counter()
    subprocess.run(command(*words, "--output", whole), check=True)
    seconds = time.perf_counter() - start
    wrong = drivers = workers = 0
    for run in range(runs):
        study = folder / "study"
        process = subprocess.Popen(command(*words, "--output", study))
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The inventory is written, Ray starts, workers work: any of it may be hit.
            process.wait(draw.uniform(0.1, 0.95) * seconds)
        if run % 2 and (pids := _workers(process.pid)):
            os.kill(draw.choice(pids), signal.SIGKILL)
            workers += 1
        elif run % 2 == 0 and process.poll() is None:
            # The driver alone: what it has started is to notice.
            process.kill()
            process.wait()
            drivers += 1
            begun = (study / "study.json").exists()
            again = ("archive", "--resume", study) if begun else (*words, "--output", study)
            process = subprocess.Popen(command(*again))
        if process.wait():
            raise SystemExit(f"run {run}: failed")
        different = [
            name
            for name in ("faces", "tracks", "pieces", "inventory")
            if _table(study, name) != _table(whole, name)
        ]
        wrong += bool(different)
        if different:
            print(f"run {run}: different: {', '.join(different)}")
        shutil.rmtree(study)
    rows = {name: len(_table(whole, name)) for name in ("faces", "tracks", "pieces")}
    print(f"rows of the whole: {rows}")
    print(
        f"{runs} runs, {drivers} drivers and {workers} workers killed: "
        f"{wrong} with rows lost or doubled"
    )


def _table(study: Path, name: str) -> list[str]:
    rows = pq.read_table(study / name).to_pylist()
    for row in rows:
        for changing in CHANGING:
            row.pop(changing, None)
    return sorted(json.dumps(row, default=str) for row in rows)


def _workers(driver: int) -> list[int]:
    """Returns the processes below the driver in which its workers live."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(place.parent.name)] = int(place.read_text().rsplit(")", 1)[1].split()[1])
    found = []
    for pid in parents:
        at = pid
        while at in parents and at != driver:
            at = parents[at]
        with contextlib.suppress(OSError):
            if at == driver and Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::_Ac"):
                found.append(pid)
    return found
