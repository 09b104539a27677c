"""The command on a real Ray: on this machine, and on nodes that come and go."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli, assert_user_error
from maskdet.archive.cluster import prepare
from maskdet.archive.crews import RayCrew
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.run import Tally, begin
from maskdet.archive.study import Study
from maskdet.archive.worker import Worker
from maskdet.extras import missing
from maskdet.media.inputs.video import VideoSource
from square_films import OwnCrew, no_bar, write_film

pytestmark = [
    pytest.mark.skipif(bool(missing("archive")), reason="needs the extra archive"),
    pytest.mark.server,
]
SHORT = WorkOptions(piece_seconds=5, warm_up=2)
TESTS = str(Path(__file__).parents[1])


def square_worker(killer: str = "", flag: Path | None = None) -> type[Worker]:
    """Makes a worker that finds squares, and dies of one file; Ray takes it as it is.

    Args:
        killer: a part of that file's name.
        flag: written when a piece is begun.
    """

    class SquareWorker(Worker):
        def begin(self) -> None:
            pass

        def _networks(self) -> Any:
            sys.path.insert(0, TESTS)
            from square_films import square_detector

            return square_detector()

        def _look(self, task: Any) -> Any:
            if killer and any(killer in task.part.entries[place].source for place, _ in task.jobs):
                os._exit(3)
            if flag is not None:
                flag.touch()
                time.sleep(1)
            return super()._look(task)

    return SquareWorker


def rows(output: Path, table: str) -> list[dict[str, Any]]:
    """Reads a table."""
    import pyarrow.parquet as pq

    return sorted(pq.read_table(output / table).to_pylist(), key=str)


def undisturbed(output: Path, films: Path) -> list[dict[str, Any]]:
    """Returns the faces of the same films, looked at in this process."""
    options = ArchiveOptions((str(films),), str(output), SHORT)
    begin(options, log=print, progress=no_bar, make_crew=OwnCrew)
    return rows(output, "faces")


def on_ray(output: Path, films: Path, size: int, worker: type[Worker]) -> Tally:
    """Sees a study through on the Ray that is there."""

    def make_crew(_: int, root: str, study: Study) -> RayCrew:
        return RayCrew(size, root, study, print, worker)

    options = ArchiveOptions((str(films),), str(output), SHORT)
    return begin(options, log=print, progress=no_bar, make_crew=make_crew)


@contextmanager
def cluster(cores: list[int]) -> Iterator[Any]:
    """A Ray of several nodes on this machine, joined."""
    prepare()
    import ray
    from ray.cluster_utils import Cluster

    node = {"include_dashboard": False, "object_store_memory": 80 << 20}
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": cores[0], **node})
    try:
        for count in cores[1:]:
            nodes.add_node(num_cpus=count, object_store_memory=80 << 20)
        ray.init(address=nodes.address, log_to_driver=False)
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


def test_workers_and_nodes_that_are_lost(tmp_path: Path) -> None:
    """A node removed in the middle, a film that kills its workers: the rest is as ever."""
    films = tmp_path / "films"
    for number in range(3):
        write_film(films / f"{number}.mp4", 110)
    expected = undisturbed(tmp_path / "whole", films)
    write_film(films / "killer.mp4", 10)
    begun = tmp_path / "begun"
    with cluster([1, 1]) as nodes:
        lost = nodes.list_all_nodes()[-1]

        def remove() -> None:
            while not begun.exists():
                time.sleep(0.05)
            nodes.remove_node(lost, allow_graceful=False)

        threading.Thread(target=remove, daemon=True).start()
        tally = on_ray(tmp_path / "study", films, 2, square_worker("killer", begun))
    assert rows(tmp_path / "study", "faces") == expected
    pieces = rows(tmp_path / "study", "pieces")
    assert [Path(row["source"]).name for row in pieces if row["reason"]] == ["killer.mp4"]
    (failure,) = tally.failures
    assert "given up after 3 attempts: its worker died" in failure


def test_the_command_from_begin_to_report(
    fresh_maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """`maskdet archive` killed in the middle, gone on with, and reported on."""
    film = tmp_path / "film.mp4"
    film.write_bytes((samples / "astronaut.mp4").read_bytes())
    command = [sys.executable, "-m", "maskdet", "archive", "film.mp4", "--output", "study"]
    process = subprocess.Popen(
        [*command, "--workers", "1"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    # It has begun: there are workers.
    assert "1 worker" in process.stderr.readline()
    process.kill()
    process.communicate()
    # Another's cluster is none of its business.
    other = {"RAY_ADDRESS": "127.0.0.1:9"}
    done = fresh_maskdet("archive", "--resume", "study", "--workers", 1, **other)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 file" in done.stdout
    faces = rows(tmp_path / "study", "faces")
    count = len(list(VideoSource(str(film))))
    assert sorted(row["frame"] for row in faces) == list(range(count))
    done = fresh_maskdet("archive", "--report", "study")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study" / "report" / "index.html").is_file()
    assert_user_error(
        fresh_maskdet("archive", "--resume", "study", "--every", 2), "was begun with every 1, not 2"
    )


def test_an_address_that_nobody_answers(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """One line, and nothing is begun; likewise where something else answers than Ray."""
    import socket

    words = ["archive", samples / "astronaut.mp4", "--output", "study", "--address"]
    # Where Ray keeps what runs: on the machine itself other tests' clusters may.
    done = maskdet(*words, "auto", RAY_TMPDIR=str(tmp_path))
    assert_user_error(done, "no Ray cluster runs on this machine")
    assert_user_error(maskdet(*words, "127.0.0.1:9"), "nobody answers")
    assert_user_error(maskdet(*words, "nonsense"), "host:port", code=2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        start = time.monotonic()
        done = maskdet(*words, f"127.0.0.1:{mute.getsockname()[1]}")
        assert_user_error(done, "Ray")
        # What the tests allow a command is more than what it may take: 20 s of a quiet machine.
        assert time.monotonic() - start < 60
    assert not (tmp_path / "study").exists()
