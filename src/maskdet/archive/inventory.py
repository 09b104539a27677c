"""The list of what there is to do: every file with its size, length, frames, or what is wrong."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from maskdet.archive.finding import FoundFile
from maskdet.archive.opening import opened
from maskdet.archive.places import Store, is_address, name_of
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.inputs.containers import frame_rate_of

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "inventory"
# Rows that are kept in memory at a time, and looked at at a time: servers take a while to answer.
_CHUNK = 512
_AT_ONCE = 16
# Bytes asked of a server at a time: of a file's begin and end a little is enough.
_BLOCK = 256 << 10


@dataclass(frozen=True)
class Entry:
    """A file of the inventory.

    Attributes:
        source: its whole path, or its address.
        size: in bytes; ``None`` where nobody says, as of all below.
        modified: when it was written last.
        duration: seconds, as the file says.
        frames: how many it has, as the file says.
        width: of its frames in pixels.
        height: of its frames in pixels.
        frame_rate: frames a second.
        start: when its first frame was taken, where the file tells.
        reason: why it cannot be looked at; ``None`` where it can.
        away: whether it could not be reached, which is tried once more when its turn comes.
    """

    source: str
    size: int | None = None
    modified: datetime | None = None
    duration: float | None = None
    frames: int | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    start: datetime | None = None
    reason: str | None = None
    away: bool = False

    @property
    def hopeless(self) -> bool:
        """Whether looking at it is of no use."""
        return self.reason is not None and not self.away

    @property
    def seconds(self) -> float:
        """How long it is, 0 where nobody says."""
        if self.duration is not None:
            return self.duration
        return (self.frames or 0) / (self.frame_rate or 25.0)


def schema() -> "pa.Schema":
    """Returns the columns of the inventory."""
    import pyarrow as pa

    moment = pa.timestamp("ms", "UTC")
    return pa.schema(
        [
            ("source", pa.string()),
            ("size", pa.int64()),
            ("modified", moment),
            ("duration", pa.float64()),
            ("frames", pa.int64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("frame_rate", pa.float64()),
            ("start", moment),
            ("reason", pa.string()),
            ("away", pa.bool_()),
        ]
    )


def look_into(found: FoundFile, max_pixels: int) -> Entry:
    """Opens a file and notes what it says of itself; decodes nothing."""
    known = Entry(found.source, found.size, found.modified, reason=found.reason)
    if found.reason is not None:
        return known
    try:
        with opened(found.source, max_pixels, block=_BLOCK) as container:
            stream = container.streams.video[0]
            length = container.duration
            seconds = None if length is None else length / 1_000_000
            if stream.duration is not None and stream.time_base is not None:
                seconds = float(stream.duration * stream.time_base)
            return Entry(
                found.source,
                found.size,
                found.modified,
                seconds if seconds is not None and seconds >= 0 else None,
                stream.frames or None,
                stream.codec_context.width,
                stream.codec_context.height,
                frame_rate_of(container),
                _start(container.metadata.get("creation_time", "")),
            )
    except SourceError as error:
        name = name_of(found.source)
        return Entry(
            found.source,
            found.size,
            found.modified,
            reason=str(error).removeprefix(f"{name}: "),
            away=isinstance(error, UnreachableError),
        )


def _start(text: str) -> datetime | None:
    """Reads what a file says of when it was begun; a clock that was never set says 1904 or 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment.year > 1970 else None


def write_inventory(
    store: Store,
    number: int,
    found: Iterable[FoundFile],
    max_pixels: int,
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Looks into files and writes what they say, a few at a time.

    Args:
        store: the study.
        number: of this list in the study: later ones hold what came later.
        found: the files.
        max_pixels: larger videos are not read.
        told: called with the number of files so far.

    Returns:
        How many files there are; none is written for none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, count = iter(found), 0
    first = list(islice(files, _CHUNK))
    if not first:
        return 0
    # Of a disk one at a time is as fast: threads are for servers.
    at_once = _AT_ONCE if any(is_address(one.source) for one in first) else 2
    with (
        store.writing(_name(number)) as path,
        pq.ParquetWriter(path, schema()) as writer,
        ThreadPoolExecutor(at_once) as pool,
    ):
        while first:
            entries = list(pool.map(lambda one: look_into(one, max_pixels), first))
            rows = [asdict(entry) for entry in entries]
            writer.write_table(pa.Table.from_pylist(rows, schema()))
            count += len(rows)
            told(count)
            first = list(islice(files, _CHUNK))
    return count


def lists_of(store: Store) -> list[int]:
    """Returns the numbers of a study's inventories, in order."""
    return [int(name.split("-")[1].split(".")[0]) for name in store.names(FOLDER)]


def read_inventory(store: Store, number: int) -> Iterator[Entry]:
    """Reads an inventory, a few rows at a time."""
    import pyarrow.parquet as pq

    with store.opened(_name(number)) as file:
        for batch in pq.ParquetFile(file).iter_batches(_CHUNK):
            for row in batch.to_pylist():
                yield Entry(**_as_utc(row))


def _name(number: int) -> str:
    return f"{FOLDER}/inventory-{number:05d}.parquet"


def _as_utc(row: dict[str, Any]) -> dict[str, Any]:
    # PyArrow gives a zone of its own kind.
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
