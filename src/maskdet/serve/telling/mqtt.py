"""A broker that is told: the states and counts of cameras, retained, and alerts as they come."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from maskdet.alerts.channels import DeliveryError
from maskdet.extras import require
from maskdet.serve.site.settings import MqttSettings
from maskdet.serve.telling.topics import OFFLINE, ONLINE, Topics

# At least once: an alert's id tells a second time from another one.
_QOS = 1
# Between two attempts to connect. Seconds.
_FIRST_WAIT, _LONGEST_WAIT = 1, 60
_KEEP_ALIVE = 30
# For so long the broker's word for a farewell is waited for. Seconds.
_FAREWELL = 0.5


class Broker:
    """A connection to a broker, taken up again for ever. A channel of alerts, too.

    Args:
        settings: which broker, and under which topics.
        timeout: for how long an alert's arrival is waited for, in seconds.
        log: told when the connection is lost and found.
    """

    def __init__(self, settings: MqttSettings, timeout: float, log: Callable[[str], None]) -> None:
        require("serve", "notifications.mqtt")
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.name = f"mqtt://{settings.host}:{settings.port}"
        self.topics = Topics(settings)
        self._settings = settings
        self._timeout = timeout
        self._log = log
        self._is_connected = threading.Event()
        self._said = ""
        # What every topic holds: said again to a broker that has lost it.
        self._retained: dict[str, str] = {}
        self._lock = threading.Lock()
        client = Client(CallbackAPIVersion.VERSION2)
        if settings.user is not None:
            client.username_pw_set(settings.user, settings.password)
        if settings.tls:
            client.tls_set()
        client.will_set(self.topics.status, OFFLINE, _QOS, retain=True)
        client.reconnect_delay_set(_FIRST_WAIT, _LONGEST_WAIT)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_connect_fail = self._failed
        self._client = client

    def start(self) -> None:
        """Connects in the background."""
        # Its thread takes up the connection again; this one only begins.
        self._client.connect_async(self._settings.host, self._settings.port, _KEEP_ALIVE)
        self._client.loop_start()

    def wait_connected(self, timeout: float) -> bool:
        """Waits for the connection; tells whether it is there."""
        return self._is_connected.wait(timeout)

    def introduce(self, cameras: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Tells Home Assistant of the cameras, by name and labels."""
        for camera, labels in cameras:
            for topic, text in self.topics.discovery(camera, labels).items():
                self._retain(topic, text)

    def show(self, camera: str, state: str, now: dict[str, int], today: dict[str, int]) -> None:
        """Tells how a camera is, if it has changed."""
        self._retain(self.topics.of(camera, "state"), state)
        counts = json.dumps({"now": now, "today": today}, sort_keys=True)
        self._retain(self.topics.of(camera, "counts"), counts)

    def deliver(self, record: dict[str, Any]) -> None:
        """Publishes an alert and its picture; see `maskdet.alerts.channels.Channel`."""
        if not self._is_connected.is_set():
            raise DeliveryError(f"{self.name} cannot be reached")
        camera = record["camera"]
        picture = record.get("snapshot")
        text = json.dumps({**record, "snapshot": None}, ensure_ascii=False)
        if picture and Path(picture).is_file():
            # The newest one: whoever comes later wants to see it, too.
            self._publish(self.topics.of(camera, "snapshot"), Path(picture).read_bytes(), keep=True)
        self._publish(self.topics.of(camera, "alert"), text, keep=False)

    def close(self) -> None:
        """Says farewell and ends the connection."""
        if self._is_connected.is_set():
            sent = self._client.publish(self.topics.status, OFFLINE, _QOS, retain=True)
            try:
                sent.wait_for_publish(_FAREWELL)
            except (RuntimeError, ValueError):
                self._log(f"{self.name}: was not told of the end")
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, topic: str, payload: str | bytes, *, keep: bool) -> None:
        sent = self._client.publish(topic, payload, _QOS, retain=keep)
        try:
            sent.wait_for_publish(self._timeout)
            arrived = sent.is_published()
        except (RuntimeError, ValueError):
            arrived = False
        if not arrived:
            raise DeliveryError(f"{self.name} does not answer")

    def _retain(self, topic: str, text: str) -> None:
        with self._lock:
            if self._retained.get(topic) == text:
                return
            self._retained[topic] = text
        if self._is_connected.is_set():
            self._client.publish(topic, text, _QOS, retain=True)

    # From the client's thread.

    def _connected(self, client: Any, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._say(f"{self.name}: refuses the connection ({reason})")
            return
        self._is_connected.set()
        if self._said:
            self._log(f"{self.name}: is there again")
            self._said = ""
        client.publish(self.topics.status, ONLINE, _QOS, retain=True)
        with self._lock:
            retained = dict(self._retained)
        for topic, text in retained.items():
            client.publish(topic, text, _QOS, retain=True)

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        was_connected = self._is_connected.is_set()
        # First: what is handed to the client now would be sent twice, by it and by who tries again.
        self._is_connected.clear()
        if was_connected and reason.is_failure:
            self._say(f"{self.name}: is lost ({reason})")

    def _failed(self, _: Any, __: Any) -> None:
        self._say(f"{self.name}: cannot be reached")

    def _say(self, problem: str) -> None:
        if problem != self._said:
            self._said = problem
            self._log(problem)
