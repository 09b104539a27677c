"""Tells streams, which have no end of their own, that the server ends."""

import threading


class Closing:
    """Whether the server ends; set from any thread."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        """Whether streams are to end."""
        return self._closed.is_set()

    def close(self) -> None:
        """Lets streams end at their next step."""
        self._closed.set()
