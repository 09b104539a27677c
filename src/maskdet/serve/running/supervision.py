"""Tells systemd that the service is ready, alive or ending: one datagram each, no library."""

import os
import socket


class Supervisor:
    """The system's supervisor, if there is one.

    See sd_notify(3). The socket's name is taken out of the environment, for what the service
    starts is not the service.
    """

    def __init__(self) -> None:
        name = os.environ.pop("NOTIFY_SOCKET", "")
        # An abstract one is written with @ for the zero byte that it begins with.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        own = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = int(microseconds) / 1e6 if microseconds.isdecimal() and own else 0.0
        # Half the time, as its manual says, so that one late word does no harm. Seconds.
        self.interval = wanted / 2 if wanted else None

    def tell(self, *words: str) -> None:
        """Sends words such as ``READY=1`` or ``WATCHDOG=1``; nobody may be listening."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.sendto("\n".join(words).encode(), self._address)
        except OSError:
            # A supervisor that has gone is no reason to stop watching.
            return
