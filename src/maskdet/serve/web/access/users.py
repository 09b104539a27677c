"""The users file: who may log in, with passwords hashed by scrypt (RFC 7914), as JSON.

    {"anna": "scrypt:32768:8:3:SALT:HASH"}

Salt and hash are in base64. The file is read again when it changes, so that a user who is taken out
of it is out at once.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import MaskdetError
from maskdet.files.documents import read_json
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
        found = _scrypt(password, self.cost, self.block, self.parallel, self.salt, len(self.digest))
        return hmac.compare_digest(found, self.digest)

    def text(self) -> str:
        """Returns it as it stands in the file."""
        salt, digest = (base64.b64encode(data).decode() for data in (self.salt, self.digest))
        return f"scrypt:{self.cost}:{self.block}:{self.parallel}:{salt}:{digest}"


# Of nobody's password: a name that does not exist is looked at for as long as one that does.
_NOBODY = PasswordHash(_COST, _BLOCK, _PARALLEL, bytes(_SALT), bytes(_HASH))


class Users:
    """The users of a file, read again when it changes. Safe to be asked from several threads.

    Args:
        path: the file; it need not be there, as long as nobody has to log in.

    Raises:
        UsersError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._version = _version_of(path)
        self._hashes = {} if self._version is None else read_users(path)
        # Once there is a log-in, a file that is lost does not open the page to everybody.
        self._is_asked = self._version is not None

    @property
    def is_asked(self) -> bool:
        """Whether one has to log in: as soon as there is a file, whoever it names."""
        self.current()
        return self._is_asked

    def current(self) -> dict[str, PasswordHash]:
        """Returns who may log in now. A file that has become unreadable leaves nobody in."""
        with self._lock:
            version = _version_of(self._path)
            if version != self._version:
                self._version = version
                self._is_asked = self._is_asked or version is not None
                try:
                    self._hashes = {} if version is None else read_users(self._path)
                except UsersError:
                    self._hashes = {}
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
    content = {one: hashed.text() for one, hashed in users.items()}
    with replacing(path) as temporary:
        temporary.unlink(missing_ok=True)
        temporary.touch(0o600)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
    return is_new


def read_users(path: Path) -> dict[str, PasswordHash]:
    """Reads a users file: name to hash.

    Raises:
        UsersError: it is missing, cannot be read, or is none of ours.
    """
    found = read_json(path, UsersError)
    users: dict[str, PasswordHash] = {}
    for name, text in found.items() if isinstance(found, dict) else [("", None)]:
        hashed = _parsed(text) if isinstance(text, str) else None
        if hashed is None or not _NAME.fullmatch(name):
            # What stands there may be a password that somebody wrote in by hand.
            raise UsersError(f"{path}: is not a users file as maskdet serve --add-user writes it")
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


def _scrypt(password: str, cost: int, block: int, parallel: int, salt: bytes, length: int) -> bytes:
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


def _version_of(path: Path) -> tuple[int, int, int] | None:
    """Returns what changes with a file, ``None`` where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        # It is there, and whoever may not read it does not let anybody in.
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
