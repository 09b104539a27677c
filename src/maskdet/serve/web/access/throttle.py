"""Slows down whoever guesses passwords: after some failures each further one doubles the wait."""

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_V6_NETWORK = 64  # bits: who has one address of it has them all


@dataclass
class _Failures:
    """Of one address or one name: how many, and until when it has to wait. Seconds."""

    count: int
    until: float


class Throttle:
    """Counts failures by key. Safe to be asked from several threads.

    Args:
        free: failures that cost no wait.
        first_wait: after the next one; doubled with each further one. Seconds.
        longest_wait: seconds.
        most: keys that are remembered; of more, those whose wait ended first are forgotten.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        free: int = 5,
        first_wait: float = 2.0,
        longest_wait: float = 900.0,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._first, self._longest, self._most = free, first_wait, longest_wait, most
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, _Failures] = {}

    def wait(self, key: str) -> float:
        """Returns how long this key has to wait before it is heard again. Seconds."""
        with self._lock:
            found = self._failures.get(key)
            return max(0.0, found.until - self._clock()) if found else 0.0

    def fail(self, key: str) -> None:
        """Notes a failure. What lies further back than the longest wait is forgotten."""
        now = self._clock()
        with self._lock:
            found = self._failures.get(key)
            if found is None or now - found.until > self._longest:
                if len(self._failures) >= self._most:
                    self._forget()
                found = self._failures[key] = _Failures(0, now)
            found.count += 1
            # Beyond this exponent every wait is the longest.
            over = min(found.count - self._free, 32)
            wait = self._first * 2.0 ** (over - 1) if over > 0 else 0.0
            found.until = now + min(self._longest, wait)

    def succeed(self, key: str) -> None:
        """Forgets the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def _forget(self) -> None:
        """Makes room: a tenth of the keys at once, so that it is seldom done."""
        first = sorted(self._failures, key=lambda key: self._failures[key].until)
        for key in first[: max(1, self._most // 10)]:
            del self._failures[key]


def network_of(host: str) -> str:
    """Returns what a client's address is counted by: itself, or its IPv6 network."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _V6_NETWORK), strict=False))
