"""How work is divided: parts, each one file in each table, of one long video or of many short."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maskdet.archive.inventory import Entry

# A video whose length nobody knows counts as so many seconds.
_UNKNOWN = 60.0
# Of one part: a row each in memory, and a reason each in its file.
_MOST_VIDEOS = 256


@dataclass(frozen=True)
class Part:
    """Videos that are written together.

    Attributes:
        name: of its files in the tables, without an ending.
        entries: the videos; one, if that is longer than a piece.
    """

    name: str
    entries: tuple[Entry, ...]

    def is_cut(self, piece_seconds: float) -> bool:
        """Whether it is one video that is to be cut into pieces."""
        return len(self.entries) == 1 and length_of(self.entries[0]) > piece_seconds


def length_of(entry: Entry) -> float:
    """Returns the seconds of work that a video counts as."""
    if entry.hopeless:
        return 0.0
    return entry.seconds or _UNKNOWN


def parts_of(number: int, entries: Iterable[Entry], piece_seconds: float) -> Iterator[Part]:
    """Divides an inventory, the same way each time.

    Args:
        number: of the inventory.
        entries: its files, in order.
        piece_seconds: longer videos make a part each; of shorter ones so many as are about as long.
    """
    together: list[Entry] = []
    seconds, count = 0.0, 0

    def part(members: list[Entry]) -> Part:
        nonlocal count
        count += 1
        return Part(f"part-{number:05d}-{count - 1:06d}", tuple(members))

    for entry in entries:
        length = length_of(entry)
        if length > piece_seconds:
            yield part([entry])
            continue
        if together and (seconds + length > piece_seconds or len(together) >= _MOST_VIDEOS):
            yield part(together)
            together, seconds = [], 0.0
        together.append(entry)
        seconds += length
    if together:
        yield part(together)
