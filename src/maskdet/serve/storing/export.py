"""What is remembered, as CSV."""

import csv
from collections.abc import Iterator
from datetime import datetime

from maskdet.serve.storing.records import Span
from maskdet.serve.storing.store import Store

COUNT_COLUMNS = ("start", "camera", "label", "frames", "faces", "people")
EVENT_COLUMNS = ("time", "id", "kind", "camera", "label", "people", "seconds", "reminder", "text")
_PAGE = 500


class _Line:
    text = ""

    def write(self, text: str) -> int:
        """Takes what `csv.writer` writes."""
        self.text = text
        return len(text)


def counts_csv(
    store: Store, cameras: list[str], start: datetime, end: datetime, by: Span
) -> Iterator[str]:
    """Yields counts as lines of CSV, a row for each span, camera and label.

    Args:
        store: where they are.
        cameras: of which ones.
        start: see `Store.statistics`, as `end` and `by`.
        end: likewise.
        by: likewise.
    """
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(COUNT_COLUMNS)
    yield line.text
    for camera in cameras:
        for bucket in store.statistics(start, end, by, camera):
            for label in sorted(bucket.faces.keys() | bucket.people.keys()) or [""]:
                writer.writerow(
                    (
                        bucket.start.isoformat(timespec="minutes"),
                        camera,
                        label,
                        bucket.frames,
                        bucket.faces.get(label, 0),
                        bucket.people.get(label, 0),
                    )
                )
                yield line.text


def events_csv(store: Store, start: datetime | None, end: datetime | None) -> Iterator[str]:
    """Yields events as lines of CSV, the newest first."""
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    yield line.text
    before = None
    while page := store.events(start, end, limit=_PAGE, before=before):
        before = page[-1].number
        for event in page:
            record = event.record
            writer.writerow(
                (
                    event.time.isoformat(timespec="milliseconds"),
                    event.id,
                    event.kind,
                    event.camera,
                    event.label,
                    record.get("people", ""),
                    record.get("seconds_without_mask", ""),
                    record.get("reminder", ""),
                    record.get("text", ""),
                )
            )
            yield line.text
