"""Pictures from pipes and servers that stall, break off or never begin."""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source, open_sources


class SnapshotServer:
    """A camera that sends a picture over HTTP and ends as it likes."""

    def __init__(self, picture: bytes) -> None:
        self.picture = picture
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.stopped = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self.stopped.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        """Answers ``/<ending>/<part>/snap``: how the answer ends, how much of the picture comes."""
        _, ending, part, _ = connection.recv(65536).split()[1].decode().split("/")
        sent = {"whole": self.picture, "half": self.picture[: len(self.picture) // 2]}[part]
        head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
        if ending == "length":
            head += f"Content-Length: {2 * len(self.picture)}\r\n"
        if ending == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            sent = f"{2 * len(self.picture):x}\r\n".encode() + sent
        connection.sendall(f"{head}\r\n".encode() + sent)
        if ending == "reset":
            time.sleep(0.2)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if ending == "silence":
            self.stopped.wait(10)
        connection.close()


@pytest.fixture
def server(samples: Path) -> Iterator[SnapshotServer]:
    """A camera with a picture of 400x600 pixels."""
    server = SnapshotServer((samples / "coffee.jpg").read_bytes())
    yield server
    server.close()


@pytest.mark.parametrize("name", ["snap", "snap.jpg"])
@pytest.mark.parametrize("ending", ["nothing", "length", "chunked", "reset", "silence"])
def test_a_snapshot_is_decided_by_the_picture(
    server: SnapshotServer, ending: str, name: str
) -> None:
    """However an answer ends: a whole picture is one, half of one is an error in one line."""
    options = ReadOptions(timeout=1)
    source = open_source(f"{server.address}/{ending}/whole/{name}", options)
    (frame,) = source
    assert frame.image.shape[:2] == (400, 600)
    assert source.failures == []
    port = server.address.rsplit(":", 1)[1]
    assert frame.source == f"127.0.0.1-{port}-{ending}-whole-snap.jpg"
    half = open_source(f"gate={server.address}/{ending}/half/{name}", options)
    # FFmpeg 8 takes chunks that break off for the end: then the picture says that it is cut.
    reason = r"^gate: (.*, before a picture was whole|gate\.jpg: is cut short .*)$"
    with pytest.raises(SourceError, match=reason):
        list(half)


def test_a_named_pipe_is_read_like_standard_input(samples: Path, tmp_path: Path) -> None:
    """It waits for its writer, takes several pictures, and ends with the writer."""
    pipe = tmp_path / "gate.jpg"
    os.mkfifo(pipe)
    source = open_source(str(pipe))
    picture = (samples / "coffee.jpg").read_bytes()
    writer = threading.Timer(0.3, lambda: pipe.write_bytes(picture * 2))
    writer.start()
    frames = list(source)
    writer.join()
    assert [frame.source for frame in frames] == ["gate.jpg", "gate-1.jpg"]


def test_what_comes_is_no_larger_than_the_limit(
    server: SnapshotServer, samples: Path, tmp_path: Path
) -> None:
    """A picture from a pipe or a server is refused by its header, as a file is."""
    limit = ReadOptions(timeout=1, max_pixels=400 * 600 - 1)
    with pytest.raises(SourceError, match="has 600x400 pixels, more than"):
        list(open_source(f"{server.address}/nothing/whole/snap.jpg", limit))
    os.mkfifo(tmp_path / "gate.jpg")
    source = open_source(str(tmp_path / "gate.jpg"), limit)
    picture = (samples / "coffee.jpg").read_bytes()
    writer = threading.Timer(0.1, lambda: (tmp_path / "gate.jpg").write_bytes(picture))
    writer.start()
    with pytest.raises(SourceError, match="has 600x400 pixels, more than"):
        list(source)
    writer.join()


def test_a_pipe_that_nobody_writes_to_can_be_left(tmp_path: Path) -> None:
    """The run's stop ends the wait."""
    os.mkfifo(tmp_path / "gate.jpg")
    stop = threading.Event()
    source = open_source(str(tmp_path / "gate.jpg"), ReadOptions(stop=stop))
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    with pytest.raises(SourceError, match="has no pictures"):
        list(source)
    assert time.monotonic() - start < 2


def test_folders_pass_over_what_is_no_regular_file(samples: Path, tmp_path: Path) -> None:
    """Pipes and sockets named like pictures are told and left out; links to pictures are read."""
    os.mkfifo(tmp_path / "pipe.jpg")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tmp_path / "socket.mp4"))
    (tmp_path / "link.jpg").symlink_to(samples / "coffee.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    lines: list[str] = []
    (source,) = open_sources([str(tmp_path)], ReadOptions(log=lines.append))
    bound.close()
    assert [Path(frame.source).name for frame in source] == ["link.jpg"]
    assert [Path(line.split(":")[0]).name for line in lines] == ["pipe.jpg", "socket.mp4"]
    assert ["gone.jpg: no such file" in failure for failure in source.failures] == [True]
    with pytest.raises(SourceError, match="is no file, but a socket"):
        open_source(str(tmp_path / "socket.mp4"))
