"""What a whole run saw, wrote and took."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from maskdet.summaries import Summary
from maskdet.wording import counted


@dataclass
class RunSummary:
    """What a whole run saw and did.

    Attributes:
        sources: one summary a source.
        precisions: of the networks, by stage, where known.
        seconds: from the start of the first frame to the end of the last.
        written: names of what was written.
        skipped: pictures and videos left out, as what they give was there; ``None`` where that
            was not asked for.
        incomplete: one line for each thing that could not be written, or not to its end.
        undelivered: one line for each channel on which alerts were not delivered.
    """

    sources: list[Summary]
    precisions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    written: list[str] = field(default_factory=list)
    skipped: int | None = None
    incomplete: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Frames seen, of all sources."""
        return sum(source.frames for source in self.sources)

    @property
    def faces(self) -> Counter[str]:
        """Faces by label, of all sources."""
        return sum((source.faces for source in self.sources), Counter())

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def failures(self) -> list[str]:
        """One line for each thing that could not be read, written or told."""
        failures = [failure for source in self.sources for failure in source.failures]
        return failures + self.incomplete + self.undelivered

    def lines(self) -> list[str]:
        """Returns the summary as lines for people."""
        lines = [line for source in self.sources for line in source.lines()]
        kinds = ", ".join(f"{stage} in {kind}" for stage, kind in self.precisions.items())
        speed = f"{self.seconds:.1f} s, {self.rate:.1f} frames a second"
        lines.append(f"{speed} ({kinds})" if kinds else speed)
        if self.skipped is not None:
            lines.append(f"{counted(self.skipped, 'source')} skipped, as the output exists")
        return lines + [f"written to {name}" for name in self.written]

    def to_json(self) -> dict[str, Any]:
        """Returns the summary as a JSON-ready object."""
        figures: dict[str, Any] = {
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.rate, 2),
            "precision": self.precisions,
            "sources": [source.to_json() for source in self.sources],
        }
        if self.skipped is not None:
            figures["skipped"] = self.skipped
        return figures
