"""What an archive costs, how it scales, and whether what is disturbed is whole again.

Each part is a line; VIDEO is a short one, of which longer ones are made without coding anew.

python benchmarks/archive.py equality VIDEO…   pieces against one pass over each video
python benchmarks/archive.py speed VIDEO…      24 copies, against `detect --no-output --json`
python benchmarks/archive.py pieces VIDEO      a long film on two workers, against one pass in one
python benchmarks/archive.py nodes VIDEO…      how evenly simulated machines share the work
python benchmarks/archive.py cost VIDEO…       core-hours an hour of video
python benchmarks/archive.py inventory VIDEO   the driver's memory over 10,000 films of two frames
python benchmarks/archive.py disturbed VIDEO   20 runs in which the driver or a worker is killed

--count takes fewer copies, films or runs, --seconds a shorter long film.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from archive_disturbed import disturbed
from archive_films import copies, enlarge, loop
from archive_runs import Run, archived, detected, start_of_ray
from maskdet.archive.cluster import prepare
from maskdet.archive.crews import RayCrew
from maskdet.archive.cutting import Piece, cut_video
from maskdet.archive.inventory import Entry
from maskdet.archive.joining import Joiner
from maskdet.archive.looking import Facts, look_at
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.run import begin
from maskdet.archive.study import Study
from maskdet.archive.tasks import Failure, Outcome, Task
from maskdet.archive.worker import Worker
from maskdet.summaries import MIN_SIGHTINGS
from maskdet.vision.networks import load_detector

COPIES, RUNS, FILES, NODES = 24, 20, 10_000, 3
# Seconds: of pieces and of what they warm up with, where equality is measured; of the long film.
PIECE, WARM_UP, LONG = 6.0, 3.0, 720.0
# Minutes into which the long film is cut: four pieces, two for each worker.
LONG_PIECE = 3.0


def equality(videos: list[Path], folder: Path) -> None:
    """Prints the share of faces and labels that pieces and one pass have in common, and people."""
    detector, options = load_detector(WorkOptions().networks, lanes=1), WorkOptions()
    short = WorkOptions(piece_seconds=PIECE, warm_up=WARM_UP)
    path = folder / "piece.parquet"
    for video in videos:
        # Long enough to be cut.
        film = loop(video, folder / video.name, seconds=2.5 * PIECE)
        entry, rows = Entry(str(film)), []
        look_at(entry, Piece(), detector, options, path)
        whole = pq.read_table(path).to_pylist()
        joiner = Joiner(str(film), detector.labels, None, follows=True)
        pieces = cut_video(str(film), short)
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


def speed(videos: list[Path], folder: Path, count: int) -> None:
    """Prints the time for copies of the videos, beside that of `detect` on their folder."""
    films = copies(videos, folder, count)
    ray = start_of_ray()
    today = detected(films, folder / "all.jsonl")
    run = archived(folder / "study", films)
    print(f"{count} copies, {run.video:.0f} s of video; Ray starts and ends in {ray:.1f} s")
    print(f"detect   {today.seconds:7.1f} s  {today.processor:7.1f} s of processor")
    print(f"archive  {run.seconds - ray:7.1f} s  {run.processor:7.1f} s of processor, without Ray")
    print(
        f"{today.seconds / (run.seconds - ray):.2f} times as fast, with Ray's start "
        f"{today.seconds / run.seconds:.2f} times"
    )


def pieces(video: Path, folder: Path, seconds: float) -> None:
    """Prints the time for one film in pieces on two workers, and in one pass in one."""
    film = loop(video, folder / "long.mp4", seconds=seconds)
    one = archived(folder / "one", film, "--workers", 1, "--piece", 1e6)
    minutes = LONG_PIECE * seconds / LONG
    two = archived(folder / "two", film, "--workers", 2, "--piece", minutes)
    for name, run in (("one pass", one), (f"{two.pieces} pieces", two)):
        print(f"{name:9} {run.span:7.1f} s  {run.processor:7.1f} s of processor")
    print(f"{one.video:.0f} s of video: {one.span / two.span:.2f} times as fast")


class _Noting(Worker):
    """A worker that notes on which node it looked at what."""

    def do(self, task: Task) -> Outcome | Failure:
        import ray

        start = time.perf_counter()
        outcome = super().do(task)
        node = ray.get_runtime_context().get_node_id()
        frames = outcome.frames if isinstance(outcome, Outcome) else 0
        note = f"{node} {time.perf_counter() - start} {frames}\n"
        with Path(self._store.root, f"notes-{os.getpid()}.txt").open("a") as file:
            file.write(note)
        return outcome


def nodes(videos: list[Path], folder: Path, count: int) -> None:
    """Prints the seconds of work of each of a few simulated machines of one core."""
    prepare()
    import ray
    from ray.cluster_utils import Cluster

    films = copies(videos, folder, count)
    room = {"object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **room})
    for _ in range(NODES - 1):
        cluster.add_node(num_cpus=1, **room)
    ray.init(address=cluster.address, log_to_driver=False)

    def make_crew(_: int, root: str, study: Study) -> RayCrew:
        return RayCrew(NODES, root, study, print, _Noting)

    options = ArchiveOptions((str(films),), str(folder / "study"))
    begin(options, log=print, progress=_silent, make_crew=make_crew)
    ray.shutdown()
    cluster.shutdown()
    work: dict[str, list[float]] = {}
    for path in (folder / "study").glob("notes-*.txt"):
        for line in path.read_text().splitlines():
            node, taken, seen = line.split()
            entry = work.setdefault(node, [0.0, 0.0])
            entry[0], entry[1] = entry[0] + float(taken), entry[1] + int(seen)
    even = sum(seconds for seconds, _ in work.values()) / NODES
    for number, (seconds, frames) in enumerate(work.values()):
        print(f"node {number}: {seconds:.1f} s of work, {frames:.0f} frames, {seconds / even:.1%}")
    worst = max(abs(seconds / even - 1) for seconds, _ in work.values())
    print(f"{len(work)} of {NODES} nodes; at most {worst:.1%} from evenly")


class _silent:  # noqa: N801 - a progress that shows nothing, as a context
    def __enter__(self) -> Any:
        return lambda _, __: None

    def __exit__(self, *_: object) -> None: ...


def cost(videos: list[Path], folder: Path) -> None:
    """Prints how long a core is busy with an hour of video: all frames, one in five, key frames."""
    print(f"{'video':28} {'size':>9} {'every frame':>12} {'one in five':>12} {'key frames':>11}")
    ways = (WorkOptions(), WorkOptions(every=5), WorkOptions(key_frames=True))
    detector = load_detector(ways[0].networks, lanes=1)
    large = enlarge(videos[0], folder / f"large-{videos[0].stem}.mp4", 1920, 1080)
    for number, video in enumerate([*videos, large]):
        film = loop(video, folder / f"{number}.mp4", seconds=10.0)
        # Networks at the sizes that it asks for are made once a worker.
        _look(film, ways[0], detector, folder)
        hours = []
        for way in ways:
            facts = _look(film, way, detector, folder)
            hours.append(facts.processor_seconds / facts.video_seconds)
        size = _size(film)
        print(f"{video.name:28} {size:>9} {hours[0]:12.3f} {hours[1]:12.3f} {hours[2]:11.3f}")


def _look(film: Path, way: WorkOptions, detector: Any, folder: Path) -> Facts:
    return look_at(Entry(str(film)), Piece(), detector, way, folder / "piece.parquet")


def _size(film: Path) -> str:
    import av

    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        return f"{stream.width}x{stream.height}"


def inventory(video: Path, folder: Path, count: int) -> None:
    """Prints the memory of the driver over a whole run on very many films of two frames."""
    films = folder / "films"
    first = loop(video, films / "00000.mp4", seconds=0, frames=2)
    for number in range(1, count):
        shutil.copy(first, films / f"{number:05d}.mp4")
    run: Run = archived(folder / "study", films, "--face-size", 320, watch_memory=True)
    marks = [run.memory[len(run.memory) * at // 8] >> 20 for at in range(8)]
    print(f"{count} films in {run.seconds:.0f} s; resident: {', '.join(map(str, marks))} MB")
    print(f"peak {max(run.memory) >> 20} MB; {run.pieces} rows in pieces/")


def main() -> None:
    """Runs one of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("equality", "speed", "pieces", "nodes", "cost", "inventory", "disturbed")
    parser.add_argument("what", choices=parts)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float, default=LONG)
    given = parser.parse_args()
    videos, count = given.videos, given.count
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        {
            "equality": lambda: equality(videos, folder),
            "speed": lambda: speed(videos, folder, count or COPIES),
            "pieces": lambda: pieces(videos[0], folder, given.seconds),
            "nodes": lambda: nodes(videos, folder, count or COPIES),
            "cost": lambda: cost(videos, folder),
            "inventory": lambda: inventory(videos[0], folder, count or FILES),
            "disturbed": lambda: disturbed(videos[0], folder, count or RUNS),
        }[given.what]()
    print(f"{given.what}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
