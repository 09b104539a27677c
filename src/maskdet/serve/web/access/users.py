"""The users file: who may log in, with passwords hashed by scrypt (RFC 7914), one user a line.

    anna:scrypt:32768:8:1:SALT:HASH

Salt and hash are in base64. The file is read again when it changes, so that a user who is taken out
of it is out at once.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import MaskdetError
from maskdet.files.text_files import read_text
from maskdet.media.files import replacing

# What OWASP advises for scrypt with 32 MB: N = 2^15, r = 8, p = 3. About 0.3 s a log-in.
_COST, _BLOCK, _PARALLEL = 2**15, 8, 3
_SALT, _HASH = 16, 32  # bytes
# A file that somebody else wrote must not ask for all memory: 128 * N * r bytes at most. Bytes.
_MOST_MEMORY = 256 * 2**20

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024  # characters; NIST SP 800-63B, section 5.1.1.2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class UsersError(MaskdetError):
    """A users file, a name or a password that will not do."""


@dataclass(frozen=True)
class PasswordHash:
    """A password as it is kept.

    Attributes:
        cost: scrypt's N.
        block: its r.
        parallel: its p.
        salt: random bytes.
        digest: what scrypt made of the password.
    """

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "PasswordHash":
        """Hashes a new password, with a salt of its own."""
        salt = secrets.token_bytes(_SALT)
        digest = _scrypt(password, _COST, _BLOCK, _PARALLEL, salt, _HASH)
        return cls(_COST, _BLOCK, _PARALLEL, salt, digest)

    def matches(self, password: str) -> bool:
        """Tells whether this was the password; takes as long where it was not."""
        found = _scrypt(
            password, self.cost, self.block, self.parallel, self.salt, len(self.digest)
        )
        return hmac.compare_digest(found, self.digest)

    def line(self, name: str) -> str:
        """Returns the line of the file that says it."""
        salt, digest = (base64.b64encode(data).decode() for data in (self.salt, self.digest))
        return f"{name}:scrypt:{self.cost}:{self.block}:{self.parallel}:{salt}:{digest}"


# Of nobody's password: a name that does not exist is looked at for as long as one that does.
_NOBODY = PasswordHash(_COST, _BLOCK, _PARALLEL, bytes(_SALT), bytes(_HASH))


class Users:
    """The users of a file, read again when it changes. Safe to be asked from several threads.

    Args:
        path: the file; ``None`` for no users, as without a log-in.

    Raises:
        UsersError: the file is missing or damaged.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._version: tuple[int, int, int] | None = None
        self._hashes: dict[str, PasswordHash] = {}
        if path is not None:
            self._version = _version_of(path)
            self._hashes = read_users(path)

    @property
    def has_file(self) -> bool:
        """Whether one has to log in; also where the file names nobody, or nobody any more."""
        return self._path is not None

    def current(self) -> dict[str, PasswordHash]:
        """Returns who may log in now. A file that has become unreadable leaves nobody in."""
        if self._path is None:
            return {}
        with self._lock:
            try:
                version = _version_of(self._path)
                if version != self._version:
                    self._hashes, self._version = read_users(self._path), version
            except UsersError:
                self._hashes, self._version = {}, None
            return self._hashes

    def check(self, name: str, password: str) -> bool:
        """Tells whether a name and a password belong together. Takes a third of a second."""
        found = self.current().get(name)
        matches = (found or _NOBODY).matches(password[:LONGEST_PASSWORD])
        return matches and found is not None


def add_user(path: Path, name: str, password: str) -> bool:
    """Enters a user into a file, which is made if need be, readable by its owner alone.

    Args:
        path: the users file.
        name: letters, digits and ``. _ @ -``.
        password: at least `SHORTEST_PASSWORD` characters.

    Returns:
        Whether the name is new; else its password has been changed.

    Raises:
        UsersError: the name or the password will not do, or the file there is damaged.
        OutputError: it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsersError(
            f"{name!r}: a user's name is up to 64 letters, digits and . _ @ -, a letter or digit "
            "first"
        )
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsersError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if password.casefold() == name.casefold():
        raise UsersError("a password must not be the name")
    users = read_users(path) if path.exists() else {}
    is_new = name not in users
    users[name] = PasswordHash.of(password)
    with replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.writelines(hashed.line(one) + "\n" for one, hashed in users.items())
            file.flush()
            os.fsync(file.fileno())
    return is_new


def read_users(path: Path) -> dict[str, PasswordHash]:
    """Reads a users file: name to hash. Empty lines and those after a ``#`` say nothing.

    Raises:
        UsersError: it is missing, cannot be read, or has a line that is none of ours.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise UsersError(f"{path}: no such file; maskdet serve --add-user makes it") from None
    except OSError as error:
        raise UsersError(f"{path}: cannot be read ({error.strerror})") from None
    users: dict[str, PasswordHash] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        hashed = _parsed(rest)
        if hashed is None or not _NAME.fullmatch(name) or name in users:
            # What stands there may be a password that somebody wrote in by hand.
            raise UsersError(
                f"{path}: line {number} is not a user; maskdet serve --add-user writes them"
            )
        users[name] = hashed
    return users


def _parsed(text: str) -> PasswordHash | None:
    words = text.split(":")
    if len(words) != 6 or words[0] != "scrypt":
        return None
    try:
        cost, block, parallel = (int(word) for word in words[1:4])
        salt, digest = (base64.b64decode(word, validate=True) for word in words[4:])
    except (ValueError, binascii.Error):
        return None
    is_power = cost > 1 and cost & (cost - 1) == 0
    in_bounds = block > 0 and 0 < parallel <= 16 and 128 * cost * block <= _MOST_MEMORY
    if not (is_power and in_bounds and len(salt) >= 8 and 16 <= len(digest) <= 64):
        return None
    return PasswordHash(cost, block, parallel, salt, digest)


def _scrypt(
    password: str, cost: int, block: int, parallel: int, salt: bytes, length: int
) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=cost,
        r=block,
        p=parallel,
        # What is needed is a little more than 128 * N * r.
        maxmem=2 * _MOST_MEMORY,
        dklen=length,
    )


def _version_of(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise UsersError(
                f"{path}: no such file; maskdet serve --add-user makes it"
            ) from None
        raise UsersError(f"{path}: cannot be read ({error.strerror})") from None
    return found.st_mtime_ns, found.st_size, found.st_ino
