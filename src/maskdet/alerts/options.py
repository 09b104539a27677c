"""Whom to tell of a face without a mask, or with one worn incorrectly, and when."""

from dataclasses import dataclass, field

from maskdet.detections import INCORRECT_LABEL, NO_MASK_LABEL

# What is told of unless labels are named.
USUAL_LABELS = (NO_MASK_LABEL, INCORRECT_LABEL)


@dataclass(frozen=True)
class DeliveryOptions:
    """How long alerts are tried to be delivered. All times in seconds.

    Attributes:
        first_wait: before an alert that failed is tried again; doubled each time.
        longest_wait: between two attempts.
        keep: an alert older than this is given up.
        most: more than so many do not wait; the oldest is given up.
        ahead: where frames can wait, they do while so many alerts are on their way.
        grace: what waits at the end of a run has this long, and again after each that arrives.
        longest_grace: in all.
    """

    first_wait: float = 1.0
    longest_wait: float = 60.0
    keep: float = 600.0
    most: int = 1000
    ahead: int = 16
    grace: float = 10.0
    longest_grace: float = 60.0


@dataclass(frozen=True)
class AlertOptions:
    """Who is told of faces of some labels, and when. All times in seconds.

    Attributes:
        command: words of a command to run, the record on its standard input; ``None`` for none.
        webhook: address to POST the record to; ``None`` for none.
        labels: told of; empty for `USUAL_LABELS`.
        after: how long a face must have been seen so.
        cooldown: how long after an alert the same person, who put a mask on and took it off, or
            turned away and back, causes no further one.
        repeat: how often there is a reminder of a person who stays so; ``None`` for never.
        timeout: how long a command or a server may take.
        delivery: how long an alert is tried to be delivered.
    """

    command: tuple[str, ...] | None = None
    webhook: str | None = None
    labels: tuple[str, ...] = ()
    after: float = 2.0
    cooldown: float = 10.0
    repeat: float | None = None
    timeout: float = 10.0
    delivery: DeliveryOptions = field(default_factory=DeliveryOptions)

    @property
    def watched(self) -> tuple[str, ...]:
        """The labels that are told of."""
        return self.labels or USUAL_LABELS
