"""The server on a real socket: streams, TLS, its end."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskdet.errors import MaskdetError
from maskdet.serve.web.running import PageServer
from serve_site import DOOR, PASSWORD, USER, Shop, add_cheap_user

pytestmark = pytest.mark.server

# Till something is given up that should have come at once. Seconds.
PATIENCE = 20


@pytest.fixture
def serving(shop: Shop) -> Callable[..., Any]:
    """Serves a shop at a free port."""

    @contextmanager
    def serve(**settings: Any) -> Iterator[PageServer]:
        with PageServer(shop.hub, replace(shop.site.server, port=0, **settings)) as server:
            yield server

    return serve


def port_of(server: PageServer) -> int:
    """Returns the port that a server has been given."""
    return int(server.address.rstrip("/").rpartition(":")[2])


def asked(
    server: PageServer, method: str, path: str, body: bytes | None = None, **headers: str
) -> http.client.HTTPResponse:
    """Sends a request and returns the beginning of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    return connection.getresponse()


def test_streams_end_with_the_server(serving: Callable[..., Any], shop: Shop) -> None:
    """However many look on: pictures, numbers and a page's stream are ended, and its thread."""
    paths = "/api/cameras/Front%20door/live.mjpeg", "/api/live", "/api/pictures?camera=Front%20door"
    with serving() as server, shop.running():
        streams = [asked(server, "GET", path) for path in paths]
        for stream in streams:
            assert stream.status == 200
            assert len(stream.read(200)) == 200
        before = {thread.name for thread in threading.enumerate()}
        assert "page" in before
        server.stop()
        for stream in streams:
            # To its end, which comes.
            try:
                while stream.read(65536):
                    pass
            except http.client.IncompleteRead:
                pass
        assert "page" not in {thread.name for thread in threading.enumerate()}
        with pytest.raises(ConnectionRefusedError):
            asked(server, "GET", "/healthz")


def test_logging_out_ends_what_was_open(serving: Callable[..., Any], shop: Shop) -> None:
    """A picture that somebody still looks at after logging out would be one too many."""
    add_cheap_user(shop.site.server.users)
    with serving() as server, shop.running():
        given = json.dumps({"name": USER, "password": PASSWORD}).encode()
        answer = asked(server, "POST", "/api/login", given, content_type="application/json")
        cookie = answer.headers["set-cookie"].partition(";")[0]
        word = json.load(answer)["csrf"]
        stream = asked(server, "GET", "/api/cameras/Front%20door/live.mjpeg", cookie=cookie)
        assert stream.read(10)
        out = asked(server, "POST", "/api/logout", cookie=cookie, x_csrf_token=word)
        assert out.status == 204
        while stream.read(65536):
            pass


def test_a_viewer_who_takes_nothing_holds_up_nobody(
    serving: Callable[..., Any], shop: Shop
) -> None:
    """Somebody's connection is full; the next one sees what is new, all the same."""
    with serving() as server, shop.running():
        stuck = socket.create_connection(("127.0.0.1", port_of(server)), timeout=PATIENCE)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(
            b"GET /api/cameras/Front%20door/live.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        stream = asked(server, "GET", "/api/pictures?camera=Front%20door&rate=60")
        numbers = set()
        while len(numbers) < 20:
            line, picture = (int.from_bytes(stream.read(4), "big") for _ in range(2))
            numbers.add(json.loads(stream.read(line))["frame"])
            stream.read(picture)
        stuck.close()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../access/users.py",
        "/static/..%2f..%2fapp.py",
        "/../../../etc/passwd",
        "/static//etc/passwd",
        "/login/../api/cameras",
        "/static/%2e%2e/%2e%2e/api/cameras",
        "/api/login/../cameras",
        "//127.0.0.1/api/cameras",
        "http://127.0.0.1/api/cameras",
    ],
)
def test_paths_are_taken_as_they_are(serving: Callable[..., Any], shop: Shop, path: str) -> None:
    """Nothing that a client leaves to the server to make sense of opens a file, or a route."""
    add_cheap_user(shop.site.server.users)
    with serving() as server:
        answer = asked(server, "GET", path)
        assert answer.status in (303, 401, 404)
        text = answer.read().decode()
        assert "import" not in text
        assert DOOR not in text


def test_a_port_that_is_taken_is_named(serving: Callable[..., Any], shop: Shop) -> None:
    """Before anything else begins."""
    with serving() as server:
        port = port_of(server)
        with pytest.raises(MaskdetError, match=rf"127\.0\.0\.1:{port}"):
            PageServer(shop.hub, replace(shop.site.server, port=port))


def test_it_speaks_tls(serving: Callable[..., Any], shop: Shop, tmp_path: Path) -> None:
    """With a certificate of one's own, over which the cookie is a secure one."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, to make a certificate")
    certificate, key = tmp_path / "page.pem", tmp_path / "page.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    add_cheap_user(shop.site.server.users)
    with serving(certificate=certificate, key=key) as server:
        assert server.address.startswith("https://")
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection(
            "localhost", port_of(server), timeout=PATIENCE, context=context
        )
        given = json.dumps({"name": USER, "password": PASSWORD})
        connection.request("POST", "/api/login", given, {"content-type": "application/json"})
        cookie = connection.getresponse().headers["set-cookie"]
        assert cookie.startswith("__Host-maskdet_session=")
        assert "Secure" in cookie
