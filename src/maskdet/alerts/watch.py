"""Tells a command or a server of a face without a mask, in the background, once a face."""

import base64
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from queue import Full, Queue
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from maskdet.alerts.options import AlertOptions
from maskdet.detections import NO_MASK_LABEL, Detections
from maskdet.media.files import printable
from maskdet.media.frames import Frame, Source

# Alerts that wait while an earlier one is delivered; more than these are dropped, and said so.
_MOST_WAITING = 16
# A track not seen for so long is forgotten, so that memory stays flat. Seconds of the source.
_FORGET_AFTER = 60.0


class Alerts:
    """Watches the followed faces and fires once for each that stays bare. A context manager.

    The frames never wait for a delivery: one thread delivers, one alert after another.

    Args:
        options: whom to tell, and when.
        log: told, a line each, of deliveries that failed.
    """

    def __init__(self, options: AlertOptions, log: Callable[[str], None]) -> None:
        self.options = options
        self._log = log
        # By source and track: when it was first seen bare, when last seen, whether it has fired.
        self._bare: dict[tuple[str, int], tuple[float, float, bool]] = {}
        self._last_alert: dict[str, float] = {}
        self._waiting: Queue[dict[str, Any] | None] = Queue(maxsize=_MOST_WAITING)
        self._thread = threading.Thread(target=self._deliver_all, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        # What is under way may finish; what still waits has until the time limit.
        try:
            self._waiting.put(None, timeout=self.options.timeout)
        except Full:
            self._log("alert: not all were delivered before the end of the run")
            return
        self._thread.join(timeout=2 * self.options.timeout + 1)

    def watch(self, source: Source, frame: Frame, detections: Detections) -> None:
        """Looks at a frame of a moving source, and queues an alert where one is due."""
        if detections.tracks is None:
            return
        now = frame.time
        records = detections.to_records()
        for number, label, record in zip(
            detections.tracks.tolist(), detections.predicted_labels, records, strict=True
        ):
            key = (source.name, number)
            if label != NO_MASK_LABEL:
                # A mask put on ends the count; taken off again it is a new occasion.
                self._bare.pop(key, None)
                continue
            since, _, fired = self._bare.get(key, (now, now, False))
            cooled = now - self._last_alert.get(source.name, -1e9) >= self.options.cooldown
            if not fired and cooled and now - since >= self.options.after:
                fired = True
                self._last_alert[source.name] = now
                self._queue(
                    {
                        "source": frame.source,
                        "frame": frame.index,
                        "time": round(now, 3),
                        "seconds_without_mask": round(now - since, 3),
                        "face": record,
                    }
                )
            self._bare[key] = (since, now, fired)
        for key in [
            key
            for key, (_, seen, _) in self._bare.items()
            if key[0] == source.name and now - seen > _FORGET_AFTER
        ]:
            del self._bare[key]

    def _queue(self, record: dict[str, Any]) -> None:
        try:
            self._waiting.put_nowait(record)
        except Full:
            self._log(f"alert: dropped, {_MOST_WAITING} others are waiting to be delivered")

    def _deliver_all(self) -> None:
        while (record := self._waiting.get()) is not None:
            data = printable(json.dumps(record, ensure_ascii=False)).encode()
            if self.options.command is not None:
                self._run(self.options.command, data)
            if self.options.webhook is not None:
                self._post(self.options.webhook, data)

    def _run(self, command: tuple[str, ...], data: bytes) -> None:
        try:
            done = subprocess.run(
                command,
                input=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=self.options.timeout,
            )
        except OSError as error:
            self._log(f"alert: {command[0]} cannot be run ({error.strerror})")
        except subprocess.TimeoutExpired:
            self._log(f"alert: {command[0]} was stopped after {self.options.timeout:g} seconds")
        else:
            if done.returncode != 0:
                self._log(f"alert: {command[0]} ended with exit code {done.returncode}")

    def _post(self, url: str, data: bytes) -> None:
        url, authorization = _without_password(url)
        headers = {"Content-Type": "application/json", "User-Agent": "maskdet"}
        try:
            request = urllib.request.Request(url, data, headers)
            if authorization is not None:
                # Not for another server that this one names.
                request.add_unredirected_header("Authorization", authorization)
            with urllib.request.urlopen(request, timeout=self.options.timeout) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            self._log(f"alert: {url} answered {error.code} {error.reason}")
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            self._log(f"alert: {url} cannot be reached ({reason})")


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
