"""Who sends a request: by the session's cookie, or by name and password in its header."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from maskdet.serve.web.access.sessions import Session, Sessions
from maskdet.serve.web.access.throttle import Throttle, network_of
from maskdet.serve.web.access.users import PasswordHash, Users

COOKIE, SECURE_COOKIE = "maskdet_session", "__Host-maskdet_session"
# Programs that send name and password with each request are believed for as long as both stay the
# same; so many of them are remembered.
_MOST_KNOWN = 100
# A whole office behind one address must not be locked out by one of its names, nor a name by one
# address: failures are counted by both, by name more patiently.
_FREE_BY_NAME = 20
# Log-ins that are being looked at or wait to be. Each takes 32 MB and a third of a second.
_MOST_CHECKS = 8


class WaitError(Exception):
    """Too many attempts; `seconds` says when the next one is heard."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many attempts; wait {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Visitor:
    """Who sends a request.

    Attributes:
        user: the name; ``None`` where there is no log-in.
        session: of a browser; ``None`` for programs, and where there is no log-in.
        token: the session's cookie.
    """

    user: str | None = None
    session: Session | None = None
    token: str | None = None


class Identity:
    """Finds out who sends a request, and lets people log in.

    Args:
        users: who may.
        sessions: of those who have.
        by_address: slows down guessing from one address.
        by_name: slows down guessing of one name.
    """

    def __init__(
        self,
        users: Users,
        sessions: Sessions | None = None,
        by_address: Throttle | None = None,
        by_name: Throttle | None = None,
    ) -> None:
        self.users = users
        self.sessions = sessions or Sessions(users)
        self._by_address = by_address or Throttle()
        self._by_name = by_name or Throttle(_FREE_BY_NAME)
        self._secret = secrets.token_bytes(32)
        self._known: dict[bytes, PasswordHash] = {}
        self._checks = 0
        self._one_check = asyncio.Lock()

    @property
    def is_asked(self) -> bool:
        """Whether one has to log in."""
        return self.users.is_asked

    async def visitor(self, request: HTTPConnection) -> Visitor | None:
        """Returns who sends a request, ``None`` if that is not known.

        Raises:
            WaitError: a name and a password came too often that were wrong.
        """
        if not self.is_asked:
            return Visitor()
        token = request.cookies.get(cookie_name(request))
        session = self.sessions.find(token)
        if session is not None:
            return Visitor(session.user, session, token)
        return await self._by_header(request)

    async def log_in(self, request: HTTPConnection, name: str, password: str) -> bool:
        """Tells whether a name and a password belong together, and counts failures.

        Raises:
            WaitError: of this address or this name there were too many, or too many wait.
        """
        address = network_of(request.client.host if request.client else "")
        wait = max(self._by_address.wait(address), self._by_name.wait(name))
        if wait > 0:
            raise WaitError(max(1.0, wait))
        if self._checks >= _MOST_CHECKS:
            raise WaitError(2.0)
        self._checks += 1
        try:
            # One after another: memory and processors belong to the cameras.
            async with self._one_check:
                is_right = await asyncio.to_thread(self.users.check, name, password)
        finally:
            self._checks -= 1
        if is_right:
            self._by_address.succeed(address)
            self._by_name.succeed(name)
        else:
            self._by_address.fail(address)
            self._by_name.fail(name)
        return is_right

    def is_still(self, visitor: Visitor) -> bool:
        """Tells whether who began to watch a stream may go on."""
        if not self.is_asked:
            return True
        if visitor.session is not None:
            return self.sessions.find(visitor.token) is visitor.session
        return visitor.user in self.users.current()

    async def _by_header(self, request: HTTPConnection) -> Visitor | None:
        given = _basic(request.headers.get("authorization", ""))
        if given is None:
            return None
        name, password = given
        word = f"{name}:{password}".encode("utf-8", "surrogatepass")
        key = hmac.digest(self._secret, word, hashlib.sha256)
        current = self.users.current().get(name)
        if current is not None and self._known.get(key) == current:
            return Visitor(name)
        if not await self.log_in(request, name, password):
            return None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if current is not None:
            self._known[key] = current
        return Visitor(name)


def cookie_name(request: HTTPConnection) -> str:
    """Returns the name of the session's cookie, which over TLS says that no other host set it."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def _basic(header: str) -> tuple[str, str] | None:
    """Returns name and password of an ``Authorization: Basic`` header (RFC 7617)."""
    scheme, _, word = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(word.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None
