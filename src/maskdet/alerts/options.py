"""Whom to tell of a face without a mask, and when."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AlertOptions:
    """Who is told of a face without a mask.

    Attributes:
        command: words of a command to run, the record on its standard input; ``None`` for none.
        webhook: address to POST the record to; ``None`` for none.
        after: seconds a face must have been without a mask.
        cooldown: seconds after an alert in which there is no further one.
        timeout: seconds a command or a server may take.
    """

    command: tuple[str, ...] | None = None
    webhook: str | None = None
    after: float = 2.0
    cooldown: float = 10.0
    timeout: float = 10.0
