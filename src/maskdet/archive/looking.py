"""The work itself: a piece of a video through both networks, its faces in a file of its own."""

import json
import os
import platform
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskdet.archive.cutting import Piece
from maskdet.archive.inventory import Entry
from maskdet.archive.options import WorkOptions
from maskdet.archive.places import is_address
from maskdet.archive.reading import PieceFrame, PieceSource
from maskdet.archive.tables import BOX, work_schema
from maskdet.detections import Detections
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.frames import UInt8Array
from maskdet.stream import detect_frames
from maskdet.vision.pipeline import MaskDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTS = b"maskdet"
"""Under this the facts of a piece stand in the metadata of its file."""
# Rows that are kept in memory before they are written.
_ROWS = 20_000
# Seconds between the frames whose brightness is measured, and that are compared with one another.
_SAMPLED = 1.0
# Pictures of a scene without movement differ by noise: one that is the same to the bit for so many
# seconds is no new one.
_FROZEN = 5.0


@dataclass
class Facts:
    """What is known of a piece besides its faces: a row of ``pieces/``, in part.

    Attributes:
        piece: its number in its video.
        first_frame: number of its first frame.
        frames: how many were looked at.
        begin: seconds of the video at which it begins.
        video_seconds: how long it is.
        faces: how many were found.
        seconds: that the work took.
        processor_seconds: that it kept a core busy.
        finished: when it was done, in ISO 8601.
        reason: why it could not be done, ``None`` if it could.
        failures: what of it is damaged.
        brightness: mean of its pixels, from 0 to 255; ``None`` without a frame.
        frozen_seconds: for how long the picture stood still to the bit.
        size: of the file in bytes, when it was done.
        changed: whether the file is another one than in the inventory.
        host: on which machine it was done.
        attempts: how often it was begun.
    """

    piece: int = 0
    first_frame: int = 0
    frames: int = 0
    begin: float = 0.0
    video_seconds: float = 0.0
    faces: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    finished: str = ""
    reason: str | None = None
    failures: list[str] = field(default_factory=list)
    brightness: float | None = None
    frozen_seconds: float = 0.0
    size: int | None = None
    changed: bool = False
    host: str = field(default_factory=platform.node)
    attempts: int = 1


class _Quality:
    """Measures how bright a piece is, and whether its picture stands still."""

    def __init__(self) -> None:
        self._levels: list[float] = []
        self._last: tuple[float, UInt8Array] | None = None
        self._still = 0.0
        self.frozen = 0.0

    def add(self, moment: float, image: UInt8Array) -> None:
        """Takes a frame, `moment` seconds after the video's first."""
        if self._last is not None and moment - self._last[0] < _SAMPLED:
            return
        small: UInt8Array = image[::8, ::8].copy()
        self._levels.append(float(small.mean()))
        if self._last is not None and np.array_equal(small, self._last[1]):
            before, self._still = self._still, self._still + moment - self._last[0]
            if self._still >= _FROZEN:
                self.frozen += self._still - (before if before >= _FROZEN else 0.0)
        else:
            self._still = 0.0
        self._last = moment, small

    @property
    def brightness(self) -> float | None:
        """The mean level of the frames that were measured."""
        return sum(self._levels) / len(self._levels) if self._levels else None


def look_at(
    entry: Entry, piece: Piece, detector: MaskDetector, options: WorkOptions, path: Path
) -> Facts:
    """Runs a piece of a video through both networks and writes its faces.

    Args:
        entry: the video, as the inventory has it.
        piece: which part of it.
        detector: both networks.
        options: what is done.
        path: Parquet file to write, which another one then takes whole (see
            `maskdet.archive.joining`).

    Returns:
        What is known of it; a video that cannot be read has a reason there.

    Raises:
        UnreachableError: it is out of reach, which it may not be later.
        OSError: the file cannot be written.
    """
    import pyarrow.parquet as pq

    # The process does nothing else meanwhile.
    start, processor = time.perf_counter(), time.process_time()
    source = PieceSource(entry.source, piece, options)
    facts = Facts(piece.number, piece.first)
    facts.size, facts.changed = _size_now(entry)
    schema = work_schema(detector.labels)
    quality = _Quality()
    first_time: float | None = None
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        rows = _Rows(detector.labels)
        # A worker has one core: what it does not use is another's.
        results = detect_frames([source], detector, options.stream_options, threads=False)
        try:
            with closing(results):
                for seen in results:
                    frame = seen.frame
                    assert isinstance(frame, PieceFrame)
                    rows.add(frame, seen.detections)
                    if frame.own:
                        first_time = frame.time if first_time is None else first_time
                        facts.frames += 1
                        facts.faces += len(seen.detections)
                        quality.add(frame.time, frame.image)
                    if len(rows) >= _ROWS:
                        writer.write_table(rows.taken(schema))
        except UnreachableError:
            raise
        except SourceError as error:
            # Of a piece that was begun what was seen so far stays.
            facts.reason = str(error).removeprefix(f"{source.name}: ")
        if len(rows):
            writer.write_table(rows.taken(schema))
        facts.begin = first_time or 0.0
        facts.video_seconds = source.seconds
        facts.failures = source.failures
        facts.brightness, facts.frozen_seconds = quality.brightness, quality.frozen
        facts.seconds = time.perf_counter() - start
        facts.processor_seconds = time.process_time() - processor
        facts.finished = datetime.now(UTC).isoformat()
        writer.add_key_value_metadata({FACTS: json.dumps(asdict(facts)).encode()})
    return facts


def _size_now(entry: Entry) -> tuple[int | None, bool]:
    """Returns the size of a file, and whether it has changed since the inventory."""
    if is_address(entry.source):
        return entry.size, False
    try:
        size = os.stat(entry.source).st_size  # noqa: PTH116 - as the inventory names it
    except OSError:
        return entry.size, False
    return size, entry.size is not None and size != entry.size


class _Rows:
    """Faces on their way to a table, as columns."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._moments: list[tuple[int, float, bool, int]] = []
        self._boxes: list[NDArray[np.float32]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._names: list[str] = []
        self._confidences: list[NDArray[np.float32]] = []
        self._shares: list[NDArray[np.float32]] = []
        self._tracks: list[int | None] = []

    def __len__(self) -> int:
        return self._count

    def add(self, frame: PieceFrame, detections: Detections) -> None:
        """Takes the faces of a frame."""
        count = len(detections)
        if count == 0:
            return
        self._count += count
        self._moments.append((frame.number, frame.time, frame.own, count))
        self._boxes.append(detections.xyxy)
        self._scores.append(detections.face_scores)
        self._names += detections.predicted_labels
        self._confidences.append(detections.confidences)
        self._shares.append(detections.probabilities)
        tracks = detections.tracks
        self._tracks += [None] * count if tracks is None else tracks.tolist()

    def taken(self, schema: Any) -> Any:
        """Returns the faces as a table, and forgets them."""
        import pyarrow as pa

        counts = [count for *_, count in self._moments]
        boxes, shares = np.concatenate(self._boxes), np.concatenate(self._shares)
        columns = {
            "frame": np.repeat([number for number, *_ in self._moments], counts),
            "time": np.repeat([moment for _, moment, *_ in self._moments], counts),
            **{side: boxes[:, at] for at, side in enumerate(BOX)},
            "face_score": np.concatenate(self._scores),
            "label": self._names,
            "confidence": np.concatenate(self._confidences),
            "probabilities": pa.StructArray.from_arrays(
                [pa.array(shares[:, at], pa.float32()) for at in range(len(self._labels))],
                fields=list(schema.field("probabilities").type),
            ),
            "track": pa.array(self._tracks, pa.int64()),
            "own": np.repeat([own for _, _, own, _ in self._moments], counts),
        }
        self._clear()
        return pa.table(columns, schema)
