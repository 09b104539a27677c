"""The ways out of a service: those of `detect`, mail and messengers, and a broker."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.addresses import public_name
from maskdet.alerts.channels import Channel, CommandChannel, DeliveryError, WebhookChannel
from maskdet.errors import OptionError
from maskdet.extras import require
from maskdet.serve.site.settings import NotificationSettings

Record = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A channel of the service.

    Attributes:
        key: what the queue on disk calls it; the same after a restart.
        channel: what delivers.
        states: whether it is told of cameras that go and come back, too.
    """

    key: str
    channel: Channel
    states: bool = True


class ApprisePost:
    """An address that Apprise knows how to reach.

    Args:
        url: it.

    Raises:
        OptionError: Apprise does not know such addresses.
    """

    def __init__(self, url: str) -> None:
        require("serve", "notifications.apprise")
        import apprise

        # A mail address, a token: all but the kind of the address may be a secret.
        scheme = url.partition("://")[0]
        self.name = f"{scheme}://"
        self._post = apprise.Apprise()
        if not self._post.add(url):
            raise OptionError(
                f"notifications.apprise: {public_name(self.name)}: Apprise knows no such address, "
                "or something is missing in it"
            )

    def deliver(self, record: Record) -> None:
        """Sends the record's text and its picture; see `Channel`."""
        import apprise

        picture = record.get("snapshot")
        attached = str(picture) if picture and Path(picture).is_file() else None
        title = f"maskdet: {record['camera']}"
        kind = apprise.NotifyType.WARNING
        if not self._post.notify(record["text"], title, kind, attach=attached):
            raise DeliveryError(f"{self.name} cannot be told")

    def close(self) -> None:
        """Does nothing: what is under way ends by itself."""


class PictureWebhook:
    """A webhook whose record carries the picture.

    Args:
        url: its address.
        timeout: seconds it may be silent.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._hook = WebhookChannel(url, timeout)
        self.name = self._hook.name

    def deliver(self, record: Record) -> None:
        """Posts the record, the picture in it as base64; see `Channel`."""
        picture = record.get("snapshot")
        if picture and Path(picture).is_file():
            data = base64.b64encode(Path(picture).read_bytes()).decode()
            # Whoever gets it has no use for a path of this machine.
            record = {**record, "snapshot": None, "snapshot_jpeg": data}
        self._hook.deliver(record)

    def close(self) -> None:
        """Does nothing: a request ends by itself, or with the program."""


def ways_of(settings: NotificationSettings, broker: Channel | None) -> list[Way]:
    """Returns the channels of a site.

    Args:
        settings: the site's.
        broker: the connection to its broker, if it has one.

    Raises:
        OptionError: an address that nothing can be sent to.
    """
    ways: list[Way] = []
    if settings.command is not None:
        channel = CommandChannel(settings.command, settings.timeout)
        ways.append(Way("command", channel, settings.states))
    if settings.webhook is not None:
        ways.append(
            Way("webhook", PictureWebhook(settings.webhook, settings.timeout), settings.states)
        )
    for url in settings.apprise:
        # Which of several it is: their order may change between two runs.
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        ways.append(Way(f"apprise-{mark}", ApprisePost(url), settings.states))
    if broker is not None:
        # It is always told of states, by topics of their own.
        ways.append(Way("mqtt", broker, states=False))
    return ways
