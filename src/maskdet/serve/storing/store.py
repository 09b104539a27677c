"""All that is remembered, as one object: what the page, the API and the watching part ask.

Files are found by ids and numbers that this module gave out, never by what a request says.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from maskdet.media.files import make_folder, replacing
from maskdet.serve.storing import counts, events, videos
from maskdet.serve.storing.counts import Crossed, Tally
from maskdet.serve.storing.database import Database
from maskdet.serve.storing.events import Delivery, Kind
from maskdet.serve.storing.records import Bucket, Event, Span, Video

_SNAPSHOTS = "snapshots"


class Store:
    """A site's memory. Every method may be called from any thread.

    Args:
        folder: the site's, made where it is missing.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder)
        self.folder = folder

    def close(self) -> None:
        """Closes the database; nothing can be asked any more."""
        self.database.close()

    def statistics(
        self, start: datetime, end: datetime, by: Span = "hour", camera: str | None = None
    ) -> list[Bucket]:
        """Returns what was seen; see `maskdet.serve.storing.counts.statistics`."""
        return counts.statistics(self.database, start, end, by, camera)

    def events(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        camera: str | None = None,
        limit: int = 50,
        before: int | None = None,
        kind: Kind | None = None,
    ) -> list[Event]:
        """Returns events, the newest first.

        Args:
            start: none that were before.
            end: none that were then or later.
            camera: of which camera; ``None`` for all.
            limit: no more than so many.
            before: number of the last one on the page before; ``None`` for the first page.
            kind: of which kind; ``None`` for all.
        """
        return events.find_events(self.database, start, end, camera, limit, before, kind)

    def event(self, identity: str) -> Event | None:
        """Returns the event of an id, ``None`` for none."""
        return events.find_event(self.database, identity)

    def snapshot_path(self, identity: str) -> Path | None:
        """Returns the file of an event's picture, a JPEG; ``None`` where there is none."""
        return _existing(events.snapshot_file(self.database, identity))

    def clip_path(self, identity: str) -> Path | None:
        """Returns the file of an event's clip, an MP4; ``None`` where there is none yet."""
        number = videos.clip_number(self.database, identity)
        return None if number is None else self.video_path(number)

    def video_path(self, number: int) -> Path | None:
        """Returns the file of a recording or clip, ``None`` where there is none."""
        return _existing(videos.video_file(self.database, number))

    def videos(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        camera: str | None = None,
        limit: int = 100,
    ) -> list[Video]:
        """Returns recordings of a time, the newest first; clips are the events'."""
        return videos.find_videos(self.database, start, end, camera, limit)

    def people_since(self, start: datetime, camera: str) -> dict[str, int]:
        """Returns the people of a camera since a moment, by label."""
        return counts.people_since(self.database, start, camera)

    def crossings_since(self, start: datetime, camera: str) -> Crossed:
        """Returns who crossed a camera's lines since a moment: inward and outward, by line."""
        return counts.crossings_since(self.database, start, camera)

    def add_tallies(self, tallies: Iterable[Tally]) -> None:
        """Adds counts.

        Raises:
            OutputError: they cannot be written.
        """
        counts.add_tallies(self.database, tallies)

    def add_event(
        self,
        kind: Kind,
        record: dict[str, Any],
        moment: datetime,
        *,
        channels: Sequence[str] = (),
        snapshot: bytes | None = None,
    ) -> Event:
        """Adds an event, all its deliveries and its picture.

        Args:
            kind: what it is.
            record: JSON-ready, with ``id``, ``camera`` and ``label``.
            moment: when it was, with a zone.
            channels: who is to be told.
            snapshot: a JPEG.

        Raises:
            OutputError: it cannot be written. A picture that cannot is left out.
        """
        file = None
        if snapshot is not None:
            file = f"{_SNAPSHOTS}/{moment:%Y-%m-%d}/{record['id']}.jpg"
            # First: an event that names a picture has it. One without its event is swept away.
            make_folder((self.folder / file).parent)
            with replacing(self.folder / file) as temporary:
                temporary.write_bytes(snapshot)
        return events.add_event(
            self.database, kind, record, moment, channels=channels, snapshot=file
        )

    def next_delivery(self, channel: str) -> Delivery | None:
        """Returns what a channel is to be told next, the oldest first; ``None`` for nothing."""
        return events.next_delivery(self.database, channel)

    def postpone(self, delivery: Delivery, channel: str, due: float) -> None:
        """Notes that an attempt failed, and when the next is due, in seconds since 1970."""
        events.postpone(self.database, delivery, channel, due)

    def finish(self, delivery: Delivery, channel: str) -> None:
        """Notes that a channel has been told, or is not to be any more."""
        events.finish(self.database, delivery, channel)

    def forget_channels(self, kept: Sequence[str]) -> int:
        """Deletes what waits for channels other than these; returns how many."""
        return events.forget_channels(self.database, kept)

    def waiting(self) -> dict[str, int]:
        """Returns how many deliveries wait, by channel."""
        return events.waiting(self.database)


def _existing(path: Path | None) -> Path | None:
    """Returns a file, ``None`` where retention, or somebody, has deleted it."""
    return path if path is not None and path.is_file() else None
