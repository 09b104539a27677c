"""A camera of the network for the tests: an endless stream of one picture over HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Seconds between two pictures.
_PAUSE = 0.05


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Sends the picture until the server ends."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        picture = self.server.picture  # type: ignore[attr-defined]
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        try:
            while not self.server.stopping:  # type: ignore[attr-defined]
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(_PAUSE)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving(picture: Path, port: int = 0) -> Iterator[str]:
    """Serves a JPEG picture on loopback; gives the address of its stream."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.picture, server.stopping = picture.read_bytes(), False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/door"
    finally:
        server.stopping = True  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()
