"""Ways out: a webhook that carries the picture, mail by Apprise, and their secrets."""

import base64
import email
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from maskdet.alerts.channels import DeliveryError
from maskdet.errors import OptionError
from maskdet.serve.site.settings import NotificationSettings
from maskdet.serve.telling.channels import ways_of

RECORD = {"id": "a", "camera": "door", "label": "without_mask", "text": "door: 1 person"}


@contextmanager
def post_office() -> Iterator[tuple[int, list[str]]]:
    """Takes mail over SMTP; gives its port and what was sent."""
    mails: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    mails.append(b"".join(lines).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Session) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def web_office() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Takes JSON over HTTP; gives its port and what was sent."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, got
        finally:
            server.shutdown()
            thread.join()


def test_a_webhook_gets_the_picture(tmp_path: Path) -> None:
    """The picture is in the record; no path of this machine is."""
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8jpeg")
    with web_office() as (port, got):
        settings = NotificationSettings(webhook=f"http://127.0.0.1:{port}/alert")
        (way,) = ways_of(settings, None)
        way.channel.deliver({**RECORD, "snapshot": str(tmp_path / "a.jpg")})
    assert base64.b64decode(got[0]["snapshot_jpeg"]) == b"\xff\xd8jpeg"
    assert got[0]["snapshot"] is None
    assert str(tmp_path) not in json.dumps(got)


def test_mail_has_the_text_and_the_picture(tmp_path: Path) -> None:
    """Apprise sends a mail with the sentence and the snapshot attached."""
    pytest.importorskip("apprise", reason="needs the extra serve")
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0jpeg")
    with post_office() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=maskdet@example.org&to=custodian@example.org"
        (way,) = ways_of(NotificationSettings(apprise=(url,)), None)
        way.channel.deliver({**RECORD, "snapshot": str(picture)})
    (text,) = mails
    mail = email.message_from_string(text)
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk()}
    assert mail["Subject"] == "maskdet: door"
    assert any(part and b"door: 1 person" in part for part in parts.values())
    assert picture.read_bytes() in parts.values()


def test_what_does_not_arrive_is_an_error_without_secrets() -> None:
    """A post office that is closed is to be tried again; no address is said."""
    pytest.importorskip("apprise", reason="needs the extra serve")
    url = "mailto://me:hunter2@127.0.0.1:9?from=maskdet@example.org&to=x@example.org"
    (way,) = ways_of(NotificationSettings(apprise=(url,)), None)
    with pytest.raises(DeliveryError, match="mailto:// cannot be told") as refused:
        way.channel.deliver({**RECORD, "snapshot": None})
    assert not refused.value.is_final
    assert "hunter2" not in str(refused.value) + way.key


def test_an_address_that_apprise_does_not_know_is_refused() -> None:
    """It is said before anything is watched, and not what stands in it."""
    pytest.importorskip("apprise", reason="needs the extra serve")
    with pytest.raises(OptionError, match="knows no such address") as refused:
        ways_of(NotificationSettings(apprise=("nosuch://hunter2",)), None)
    assert "hunter2" not in str(refused.value)


def test_channels_have_the_same_names_after_a_restart() -> None:
    """The queue on disk finds its channel again, whatever the order of addresses."""
    pytest.importorskip("apprise", reason="needs the extra serve")
    one, other = "json://localhost/1", "json://localhost/2"
    first = ways_of(NotificationSettings(apprise=(one, other)), None)
    second = ways_of(NotificationSettings(apprise=(other, one)), None)
    assert [way.key for way in first] == [way.key for way in reversed(second)]
