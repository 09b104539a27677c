"""What the page's server is told: where to listen, who may log in, how much it takes in."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from maskdet.errors import MaskdetError, OptionError
from maskdet.serve.web.access.users import read_users

MEGA = 1_000_000
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class ServerError(MaskdetError):
    """A page that cannot be served as asked."""


@dataclass(frozen=True)
class UploadLimits:
    """What a posted picture may be.

    Attributes:
        size: bytes of the whole request.
        pixels: of the picture, by its header.
        scans: of a progressive JPEG: each is decoded over the whole picture.
        read_time: for a request's body to arrive. Seconds.
        answer_time: from then to the answer. Seconds.
        waiting: requests that wait for the one before them; further ones are sent away.
    """

    size: int = 20 * MEGA
    pixels: int = 50 * MEGA
    scans: int = 100
    read_time: float = 30.0
    answer_time: float = 30.0
    waiting: int = 4


@dataclass(frozen=True)
class WebSettings:
    """How the page is served.

    Attributes:
        host: address to listen on.
        port: likewise; 0 takes a free one.
        users: file with users; ``None`` for no log-in, which only this machine may have.
        certificate: PEM file of the certificate and its chain; ``None`` without TLS.
        key: PEM file of its key; ``None`` where the certificate's file holds it.
        proxies: addresses of proxies whose word on the client's address is believed.
        uploads: what a posted picture may be.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    users: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    uploads: UploadLimits = field(default_factory=UploadLimits)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        scheme = "http" if self.certificate is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/"

    def check(self) -> None:
        """Makes sure that cameras are not shown to a network that nobody has to log in from.

        Raises:
            OptionError: the address is not this machine's own, and there are no users.
            ServerError: a file of the certificate is missing.
            UsersError: the users file is missing or damaged.
        """
        users = read_users(self.users) if self.users is not None else {}
        if not users and not is_local(self.host):
            raise OptionError(
                f"{self.host}: others could see the cameras without a log-in; enter a user with "
                "--add-user NAME, or listen on 127.0.0.1"
            )
        if self.key is not None and self.certificate is None:
            raise OptionError("--key is of no use without --certificate")
        for path in (self.certificate, self.key):
            if path is not None and not path.is_file():
                raise ServerError(f"{path}: no such file")


def is_local(host: str) -> bool:
    """Tells whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOCAL_NAMES
