"""Videos and studies in an object store: moto's S3 server, which may be slow or break off."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maskdet.archive.cutting import cut_video
from maskdet.archive.finding import FoundFile
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.places import PatientFile, Store, file_system, name_of
from maskdet.archive.run import begin, resume
from maskdet.archive.study import Study
from maskdet.errors import MissingExtraError, OutputError, SourceError, UnreachableError
from maskdet.extras import missing
from square_films import OwnCrew, no_bar, write_film

pytestmark = [
    pytest.mark.skipif(bool(missing("archive")), reason="needs the extra archive"),
    pytest.mark.server,
]
pytest.importorskip("moto.server", reason="needs moto's server")
pytest.importorskip("s3fs", reason="needs s3fs")
SHORT = WorkOptions(piece_seconds=5, warm_up=2)


class Trouble:
    """Lets an S3 server fail: a WSGI application around it.

    Args:
        application: the server.

    Attributes:
        failing: so many requests for parts of objects are answered with an error yet.
        breaking: of so many the connection breaks off in the middle.
        delay: seconds that each part takes.
        silent: a part of the names of objects of which no byte comes any more.
        parts: ranges of bytes that were asked for.
        read_only: whether nothing may be put.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.clear()

    def clear(self) -> None:
        """Answers as the server does."""
        self.failing = self.breaking = 0
        self.delay = 0.0
        self.silent = ""
        self.parts: list[str] = []
        self.read_only = False

    def __call__(self, environment: dict[str, Any], start: Any) -> Any:
        """Answers a request."""
        wanted = environment.get("HTTP_RANGE")
        if wanted is not None:
            self.parts.append(wanted)
            time.sleep(self.delay)
            if self.silent and self.silent in environment["PATH_INFO"]:
                time.sleep(2.0)
            if self.breaking > 0:
                self.breaking -= 1
                return self._half(environment, start)
        if wanted is not None and self.failing > 0:
            self.failing -= 1
            start("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        if self.read_only and environment["REQUEST_METHOD"] == "PUT":
            start("403 Forbidden", [("Content-Length", "0")])
            return [b""]
        return self._application(environment, start)

    def _half(self, environment: dict[str, Any], start: Any) -> Iterator[bytes]:
        """Gives half of what was promised, and closes the connection."""
        data = b"".join(self._application(environment, start))
        yield data[: len(data) // 2]
        raise ConnectionAbortedError("on purpose")

    @property
    def bytes_asked(self) -> int:
        """How many bytes all ranges have together."""
        ends = (part.removeprefix("bytes=").split("-") for part in self.parts)
        return sum(int(end) - int(begin) + 1 for begin, end in ends)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Trouble]]:
    """An S3 server on this machine: its address, and what makes it fail."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    trouble = Trouble(DomainDispatcherApplication(create_backend_app))
    running = make_server("127.0.0.1", 0, trouble, threaded=True)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", trouble
    running.shutdown()


@pytest.fixture
def bucket(
    server: tuple[str, Trouble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Trouble]]:
    """A bucket with a long and a short film, and what makes its server fail."""
    import s3fs

    address, trouble = server
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    name = f"films-{tmp_path.name.replace('_', '-')}".lower()[:60].rstrip("-")
    system.mkdir(name)
    film = write_film(tmp_path / "long.mp4", 110)
    system.put_file(str(film), f"{name}/2021/long.mp4")
    system.put_file(str(write_film(tmp_path / "short.mp4", 20)), f"{name}/2021/a/short.mp4")
    system.pipe(f"{name}/2021/notes.txt", b"no video")
    trouble.clear()
    yield name, trouble
    trouble.clear()
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_study_in_a_bucket(bucket: tuple[str, Trouble], tmp_path: Path) -> None:
    """Videos are read in ranges, tables put whole, as from and to a disk; --resume adds nothing."""
    import pyarrow.parquet as pq

    name, trouble = bucket
    said: list[str] = []
    output = f"s3://{name}/study"
    options = ArchiveOptions((f"s3://{name}/2021/",), output, SHORT)
    trouble.failing = 2
    tally = begin(options, log=said.append, progress=no_bar, make_crew=OwnCrew)
    assert (tally.files_done, tally.failures) == (2, [])
    assert trouble.failing == 0
    assert trouble.parts
    store = Store(output)
    (first, *_) = store.names("faces")
    with store.opened(f"faces/{first}") as file:
        sources = set(pq.read_table(file)["source"].to_pylist())
    assert sources <= {f"s3://{name}/2021/long.mp4", f"s3://{name}/2021/a/short.mp4"}
    local = ArchiveOptions((str(tmp_path),), str(tmp_path / "study"), SHORT)
    begin(local, log=said.append, progress=no_bar, make_crew=OwnCrew)
    here = sum(pq.read_metadata(path).num_rows for path in (tmp_path / "study/faces").iterdir())
    there = 0
    for part in store.names("faces"):
        with store.opened(f"faces/{part}") as file:
            there += pq.read_metadata(file).num_rows
    assert there == here > 100
    assert resume(options, {}, log=said.append, progress=no_bar, make_crew=OwnCrew).files == 0
    assert not store.names(".work")


def test_a_slow_server_that_breaks_off(bucket: tuple[str, Trouble], tmp_path: Path) -> None:
    """Parts that come late, or in halves: the faces are those of the disk, read twice at most."""
    name, trouble = bucket
    trouble.delay, trouble.breaking, trouble.failing = 0.02, 3, 2
    options = ArchiveOptions((f"s3://{name}/2021/long.mp4",), str(tmp_path / "there"), SHORT)
    tally = begin(options, log=print, progress=no_bar, make_crew=OwnCrew)
    assert (tally.files_done, tally.failures) == (1, [])
    assert (trouble.breaking, trouble.failing) == (0, 0)
    local = ArchiveOptions((str(tmp_path / "long.mp4"),), str(tmp_path / "here"), SHORT)
    begin(local, log=print, progress=no_bar, make_crew=OwnCrew)
    assert _faces(tmp_path / "there") == _faces(tmp_path / "here")
    assert len(_faces(tmp_path / "here")) > 100


def test_a_film_that_falls_silent(
    bucket: tuple[str, Trouble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not given is a row with its reason after three attempts, till it is again."""
    import s3fs

    from maskdet.archive import places

    name, trouble = bucket
    monkeypatch.setattr(places, "_WAITS", (0.0,))
    monkeypatch.setattr(s3fs.S3FileSystem, "read_timeout", 0.1)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()

    def make_crew(size: int, root: str, study: Study) -> OwnCrew:
        # It was there when it was listed.
        trouble.silent = "short.mp4"
        return OwnCrew(size, root, study)

    options = ArchiveOptions((f"s3://{name}/2021/",), str(tmp_path / "study"), SHORT)
    said: list[str] = []
    tally = begin(options, log=said.append, progress=no_bar, make_crew=make_crew)
    (failure,) = tally.failures
    assert failure.startswith(f"s3://{name}/2021/a/short.mp4: given up after 3 attempts: ")
    assert "cannot be read on" in failure
    assert failure in said
    assert {row["source"] for row in _rows(tmp_path / "study", "faces")} == {
        f"s3://{name}/2021/long.mp4"
    }
    pieces = _rows(tmp_path / "study", "pieces")
    assert sum(row["frames"] for row in pieces if row["reason"] is None) == 110
    assert [row["attempts"] for row in pieces if row["reason"]] == [3]
    trouble.silent = ""
    options = ArchiveOptions((), str(tmp_path / "study"))
    tally = resume(options, {}, log=print, progress=no_bar, make_crew=OwnCrew)
    assert tally.failures == []
    assert sum(row["frames"] for row in _rows(tmp_path / "study", "pieces")) > 110
    assert len({row["source"] for row in _rows(tmp_path / "study", "faces")}) == 2


def test_bytes_that_are_asked_for(
    bucket: tuple[str, Trouble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a film much larger than what is asked for at a time each byte is asked for about once."""
    import s3fs

    from maskdet.archive import inventory, opening
    from maskdet.archive.reading import PieceSource

    name, trouble = bucket
    block = 64 << 10
    monkeypatch.setattr(inventory, "_BLOCK", block // 4)
    monkeypatch.setattr(opening, "BLOCK", block)
    film = write_film(tmp_path / "large.mp4", 300, codec="mpeg4", b_frames=0, noise=True)
    address = f"s3://{name}/large.mp4"
    s3fs.S3FileSystem().put_file(str(film), address)
    size = film.stat().st_size
    assert size > 20 * block
    trouble.clear()
    assert inventory.look_into(FoundFile(address), 10**9).duration == 30
    # Its begin, and what stands at its end.
    assert trouble.bytes_asked <= block + 4 * 32768
    assert len(trouble.parts) <= 4
    pieces = cut_video(address, WorkOptions(piece_seconds=15, warm_up=1))
    trouble.clear()
    for piece in pieces:
        assert sum(frame.own for frame in PieceSource(address, piece, SHORT)) == 150
    assert len(pieces) == 2
    # Besides, for each piece, begin and end of the file, and the warm-up.
    assert size < trouble.bytes_asked < 1.4 * size
    assert len(trouble.parts) < 1.4 * size / block + 8


def _rows(study: Path, table: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(study / table).to_pylist()
    return rows


def _faces(study: Path) -> list[dict[str, Any]]:
    """Returns the faces, but for where their film is."""
    rows = _rows(study, "faces")
    for row in rows:
        row["source"] = row["source"].rsplit("/", 1)[-1]
    return sorted(rows, key=str)


def test_a_bucket_that_refuses(bucket: tuple[str, Trouble]) -> None:
    """A bucket that takes nothing, that is not there, that breaks off for good: a line each."""
    name, trouble = bucket
    trouble.read_only = True
    options = ArchiveOptions((f"s3://{name}/2021/",), f"s3://{name}/study", SHORT)
    with pytest.raises(OutputError, match=f"s3://{name}/study"):
        begin(options, log=print, progress=no_bar, make_crew=OwnCrew)
    trouble.read_only = False
    options = ArchiveOptions((f"s3://{name}/none/",), f"s3://{name}/study", SHORT)
    with pytest.raises(SourceError):
        begin(options, log=print, progress=no_bar, make_crew=OwnCrew)


def test_a_server_that_breaks_off_for_good(
    bucket: tuple[str, Trouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few attempts it is a reason, not an endless wait."""
    from maskdet.archive import places

    name, _ = bucket
    monkeypatch.setattr(places, "_WAITS", (0.0,))
    file = PatientFile(f"s3://{name}/2021/long.mp4")

    def fail(_: Any) -> None:
        raise TimeoutError("silent")

    with pytest.raises(UnreachableError, match="cannot be read on"):
        file._again(fail)  # noqa: SLF001 - a server that is silent for minutes
    assert len(file.read(10)) == 10


def test_what_is_not_installed_or_unknown() -> None:
    """An address whose driver is missing says what to install."""
    with pytest.raises(MissingExtraError, match="pip install gcsfs"):
        file_system("gs://bucket/2021")
    with pytest.raises(SourceError, match="foo"):
        file_system("foo://bucket/2021")


def test_names_keep_paths_and_hide_passwords() -> None:
    """A hash in a path is no secret; a password is."""
    hashed = "s3://bucket/9f86d081884c7d659a2feaa0c55ad015/a.mp4"
    assert name_of(hashed) == hashed
    assert name_of("sftp://me:word@host/a.mp4") == "sftp://host/a.mp4"
