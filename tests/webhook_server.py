"""A webhook on loopback that answers as told: fails, hangs, moves away, recovers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG, HANG_LATER, GIBBERISH = "hang", "hang later", "gibberish"


class Webhook(ThreadingHTTPServer):
    """Keeps what it is sent.

    Attributes:
        script: what to answer to the next requests: a status, `HANG` instead of one, `HANG_LATER`
            with one of success, or `GIBBERISH`; 204 without further words.
        headers: sent with each answer.
        received: records that were answered with success.
        tried: all records that came, with the time each came at.
        authorization: header of the last request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[int | str] = []
        self.headers: dict[str, str] = {}
        self.received: list[dict[str, Any]] = []
        self.tried: list[tuple[float, dict[str, Any]]] = []
        self.authorization: str | None = None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        """Answers by the script."""
        server = self.server
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.tried.append((time.monotonic(), record))
            server.authorization = self.headers["Authorization"]
            answer = server.script.pop(0) if server.script else 204
        if answer == HANG:
            time.sleep(0.6)
            return
        if answer == GIBBERISH:
            self.wfile.write(b"no status line\n\n")
            return
        if answer == HANG_LATER:
            server.received.append(record)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
            self.wfile.flush()
            time.sleep(0.6)
            return
        assert isinstance(answer, int)
        if answer < 300:
            server.received.append(record)
        self.send_response(answer)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        """Is content, as any web page is: a POST that became a GET would seem delivered."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    """Serves until left."""
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
