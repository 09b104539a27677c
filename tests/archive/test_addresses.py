"""Videos and studies in an object store: moto's S3 server, which may be slow or break off."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.places import PatientFile, Store, file_system, name_of
from maskdet.archive.run import begin, resume
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
        parts: ranges of bytes that were asked for.
        read_only: whether nothing may be put.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.failing = 0
        self.parts: list[str] = []
        self.read_only = False

    def __call__(self, environment: dict[str, Any], start: Any) -> Any:
        """Answers a request."""
        wanted = environment.get("HTTP_RANGE")
        if wanted is not None:
            self.parts.append(wanted)
        if wanted is not None and self.failing > 0:
            self.failing -= 1
            start("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        if self.read_only and environment["REQUEST_METHOD"] == "PUT":
            start("403 Forbidden", [("Content-Length", "0")])
            return [b""]
        return self._application(environment, start)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Trouble]]:
    """An S3 server on this machine: its address, and what makes it fail."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    trouble = Trouble(DomainDispatcherApplication(create_backend_app))
    running = make_server("127.0.0.1", 0, trouble, threaded=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
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
    trouble.parts.clear()
    yield name, trouble
    trouble.failing, trouble.read_only = 0, False
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
