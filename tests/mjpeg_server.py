"""A camera of the network for the tests: a stream over HTTP of a picture as its file is then."""

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
        try:
            while not self.server.stopping:  # type: ignore[attr-defined]
                picture = self.server.picture.read_bytes()  # type: ignore[attr-defined]
                length = f"Content-Length: {len(picture)}"
                head = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(_PAUSE)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving(picture: Path, port: int = 0) -> Iterator[str]:
    """Serves a JPEG picture on loopback; gives the address of its stream.

    Args:
        picture: its file, which may be replaced by another in the meantime.
        port: where; 0 for any.
    """
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.picture, server.stopping = picture, False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/door"
    finally:
        server.stopping = True  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()
