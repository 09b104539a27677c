"""What a broker is told, and how Home Assistant finds it there."""

import json
import re
from typing import Any

from maskdet import __version__
from maskdet.serve.site.settings import MqttSettings
from maskdet.wording import label_text

ONLINE, OFFLINE = "online", "offline"
_TROUBLE = "down, frozen, dark, covered, small_faces, ended"


class Topics:
    """The topics of a site.

    Below the prefix: ``status`` (online or offline), and for each camera ``state``, ``counts``
    (JSON: ``now`` and ``today`` by label), ``alert`` (JSON) and ``snapshot`` (JPEG).

    Args:
        settings: of the broker.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self._prefix = settings.prefix
        self._discovery = settings.discovery

    @property
    def status(self) -> str:
        """Whether the service runs: retained, and the broker's to change when it is gone."""
        return f"{self._prefix}/status"

    def of(self, camera: str, what: str) -> str:
        """Returns the topic of something of a camera."""
        return f"{self._prefix}/{slug(camera)}/{what}"

    def discovery(self, camera: str, labels: tuple[str, ...]) -> dict[str, str]:
        """Returns topic to JSON of what tells Home Assistant of a camera; empty if not wanted."""
        if not self._discovery:
            return {}
        node = f"{slug(self._prefix)}_{slug(camera)}"
        common = {
            "availability_topic": self.status,
            "device": {
                "identifiers": [node],
                "name": f"maskdet {camera}",
                "manufacturer": "maskdet",
                "sw_version": __version__,
            },
        }
        state, counts = self.of(camera, "state"), self.of(camera, "counts")
        parts: list[tuple[str, str, dict[str, Any]]] = [
            ("sensor", "state", {"name": "State", "state_topic": state}),
            (
                "binary_sensor",
                "problem",
                {
                    "name": "Problem",
                    "device_class": "problem",
                    "state_topic": state,
                    "value_template": "{{ 'ON' if value in ["
                    + ", ".join(f"'{word}'" for word in _TROUBLE.split(", "))
                    + "] else 'OFF' }}",
                },
            ),
            (
                "sensor",
                "alert",
                {
                    "name": "Last alert",
                    "state_topic": self.of(camera, "alert"),
                    "value_template": "{{ value_json.text[:255] }}",
                    "json_attributes_topic": self.of(camera, "alert"),
                },
            ),
            ("image", "snapshot", {"name": "Snapshot", "image_topic": self.of(camera, "snapshot")}),
        ]
        for when, title, kind in (
            ("now", "now", "measurement"),
            ("today", "today", "total_increasing"),
        ):
            parts += [
                (
                    "sensor",
                    f"{when}_{label}",
                    {
                        "name": f"{label_text(label)} {title}",
                        "state_topic": counts,
                        "state_class": kind,
                        "unit_of_measurement": "people",
                        "value_template": f"{{{{ value_json.{when}['{label}'] | default(0) }}}}",
                    },
                )
                for label in labels
            ]
        return {
            f"{self._discovery}/{kind}/{node}/{key}/config": json.dumps(
                {**common, "unique_id": f"{node}_{key}", "object_id": f"{node}_{key}", **part}
            )
            for kind, key, part in parts
        }


def slug(name: str) -> str:
    """Returns a name as a part of a topic: letters, digits, ``-`` and ``_``."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name) or "_"
