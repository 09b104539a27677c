"""Cameras and streams: newest frame only, reconnection, servers that misbehave."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import SourceError
from maskdet.media.inputs import live
from maskdet.media.inputs.live import LiveSource
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.video import VideoSource
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sources import open_source

JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 180, np.uint8))[1].tobytes()

# Opened once, and given up if it is not there.
ONCE = ReadOptions(timeout=2, reconnect=0)


class Scripted:
    """A feed that plays pictures of given levels, then breaks or ends."""

    frame_rate, has_sound = 30.0, False

    def __init__(self, levels: list[int], error: str | None = None, pause: float = 0.01) -> None:
        self.levels, self.error, self.pause, self.closed = levels, error, pause, False

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for level in self.levels:
            time.sleep(self.pause)
            yield np.full((4, 4, 3), level, np.uint8)
        if self.error:
            raise SourceError(self.error)

    def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects after hundredths of a second instead of seconds."""
    monkeypatch.setattr(live, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(live, "LONGEST_WAIT", 0.1)


def test_a_slow_consumer_gets_the_newest_frame() -> None:
    """Frames are skipped, never queued: each one taken is about as new as can be."""
    source = LiveSource("camera", "camera 0", Scripted(list(range(100))), list, reconnect=0)
    seen = []
    for frame in source:
        seen.append(int(frame.image[0, 0, 0]))
        time.sleep(0.1)
    assert len(seen) < 40
    assert seen == sorted(set(seen))
    assert seen[-1] >= 90


def test_reconnects_and_says_so() -> None:
    """A feed that breaks is opened again; one line for the loss, one for the return."""
    lines: list[str] = []
    feeds = [Scripted([1, 2], "cable pulled"), Scripted([3, 4])]
    first, again = Scripted([0], "cable pulled"), iter(feeds)
    source = LiveSource("stream", "door", first, lambda: next(again), reconnect=2, log=lines.append)
    levels = []
    for frame in source:
        levels.append(int(frame.image[0, 0, 0]))
        if len(levels) == 5:
            break
    assert levels == [0, 1, 2, 3, 4]
    assert first.closed
    assert feeds[0].closed
    assert sum("cable pulled; opening it again" in line for line in lines) == 2
    assert lines.count("door: is back") == 2


def test_frames_say_when_they_were_taken() -> None:
    """By the clock on the wall, with its zone; one that waits grows no younger."""
    source = LiveSource("camera", "camera 0", Scripted([1, 2, 3]), list, reconnect=0)
    before = datetime.now(UTC)
    first = next(iter(source))
    time.sleep(0.1)
    assert first.wall_time is not None
    assert first.wall_time.utcoffset() is not None
    assert before <= first.wall_time <= before + timedelta(seconds=1)


def test_gives_up_after_the_asked_number_of_attempts() -> None:
    """--reconnect 2: two attempts that fail, then the end with a failure noted."""
    attempts: list[int] = []

    def refuse() -> Scripted:
        attempts.append(1)
        raise SourceError("door: connection refused")

    source = LiveSource("stream", "door", Scripted([7], "reset"), refuse, reconnect=2)
    assert len(list(source)) == 1
    assert len(attempts) == 2
    assert source.failures == ["door: lost (connection refused)"]


def test_a_feed_that_comes_late() -> None:
    """What is not there at the start is tried like one that was lost, and joins when it comes."""
    lines: list[str] = []
    tries = iter([SourceError("refused"), SourceError("refused"), Scripted([1, 2])])

    def open_feed() -> Scripted:
        feed = next(tries)
        if isinstance(feed, SourceError):
            raise feed
        return feed

    source = LiveSource("stream", "door", None, open_feed, log=lines.append)
    assert not source.is_open
    frames = iter(source)
    assert next(frames).image[0, 0, 0] in (1, 2)
    frames.close()  # type: ignore[attr-defined]
    assert source.is_open
    assert [line.split(" in ")[0] for line in lines[:2]] == ["door: refused; opening it again"] * 2
    assert lines[2] == "door: is there"


def test_a_feed_that_never_comes() -> None:
    """--reconnect 2 gives it three tries in all; the reason is the error."""
    attempts: list[int] = []

    def refuse() -> Scripted:
        attempts.append(1)
        raise SourceError("door: connection refused")

    source = LiveSource("stream", "door", None, refuse, reconnect=2)
    with pytest.raises(SourceError, match=r"^door: connection refused$"):
        list(source)
    assert len(attempts) == 3
    assert source.failures == []


def test_a_feed_that_stays_away_is_not_spoken_of_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the waits grow every attempt is said, then the state; a new reason is news."""
    monkeypatch.setattr(live, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(live, "LONGEST_WAIT", 0.002)
    lines: list[str] = []
    reasons = ["refused"] * 30 + ["no route"] * 10

    def refuse() -> Scripted:
        raise SourceError(reasons.pop(0))

    source = LiveSource("stream", "door", None, refuse, reconnect=39, log=lines.append)
    with pytest.raises(SourceError, match="no route"):
        list(source)
    assert lines == [
        "door: refused; opening it again in 0.0 s",
        "door: refused; opening it again every 0.002 s",
        "door: no route; opening it again every 0.002 s",
    ]


def test_one_lost_source_does_not_stop_the_others() -> None:
    """Sources share what stops a run; one of them ending is not that."""
    stop = threading.Event()
    source = LiveSource("stream", "door", Scripted([7]), list, reconnect=0, stop=stop)
    assert len(list(source)) == 1
    assert not stop.is_set()


def test_stopping_ends_the_wait_for_a_lost_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C does not wait for the next attempt to open a camera."""
    monkeypatch.setattr(live, "FIRST_WAIT", 30)
    monkeypatch.setattr(live, "LONGEST_WAIT", 30)
    stop = threading.Event()
    source = LiveSource("stream", "door", Scripted([7]), lambda: Scripted([8]), stop=stop)
    frames = iter(source)
    next(frames)
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - start < 2


def test_a_fault_of_the_program_is_not_swallowed() -> None:
    """What goes wrong in the reading thread is raised where the frames are taken."""

    class Faulty(Scripted):
        def __iter__(self) -> Iterator[NDArray[np.uint8]]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(LiveSource("stream", "door", Faulty([]), list))


def test_passwords_are_not_repeated() -> None:
    """Records, messages and file names carry an address without its user and password."""
    with serving() as address:
        url = address.replace("//", "//me:sec@ret@") + "/stream"
        source = open_source(url, ReadOptions(timeout=2))
        assert source.name == f"{address}/stream"
    with pytest.raises(SourceError, match=r"^rtsp://127\.0\.0\.1:9/door: cannot be opened"):
        list(open_source("rtsp://me:secret@127.0.0.1:9/door", ONCE))


def test_a_feed_without_a_frame_is_an_error() -> None:
    """A camera that opens but gives nothing is not an empty success."""
    source = LiveSource(
        "camera", "camera 0", Scripted([], "gives empty pictures"), list, reconnect=0
    )
    with pytest.raises(SourceError, match="gives no pictures"):
        list(source)


def test_a_camera_that_is_off_for_a_night(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait stays a number however often opening was tried."""
    monkeypatch.setattr(live, "FIRST_WAIT", 0.0)
    attempts: list[int] = []

    def refuse() -> Scripted:
        attempts.append(1)
        raise SourceError("no such device")

    source = LiveSource("camera", "camera 0", Scripted([7]), refuse, reconnect=1100)
    assert len(list(source)) == 1
    assert len(attempts) == 1100


def test_stopping_before_the_first_frame_blames_nobody() -> None:
    """Ctrl-C while a camera starts: no error, and nothing is opened again."""
    stop, lines = threading.Event(), list[str]()

    class Stopping(Scripted):
        def __iter__(self) -> Iterator[NDArray[np.uint8]]:
            stop.set()
            raise SourceError("interrupted")

    source = LiveSource("camera", "camera 0", Stopping([]), list, log=lines.append, stop=stop)
    assert list(source) == []
    assert lines == source.failures == []


class Handler(BaseHTTPRequestHandler):
    """Serves an endless MJPEG stream, a stream of garbage, and silence."""

    def do_GET(self) -> None:
        """Answers by the path asked for."""
        self.send_response(200)
        if self.path == "/garbage":
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            self.wfile.write(np.random.default_rng(0).bytes(200_000))
            return
        if self.path == "/file":
            data = Path(self.server.file).read_bytes()  # type: ignore[attr-defined]
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        if self.path == "/silent":
            time.sleep(3)
            return
        try:
            while not self.server.stopping:  # type: ignore[attr-defined]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(JPEG)}\r\n\r\n"
                self.wfile.write(head.encode() + JPEG + b"\r\n")
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Comes back at once on the port it had."""

    allow_reuse_address = True
    daemon_threads = True
    stopping = False
    file: Path | None = None


@contextmanager
def serving(port: int = 0, file: Path | None = None) -> Iterator[str]:
    """Runs the server on loopback; gives its address."""
    server = Server(("127.0.0.1", port), Handler)
    server.file = file
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stopping = True
        server.shutdown()
        server.server_close()
        thread.join()


def test_stream_survives_its_server_being_killed_and_restarted() -> None:
    """A real MJPEG server goes away in the middle and comes back."""
    lines: list[str] = []
    with serving() as address:
        port = int(address.rsplit(":", 1)[1])
        source = open_source(f"{address}/stream", ReadOptions(timeout=2, log=lines.append))
        assert source.kind == "stream"
        frames = iter(source)
        assert next(frames).image.shape == (48, 64, 3)
    # The server is gone: take what is left until the loss is noticed.
    deadline = time.monotonic() + 10
    taker = threading.Thread(target=lambda: [next(frames) for _ in range(3)])
    while not any("opening it again" in line for line in lines):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with serving(port):
        taker.start()
        taker.join(timeout=10)
        assert not taker.is_alive()
        assert any("is back" in line for line in lines)
        frames.close()  # type: ignore[attr-defined]


def test_url_that_never_answers() -> None:
    """A server that accepts and says nothing is given up after the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"did not answer within 0\.5 seconds"):
            list(open_source(f"http://127.0.0.1:{port}/", ReadOptions(timeout=0.5, reconnect=0)))
        assert time.monotonic() - start < 5


def test_urls_that_cannot_be_video() -> None:
    """Nobody listening, garbage, a scheme nobody knows: one clear line each."""
    with serving() as address, pytest.raises(SourceError, match="cannot be opened"):
        list(open_source(f"{address}/garbage", ONCE))
    with pytest.raises(SourceError, match="cannot be opened"):
        list(open_source("http://127.0.0.1:9/", ONCE))
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source("http://127.0.0.1:9/door.mp4", ReadOptions(timeout=2))
    # By this name cameras give their stream, which may come.
    assert open_source("http://127.0.0.1:9/mjpg/video.mjpg", ONCE).kind == "stream"
    with pytest.raises(SourceError, match="gopher is not one of"):
        open_source("gopher://127.0.0.1/a.mp4")


def test_files_on_a_server_lose_no_frame(samples: Path, tmp_path: Path) -> None:
    """A video over http is a video, every frame of it; a picture is a picture."""
    with VideoWriter(tmp_path / "a.mkv", 10) as video:
        for level in range(0, 250, 10):
            video.write(np.full((48, 64, 3), level, np.uint8))
    with serving(file=tmp_path / "a.mkv") as address:
        source = open_source(f"{address}/file", ReadOptions(timeout=5))
        assert isinstance(source, VideoSource)
        assert len(list(source)) == 25
    with serving(file=samples / "coffee.jpg") as address:
        source = open_source(f"{address}/file", ReadOptions(timeout=5))
        (frame,) = source
        assert frame.image.shape == (400, 600, 3)
    # Frames without a container have no duration; the server says how many bytes there are.
    (tmp_path / "raw.mjpeg").write_bytes(JPEG * 12)
    with serving(file=tmp_path / "raw.mjpeg") as address:
        source = open_source(f"{address}/file", ReadOptions(timeout=5))
        assert isinstance(source, VideoSource)
        assert len(list(source)) == 12
