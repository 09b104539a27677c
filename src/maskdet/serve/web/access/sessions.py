"""Sessions of those who have logged in, kept in memory: after a restart one logs in again.

The cookie holds a random word of 256 bits; what is kept is its hash, so that nobody can log in with
what a memory dump shows. A session ends by logging out, by its age, when it is not used, and with
its user's password.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from maskdet.serve.web.access.users import PasswordHash, Users

_HOUR = 3600.0
_DAY = 24 * _HOUR


@dataclass
class Session:
    """Somebody who has logged in.

    Attributes:
        user: the name.
        password: what the password's hash was then: another one ends the session.
        csrf: the word that requests which change something must carry in a header.
        since: when it began; seconds, as the clock tells.
        used: when a request came last.
    """

    user: str
    password: PasswordHash
    csrf: str
    since: float
    used: float


class Sessions:
    """All sessions. Safe to be asked from several threads.

    Args:
        users: who may log in.
        unused: for how long a session may go unused. Seconds.
        longest: how long it lasts in all. Seconds.
        most: number of sessions; a further one ends the one that was unused for longest.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        users: Users,
        unused: float = 3 * _DAY,
        longest: float = 30 * _DAY,
        most: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._unused, self._longest, self._most = unused, longest, most
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    @property
    def longest(self) -> float:
        """How long a session lasts at most. Seconds."""
        return self._longest

    def begin(self, user: str) -> tuple[str, Session] | None:
        """Begins a session: the word for the cookie, and the session; ``None`` without the user."""
        password = self._users.current().get(user)
        if password is None:
            return None
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(user, password, secrets.token_urlsafe(32), now, now)
        with self._lock:
            if len(self._sessions) >= self._most:
                del self._sessions[min(self._sessions, key=lambda one: self._sessions[one].used)]
            self._sessions[_key(token)] = session
        return token, session

    def find(self, token: str | None) -> Session | None:
        """Returns the session of a cookie, if it still lasts, and notes that it is used."""
        if not token:
            return None
        key, now = _key(token), self._clock()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if not self._lasts(session, now):
                del self._sessions[key]
                return None
            session.used = now
            return session

    def end(self, token: str) -> None:
        """Ends the session of a cookie, if there is one."""
        with self._lock:
            self._sessions.pop(_key(token), None)

    def _lasts(self, session: Session, now: float) -> bool:
        if now - session.used > self._unused or now - session.since > self._longest:
            return False
        return self._users.current().get(session.user) == session.password


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
