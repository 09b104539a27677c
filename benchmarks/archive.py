"""What an archive costs, and whether its pieces are one pass: equality, memory, disturbed runs.

python benchmarks/archive.py equality VIDEO…   pieces against one pass over each video
python benchmarks/archive.py inventory VIDEO   memory of the driver over 10,000 files
python benchmarks/archive.py disturbed VIDEO   20 runs killed at random, gone on with
python benchmarks/archive.py speed VIDEO…      24 copies, against `detect --no-output --json`
python benchmarks/archive.py pieces VIDEO      a long video on two workers, against one pass
"""

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from maskdet.archive.cutting import Piece, cut_video
from maskdet.archive.finding import find_files
from maskdet.archive.inventory import Entry, write_inventory
from maskdet.archive.joining import Joiner
from maskdet.archive.looking import look_at
from maskdet.archive.options import WorkOptions
from maskdet.archive.places import Store
from maskdet.summaries import MIN_SIGHTINGS
from maskdet.vision.networks import load_detector

COPIES, RUNS, FILES = 24, 20, 10_000
PIECE, WARM_UP = 6.0, 3.0


def equality(videos: list[Path], folder: Path) -> None:
    """Prints the share of faces and labels that pieces and one pass have in common, and people."""
    detector, options = load_detector(WorkOptions().networks), WorkOptions()
    short = WorkOptions(piece_seconds=PIECE, warm_up=WARM_UP)
    path = folder / "piece.parquet"
    for video in videos:
        entry, rows = Entry(str(video)), []
        look_at(entry, Piece(), detector, options, path)
        whole = pq.read_table(path).to_pylist()
        joiner = Joiner(str(video), detector.labels, None, follows=True)
        pieces = cut_video(str(video), short)
        for piece in pieces:
            look_at(entry, piece, detector, short, path)
            table = pq.read_table(path)
            own = table["own"].to_numpy()
            for faces, _ in joiner.join(table.filter(~own), [table.filter(own)]):
                rows += faces.to_pylist()
        found = {_box(row): row["label"] for row in rows}
        expected = {_box(row): row["label"] for row in whole}
        both = found.keys() & expected.keys()
        labels = sum(found[box] == expected[box] for box in both)
        sightings: dict[int, int] = {}
        for row in whole:
            sightings[row["track"]] = sightings.get(row["track"], 0) + 1
        people = sum(count >= MIN_SIGHTINGS for count in sightings.values())
        joined = sum(row["person"] for row in joiner.tracks().to_pylist())
        print(
            f"{video.name}: {len(pieces)} pieces, {len(expected)} faces in one pass, "
            f"{len(expected.keys() - found.keys())} missing, "
            f"{len(found.keys() - expected.keys())} more, "
            f"labels alike {labels / max(1, len(both)):.4%}, people {people} and {joined}"
        )


def _box(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("frame", "time", "left", "top", "right", "bottom", "face_score")
    return tuple(row[name] for name in names)


def inventory(video: Path, folder: Path) -> None:
    """Prints the memory of a process that lists and looks into many small files."""
    films = folder / "films"
    films.mkdir()
    (films / "0.mp4").write_bytes(video.read_bytes())
    for number in range(1, FILES):
        os.link(films / "0.mp4", films / f"{number}.mp4")
    start = time.perf_counter()

    def told(count: int) -> None:
        if count % 2048 == 0 or count == FILES:
            now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            print(f"{count} files, {time.perf_counter() - start:.1f} s, {now >> 20} MB")

    write_inventory(Store(str(folder / "study")), 0, find_files((str(films),), print), 10**9, told)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def _archive(*words: object, wait: bool = True) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "maskdet", "archive", *map(str, words), "--quiet"],
        start_new_session=True,
    )
    if wait and process.wait():
        raise SystemExit(f"maskdet archive {words}: failed")
    return process


def _table(study: Path, name: str) -> list[str]:
    rows = pq.read_table(study / name).to_pylist()
    for row in rows:
        for changing in ("seconds", "finished", "attempts"):
            row.pop(changing, None)
    return sorted(json.dumps(row, default=str) for row in rows)


def disturbed(video: Path, folder: Path) -> None:
    """Kills runs at random moments, goes on with them, and compares the tables with a whole run."""
    films, random_ = folder / "films", random.Random(0)
    films.mkdir()
    for number in range(6):
        shutil.copy(video, films / f"{number}.mp4")
    words = (films, "--workers", 2, "--piece", 0.1, "--face-size", 320)
    whole = folder / "whole"
    start = time.perf_counter()
    _archive(*words, "--output", whole)
    seconds = time.perf_counter() - start
    wrong = kills = 0
    for run in range(RUNS):
        study = folder / f"study-{run}"
        process = _archive(*words, "--output", study, wait=False)
        for _ in range(3):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random_.uniform(0.1, 0.9) * seconds)
                break
            # The driver alone: what it started is to notice.
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            again = ("--output", study) if not (study / "study.json").exists() else None
            process = (
                _archive("--resume", study, wait=False)
                if again is None
                else _archive(*words, *again, wait=False)
            )
        process.wait()
        different = [
            name
            for name in ("faces", "tracks", "pieces")
            if _table(study, name) != _table(whole, name)
        ]
        wrong += bool(different)
        print(f"run {run}: {'different: ' + ', '.join(different) if different else 'equal'}")
    print(f"{RUNS} runs, {kills} kills, {wrong} with rows lost or doubled")


def _pieces_seconds(study: Path) -> tuple[float, float, float]:
    """Returns the seconds from the first begin to the last end, of work, and of video."""
    rows = [row for row in pq.read_table(study / "pieces").to_pylist() if row["reason"] is None]
    ends = [row["finished"].timestamp() for row in rows]
    begins = [end - row["seconds"] for end, row in zip(ends, rows, strict=True)]
    return (
        max(ends) - min(begins),
        sum(row["seconds"] for row in rows),
        sum(row["video_seconds"] for row in rows),
    )


def speed(videos: list[Path], folder: Path) -> None:
    """Prints the time for copies of the videos, beside that of `detect` on their folder."""
    films = folder / "films"
    films.mkdir()
    for number in range(COPIES):
        video = videos[number % len(videos)]
        shutil.copy(video, films / f"{number:02d}{video.suffix}")
    words = [sys.executable, "-m", "maskdet", "detect", films, "--no-output", "--quiet"]
    start = time.perf_counter()
    subprocess.run([*map(str, words), "--json", str(folder / "all.jsonl")], check=True)
    today = time.perf_counter() - start
    _archive(films, "--output", folder / "study", "--piece", 0.5)
    spent, work, length = _pieces_seconds(folder / "study")
    print(
        f"detect {today:.1f} s, archive {spent:.1f} s without Ray's start: "
        f"{today / spent:.2f} times as fast; {work / length:.2f} worker hours an hour of video"
    )


def pieces(video: Path, folder: Path) -> None:
    """Prints the time for one video in pieces on two workers, and whole in one."""
    spent = {}
    for name, more in (
        ("one pass", ("--workers", 1, "--piece", 1e6)),
        ("pieces", ("--workers", 2)),
    ):
        study = folder / name.replace(" ", "-")
        _archive(video, "--output", study, *more)
        spent[name], work, length = _pieces_seconds(study)
        print(f"{name}: {spent[name]:.1f} s for {length:.0f} s of video, {work:.1f} s of work")
    print(f"{spent['one pass'] / spent['pieces']:.2f} times as fast")


def main() -> None:
    """Runs one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["equality", "inventory", "disturbed", "speed", "pieces"])
    parser.add_argument("videos", nargs="+", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.what in ("equality", "speed"):
            {"equality": equality, "speed": speed}[given.what](given.videos, folder)
        else:
            programs = {"inventory": inventory, "disturbed": disturbed, "pieces": pieces}
            programs[given.what](given.videos[0], folder)


if __name__ == "__main__":
    main()
