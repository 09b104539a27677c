"""The ways out of an alert: a command, a webhook, and whatever else has these methods."""

import base64
import json
import os
import signal
import string
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException, InvalidURL
from typing import IO, Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from maskdet.alerts.options import AlertOptions
from maskdet.media.files import printable

# A command that overruns is asked to end, and after this made to. Seconds.
_LAST_WORDS = 0.5
# Answers that mean "later", unlike all others from 400 to 499.
_LATER = frozenset({408, 429})
_MOVED = frozenset({301, 302, 303, 307, 308})


class DeliveryError(Exception):
    """An alert that was not delivered. The message says where and why.

    Args:
        message: for people.
        is_final: whether trying again is of no use.
        wait: seconds for which the receiver asks to be left alone.
    """

    def __init__(self, message: str, *, is_final: bool = False, wait: float = 0.0) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.wait = wait


class Channel(Protocol):
    """A way to tell somebody. Called from one thread, but for `close`.

    Attributes:
        name: what messages call it, without passwords and keys.
    """

    name: str

    def deliver(self, record: dict[str, Any]) -> None:
        """Delivers one alert, in a limited time.

        Args:
            record: JSON-ready; see `maskdet.alerts.watch.Watch.alerts`.

        Raises:
            DeliveryError: it did not arrive, or nobody knows whether it did.
        """
        ...

    def close(self) -> None:
        """Gives up, from another thread, what is under way."""
        ...


def channels_of(options: AlertOptions) -> list[Channel]:
    """Returns the channels that were asked for."""
    channels: list[Channel] = []
    if options.command is not None:
        channels.append(CommandChannel(options.command, options.timeout))
    if options.webhook is not None:
        channels.append(WebhookChannel(options.webhook, options.timeout))
    return channels


def _encoded(record: dict[str, Any]) -> bytes:
    return printable(json.dumps(record, ensure_ascii=False)).encode()


class CommandChannel:
    """A command, run without a shell, the record as a line on its standard input.

    One that overruns is ended with all that it has started.

    Args:
        command: its words.
        timeout: seconds it may take.
    """

    def __init__(self, command: tuple[str, ...], timeout: float) -> None:
        self.name = command[0]
        self._command = command
        self._timeout = timeout
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def deliver(self, record: dict[str, Any]) -> None:
        """Runs the command; see `Channel`."""
        try:
            process = self._start()
        except OSError as error:
            raise DeliveryError(f"{self.name} cannot be run ({error.strerror})") from None
        try:
            process.communicate(_encoded(record) + b"\n", timeout=self._timeout)
        except subprocess.TimeoutExpired:
            _end_group(process)
            raise DeliveryError(
                f"{self.name} was stopped after {self._timeout:g} seconds"
            ) from None
        finally:
            self._running = None
        if process.returncode != 0:
            raise DeliveryError(f"{self.name} ended with exit code {process.returncode}")

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise DeliveryError(f"{self.name} is not run any more")
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **_GROUP,
            )
            return self._running

    def close(self) -> None:
        """Ends the command that runs, and lets no other begin."""
        with self._lock:
            self._closed = True
            process = self._running
        if process is not None:
            _end_group(process)


# What a command starts stays with it in a group of its own, which can be ended as a whole.
_GROUP: dict[str, Any]
if sys.platform == "win32":
    _GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}

    def _end_group(process: subprocess.Popen[bytes]) -> None:
        """Ends a command and what it has started."""
        subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        process.wait()

else:
    _GROUP = {"start_new_session": True}

    def _end_group(process: subprocess.Popen[bytes]) -> None:
        """Ends a command and what it has started."""
        # Nobody may be left of the group; macOS says the same of those that have ended already.
        gone = suppress(ProcessLookupError, PermissionError)
        with gone:
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS)
        with gone:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: urllib would leave the record behind and take the answer for a success."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        """Lets the answer be the error that it is."""


class WebhookChannel:
    """A server that the record is POSTed to as JSON.

    Args:
        url: its address.
        timeout: seconds it may be silent.
    """

    def __init__(self, url: str, timeout: float) -> None:
        url, self._authorization = _without_password(url)
        parts = urlsplit(url)
        # As browsers do with letters that addresses cannot have.
        path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
        self._url = parts._replace(path=path, query=query).geturl()
        self._timeout = timeout
        # Of many services the path is the key.
        self.name = f"{parts.scheme}://{parts.netloc}"
        self._opener = urllib.request.build_opener(_NoRedirects)

    def deliver(self, record: dict[str, Any]) -> None:
        """Posts the record; see `Channel`."""
        headers = {"Content-Type": "application/json", "User-Agent": "maskdet"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        try:
            request = urllib.request.Request(self._url, _encoded(record), headers)
            # What the answer says besides its status concerns nobody, and may be long in coming.
            with self._opener.open(request, timeout=self._timeout):
                pass
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            # No name or number that a server could have.
            is_final = isinstance(error, InvalidURL | UnicodeError)
            message = f"{self.name} cannot be reached ({reason})"
            raise DeliveryError(message, is_final=is_final) from None

    def _refused(self, error: urllib.error.HTTPError) -> DeliveryError:
        code = error.code
        said = f"{self.name} answered {code} {error.reason}".rstrip()
        if code in _MOVED:
            return DeliveryError(f"{said}: give the address it has moved to", is_final=True)
        asked = error.headers.get("Retry-After", "")
        wait = float(asked) if asked.isascii() and asked.isdecimal() else 0.0
        return DeliveryError(said, is_final=code < 500 and code not in _LATER, wait=wait)

    def close(self) -> None:
        """Does nothing: a request ends by itself, or with the program."""


def _without_password(url: str) -> tuple[str, str | None]:
    """Returns an address without user and password, and the header that says them, if it has any.

    urllib takes them for a part of the server's name.
    """
    parts = urlsplit(url)
    login, at, server = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = login.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return parts._replace(netloc=server).geturl(), f"Basic {base64.b64encode(pair).decode()}"
