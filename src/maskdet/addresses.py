"""Addresses on the network, and what of them may be said.

What opens a camera or a web hook stands in its address: before the ``@``, in the query, in the path
of cheap recorders (``/user=admin_password=x_channel=1``), or as one long random word. None of it
belongs in messages, records or file names, which are passed on.
"""

import re
from urllib.parse import unquote

MARK = "://"
HIDDEN = "***"

_SCHEME = re.compile(r"([A-Za-z][\w+.-]*://)")
# An address inside other text ends at a blank or a quotation mark; full stops after it are no part.
_IN_TEXT = re.compile(r"[A-Za-z][\w+.-]*://[^\s'\"<>]*[^\s'\"<>:;,.)]")
# What looks like an address whose scheme was forgotten or mistyped.
_WITHOUT_SCHEME = re.compile(r"([a-z]+:/?(?=[^/:]))?([^/\s]*:[^/]*@|\d+(\.\d+){3}\b|[\w.-]+:\d+/)")
# Words in the names of what is secret, or is half of it.
_SECRET = re.compile(
    "pass|pwd|psw|psk|user|usr|login|account|token|secret|key|auth|cred|sig|session|jwt|hash"
    "|^(u|p|pw|un|sid|code)$",
    re.IGNORECASE,
)
# A recorder joins the parts of a path by _ or a comma, and a password may hold such a sign: its
# value goes on to the next name.
_PAIR = re.compile(r"([\w.%-]+)=(.*?)(?=[_,&;][A-Za-z][A-Za-z0-9.-]*=|[&;]|$)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BOT = re.compile(r"\d{6,}:[\w-]{20,}")
# Nobody thinks of a word so long, of letters and digits mixed.
_LONG_WORD, _MIXED = 16, 3


def public_name(where: str) -> str:
    """Returns an address as it may stand in messages, records and file names.

    Args:
        where: an address; anything else, such as a path, is given back as it is.

    Returns:
        The address without user and password, with ``***`` for passwords and tokens in its path
        and query.
    """
    if MARK not in where:
        return where
    first, *parts = _SCHEME.split(where)
    # An address may hold another one: a proxy's, or one of what it is to play.
    schemes, rests = parts[::2], parts[1::2]
    return first + "".join(
        scheme + _public(rest) for scheme, rest in zip(schemes, rests, strict=True)
    )


def redacted(text: str) -> str:
    """Returns a text in which every address is as `public_name` has it."""
    if MARK not in text:
        return text
    return _IN_TEXT.sub(lambda found: public_name(found[0]), text)


def looks_like_address(text: str) -> bool:
    """Tells whether a text that is no address was probably meant as one."""
    return _WITHOUT_SCHEME.match(text) is not None


def public_mistake(text: str) -> str:
    """Returns what may be said of a text that is no path: it may be an address, mistyped."""
    if MARK in text:
        return public_name(text)
    found = _WITHOUT_SCHEME.match(text)
    if found is None:
        return text
    scheme = found[1] or ""
    return scheme + _public(text.removeprefix(scheme))


def _public(rest: str) -> str:
    """Hides the secrets of what follows an address's scheme."""
    server = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in server or _is_password(server, rest):
        end = server if "@" in server else rest
        rest = rest[end.rindex("@") + 1 :]
        server = re.split("[/?#]", rest, maxsplit=1)[0]
    path, mark, query = rest[len(server) :].partition("?")
    path = "/".join(_without_secrets(part) for part in path.split("/"))
    return server + path + mark + _without_secrets(query)


def _is_password(server: str, rest: str) -> bool:
    """Tells whether what looks like a server is user and password, with a / ? or # in it."""
    name, colon, port = server.partition(":")
    _, at, after = rest.rpartition("@")
    if not (colon and at) or name.startswith("["):
        return False
    return not port.isdecimal() or ("." not in name and re.match(r"[\w-]+\.", after) is not None)


def _without_secrets(part: str) -> str:
    """Hides the secrets among the names and values of a part of a path, or of a query."""

    def hide(pair: re.Match[str]) -> str:
        name, text = pair[1], pair[2]
        if not text:
            return pair[0]
        if _SECRET.search(unquote(name)) or _is_random(text):
            return f"{name}={HIDDEN}"
        # An address in a query has its own signs escaped.
        return f"{name}={public_name(unquote(text))}" if MARK in unquote(text) else pair[0]

    return HIDDEN if _is_random(part) else _PAIR.sub(hide, part)


def _is_random(word: str) -> bool:
    """Tells whether a word was made by a machine, as tokens are."""
    if _UUID.search(word) or _BOT.search(word):
        return True
    # Names of files hold times and numbers.
    if re.search(r"[=.&]", word):
        return False
    return any(
        len(run) >= _LONG_WORD
        and sum(sign.isdecimal() for sign in run) >= _MIXED
        and sum(sign.isalpha() for sign in run) >= _MIXED
        for run in re.split("[^A-Za-z0-9]", word)
    )
