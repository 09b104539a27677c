"""`maskdet dataset fetch`, against a server of its own."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archives import made_zip
from command_line import Cli, assert_user_error
from maskdet.assets import sha256
from maskdet.dataset import catalogue, fetch
from maskdet.dataset.download import download
from maskdet.dataset.fetch import FetchOptions
from maskdet.errors import DatasetError, OutputError

CLASSES = {"data/with": "with_mask", "data/without": "without_mask"}


def silent(_: float, __: str) -> None:
    """Shows nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Serves bytes; breaks off after `cut_after` of them, where that is set.

    One that is not `honest` says of parts that they are another part.
    """

    content = b""
    cut_after: int | None = None
    honest = True
    ranges: list[str | None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the server's content, from where it is asked for."""

    server: Server

    def do_GET(self) -> None:
        """Serves the content, whole or from a byte on."""
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        if self.path == "/part":
            self.send_response(206)
            self.end_headers()
            return
        if self.path != "/set.zip":
            self.send_error(404)
            return
        if start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        if asked:
            end = len(self.server.content)
            first = start if self.server.honest else 0
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{end}")
        self.end_headers()
        self.wfile.write(body[: self.server.cut_after])

    def log_message(self, *_: Any) -> None:
        """Stays silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free port."""
    running = Server(("127.0.0.1", 0), Handler)
    running.ranges = []
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def entry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> catalogue.Entry:
    """A data set in the catalogue that the server has."""
    server.content = made_zip()
    found = catalogue.Entry(
        name="test/set",
        commit="c0" * 20,
        url=f"http://127.0.0.1:{server.server_port}/set.zip",
        sha256=None,
        licence="none stated",
        classes=CLASSES,
        counts={"with_mask": 3, "without_mask": 1},
        note="",
    )
    monkeypatch.setitem(catalogue.CATALOGUE, "test/set", found)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return found


def run(folder: Path, **given: Any) -> fetch.Fetched:
    """Fetches the fixture's data set."""
    return fetch.fetch(FetchOptions("test/set", folder, **given), show=silent)


@pytest.mark.usefixtures("entry")
def test_fetched_into_class_folders(tmp_path: Path) -> None:
    """Pictures are in class folders, other files are not, nothing stays in the cache."""
    fetched = run(tmp_path / "set")
    files = sorted(p.relative_to(tmp_path / "set").as_posix() for p in fetched.folder.rglob("*.*"))
    assert files == [*(f"with_mask/{number}.jpg" for number in range(3)), "without_mask/0.jpg"]
    assert not list((tmp_path / "cache").rglob("*.*"))


@pytest.mark.usefixtures("entry")
def test_a_broken_download_goes_on(server: Server, tmp_path: Path) -> None:
    """What came is kept and the rest asked for the next time; the folder appears only then."""
    server.cut_after = 60_000
    with pytest.raises(DatasetError, match="run the same again to go on from there"):
        run(tmp_path / "set")
    assert not (tmp_path / "set").exists()
    server.cut_after = None
    assert run(tmp_path / "set").folder.is_dir()
    assert server.ranges == [None, "bytes=60000-"]


@pytest.mark.usefixtures("entry")
def test_a_wrong_archive_is_not_kept(server: Server, tmp_path: Path) -> None:
    """A checksum that differs, counts that differ, no zip at all: one line, nothing there."""
    with pytest.raises(DatasetError, match="sha256 differs"):
        run(tmp_path / "set", sha256="0" * 64)
    server.content = made_zip(("set-abc/data/with/9.jpg", b"more"))
    with pytest.raises(DatasetError, match="has 4 with_mask, 1 without_mask, expected 3 with_mask"):
        run(tmp_path / "set")
    server.content = b"<html>Sign in</html>"
    with pytest.raises(DatasetError, match="is not a whole zip archive"):
        run(tmp_path / "set")
    server.content = made_zip()[:-3000] + bytes(3000)
    with pytest.raises(DatasetError, match="is not a whole zip archive"):
        run(tmp_path / "set")
    assert not (tmp_path / "set").exists()
    assert not list((tmp_path / "cache").rglob("*.*"))
    server.content = made_zip()
    expected = tmp_path / "expected.zip"
    expected.write_bytes(server.content)
    assert run(tmp_path / "set", sha256=sha256(expected).upper()).sha256 == sha256(expected)


@pytest.mark.usefixtures("entry")
def test_a_finished_part_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    """A part as long as the file, of which the server has no more, is not trusted."""
    part = tmp_path / "cache" / "maskdet" / "test_set.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * len(server.content))
    assert run(tmp_path / "set").folder.is_dir()
    assert server.ranges == [f"bytes={len(server.content)}-", None]


@pytest.mark.usefixtures("entry")
def test_the_commit_an_archive_states(server: Server, tmp_path: Path) -> None:
    """That of another version is refused; that of the right one, and other remarks, are not."""
    server.content = made_zip(comment=b"d1" * 20)
    with pytest.raises(DatasetError, match=r"is of commit d1d1.*, expected c0c0.*: not kept"):
        run(tmp_path / "set")
    assert not (tmp_path / "set").exists()
    for number, comment in enumerate((b"c0" * 20, b"made by hand")):
        server.content = made_zip(comment=comment)
        assert run(tmp_path / f"set{number}").folder.is_dir()


def test_a_checksum_that_is_none(tmp_path: Path, maskdet: Cli) -> None:
    """It is wrong usage, said before anything is downloaded."""
    done = maskdet("dataset", "fetch", "prajnasb/observations", "--sha256", "abc")
    assert done.returncode == 2
    assert "64 hexadecimal digits" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("entry")
def test_another_part_than_asked_for(server: Server, tmp_path: Path) -> None:
    """What the server sends in its place is not joined to what is there: all is fetched anew."""
    server.cut_after = 60_000
    with pytest.raises(DatasetError, match="broke off"):
        run(tmp_path / "set")
    server.cut_after, server.honest = None, False
    assert run(tmp_path / "set").folder.is_dir()
    assert server.ranges == [None, "bytes=60000-", None]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("path", "words"),
    [("/loop", "says 302"), ("/part", "sends a part of the file"), ("/é", "cannot be downloaded")],
)
def test_strange_servers(server: Server, tmp_path: Path, path: str, words: str) -> None:
    """One line says what happened, however many lines the library has for it."""
    with pytest.raises(DatasetError, match=words) as caught:
        run(tmp_path / "set", url=f"http://127.0.0.1:{server.server_port}{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "http://[::1", "http://a b/"])
def test_what_is_no_address(tmp_path: Path, address: str) -> None:
    """A slip in --url is told as any other failure."""
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        download(address, tmp_path / "x", expected=None, largest=1000, show=silent)


def test_no_network_and_no_server(tmp_path: Path, maskdet: Cli) -> None:
    """An unknown name, an unknown host, a closed port: one line each."""
    with pytest.raises(DatasetError, match="there are: prajnasb/observations"):
        catalogue.find_entry("no/such")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with pytest.raises(DatasetError, match=r"cannot be downloaded .*refused"):
        download(address, tmp_path / "x", expected=None, largest=1000, show=silent)
    arguments = ("dataset", "fetch", "prajnasb/observations", "--url", "http://no-host.invalid/")
    done = maskdet(*arguments, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert_user_error(done, "cannot be downloaded")
    assert not (tmp_path / "dataset").exists()


@pytest.mark.usefixtures("entry")
def test_a_missing_file_and_a_taken_folder(server: Server, tmp_path: Path) -> None:
    """The server's answer is told; a folder in use is refused before anything is downloaded."""
    with pytest.raises(DatasetError, match="the server says 404"):
        run(tmp_path / "set", url=f"http://127.0.0.1:{server.server_port}/gone.zip")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").write_text("x")
    server.ranges.clear()
    with pytest.raises(OutputError, match="not empty"):
        run(tmp_path / "set")
    assert server.ranges == []
