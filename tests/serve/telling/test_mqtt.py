"""A broker that is told: a real Mosquitto, which is killed and comes back."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskdet.alerts.channels import DeliveryError
from maskdet.serve.site.settings import MqttSettings
from maskdet.serve.telling.topics import Topics, slug
from watched_cameras import wait_for

LABELS = ("with_mask", "without_mask", "mask_worn_incorrectly")
RECORD = {"id": "a", "camera": "Front door", "label": "without_mask", "text": "one person"}


def test_topics_hold_no_signs_of_their_own() -> None:
    """A camera's name becomes one part of a topic."""
    assert slug("Front door/+#") == "Front_door_"
    assert Topics(MqttSettings("x", prefix="a/b")).of("Front door", "state") == (
        "a/b/Front_door/state"
    )


def test_home_assistant_is_told_of_every_label() -> None:
    """Each camera is a device with its state, its problem, its counts and its last alert."""
    topics = Topics(MqttSettings("x"))
    told = {topic: json.loads(text) for topic, text in topics.discovery("door", LABELS).items()}
    assert len(told) == 4 + 2 * len(LABELS)
    assert len({part["unique_id"] for part in told.values()}) == len(told)
    assert {part["availability_topic"] for part in told.values()} == {"maskdet/status"}
    today = told["homeassistant/sensor/maskdet_door/today_mask_worn_incorrectly/config"]
    assert today["state_topic"] == "maskdet/door/counts"
    assert Topics(MqttSettings("x", discovery="")).discovery("door", LABELS) == {}


class Listener:
    """Hears everything that a broker is told."""

    def __init__(self, port: int) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.heard: dict[str, Any] = {}
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._hear
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def _hear(self, _: Any, __: Any, message: Any) -> None:
        self.heard[message.topic] = message.payload

    def close(self) -> None:
        """Hears no more."""
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[[], tuple[int, subprocess.Popen[bytes]]]]:
    """Starts Mosquitto, each time at the same port."""
    pytest.importorskip("paho.mqtt", reason="needs the extra serve")
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("needs mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[int, subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [program, "-c", str(tmp_path / "m.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.append(process)
        return port, process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.server
def test_a_broker_is_told_and_told_again(
    start_broker: Callable[[], tuple[int, subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    """States and counts stay on the broker, alerts arrive, and all is said again after its loss."""
    from maskdet.serve.telling.mqtt import Broker

    port, process = start_broker()
    said: list[str] = []
    broker = Broker(MqttSettings("127.0.0.1", port), 5, said.append)
    with pytest.raises(DeliveryError, match="cannot be reached"):
        broker.deliver({**RECORD, "snapshot": None})
    broker.start()
    assert broker.wait_connected(10)
    listener = Listener(port)
    heard = listener.heard
    broker.introduce([("Front door", LABELS)])
    broker.show("Front door", "live", {"with_mask": 1}, {"with_mask": 7})
    wait_for(lambda: "maskdet/Front_door/counts" in heard)
    assert json.loads(heard["maskdet/Front_door/counts"]) == {
        "now": {"with_mask": 1}, "today": {"with_mask": 7},
    }  # fmt: skip
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    broker.deliver({**RECORD, "snapshot": str(tmp_path / "a.jpg")})
    wait_for(lambda: "maskdet/Front_door/alert" in heard)
    assert json.loads(heard["maskdet/Front_door/alert"])["text"] == "one person"
    assert heard["maskdet/Front_door/snapshot"] == b"jpeg"

    process.kill()
    process.wait()
    wait_for(lambda: any("is lost" in line for line in said))
    with pytest.raises(DeliveryError):
        broker.deliver({**RECORD, "snapshot": None})
    heard.clear()
    broker.show("Front door", "down", {}, {"with_mask": 7})
    start_broker()
    # Nothing was kept by the one that was killed: all of it is said anew.
    wait_for(lambda: heard.get("maskdet/Front_door/state") == b"down")
    wait_for(lambda: heard.get("maskdet/status") == b"online")
    assert "maskdet/Front_door/alert" not in heard
    assert any(topic.startswith("homeassistant/") for topic in heard)
    broker.close()
    wait_for(lambda: heard["maskdet/status"] == b"offline")
    listener.close()


@pytest.mark.server
def test_the_broker_says_that_the_service_has_died(
    start_broker: Callable[[], tuple[int, subprocess.Popen[bytes]]],
) -> None:
    """A service whose connection breaks is offline by its last will."""
    from maskdet.serve.telling.mqtt import Broker

    port, _ = start_broker()
    broker = Broker(MqttSettings("127.0.0.1", port), 5, lambda _: None)
    until = time.monotonic() + 10
    broker.start()
    while not broker.wait_connected(0.2):
        assert time.monotonic() < until
    listener = Listener(port)
    wait_for(lambda: listener.heard.get("maskdet/status") == b"online")
    # No farewell is said: what a process that is killed does.
    connection = broker._client.socket()  # noqa: SLF001
    assert connection is not None
    connection.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: listener.heard.get("maskdet/status") == b"offline")
    listener.close()
    broker.close()
