"""What was seen, as records: a JSON object a frame, or a CSV row a face."""

import csv
import json
from typing import Any, TextIO

from maskdet.detections import Detections
from maskdet.errors import OutputError
from maskdet.media.files import printable
from maskdet.media.frames import Frame
from maskdet.media.record_files import RecordFile

CSV_COLUMNS = (
    "source", "frame", "time", "track", "left", "top", "right", "bottom",
    "face_score", "label", "confidence", "wall_time",
)  # fmt: skip


def moment_of(frame: Frame) -> dict[str, Any]:
    """Returns when a frame is: ``time`` and, of a live source, ``wall_time`` in ISO 8601."""
    moment: dict[str, Any] = {"time": round(frame.time, 3)}
    if frame.wall_time is not None:
        moment["wall_time"] = frame.wall_time.isoformat(timespec="milliseconds")
    return moment


def record_of(frame: Frame, detections: Detections) -> dict[str, Any]:
    """Returns a frame's record: JSON-ready, boxes in pixels of the frame."""
    height, width = frame.image.shape[:2]
    return {
        "source": frame.source,
        "frame": frame.index,
        **moment_of(frame),
        "width": width,
        "height": height,
        "faces": detections.to_records(),
    }


def rows_of(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Returns a frame's record as rows of `CSV_COLUMNS`, one a face; ``None`` for what is not."""
    return [
        (
            record["source"],
            record["frame"],
            record["time"],
            face.get("track"),
            *face["box"],
            face["face_score"],
            face["label"],
            face["confidence"],
            record.get("wall_time"),
        )
        for face in record["faces"]
    ]


class JsonLines:
    """Records as JSON objects, one a line.

    Args:
        stream: an open text file, such as standard output.
    """

    def __init__(self, stream: TextIO | RecordFile) -> None:
        self._stream = stream

    def write(self, record: dict[str, Any]) -> None:
        """Writes a frame's record and flushes, so that a reader of a pipe sees it at once.

        Raises:
            OutputError: the disk is full.
        """
        line = json.dumps(record, ensure_ascii=False)
        if line != printable(line, _encoding(self._stream)):
            # JSON has escapes of its own, one for every character.
            line = json.dumps(record)
        _write(self._stream, line + "\n")


class CsvRows:
    """Records as CSV, a row a face, under a header.

    Args:
        stream: an open text file, such as standard output.
    """

    def __init__(self, stream: TextIO | RecordFile) -> None:
        self._stream = stream
        if not isinstance(stream, RecordFile) or stream.is_empty:
            self._write_rows([CSV_COLUMNS])

    def write(self, record: dict[str, Any]) -> None:
        """Writes a frame's faces and flushes.

        Raises:
            OutputError: the disk is full.
        """
        self._write_rows(
            [tuple("" if cell is None else cell for cell in row) for row in rows_of(record)]
        )

    def _write_rows(self, rows: list[tuple[object, ...]]) -> None:
        if rows:
            lines = _Line()
            csv.writer(lines, lineterminator="\n").writerows(rows)
            _write(self._stream, printable(lines.text, _encoding(self._stream)))


class _Line:
    """Takes what `csv.writer` writes, so that the rows of a frame reach the file together."""

    text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


def _encoding(stream: TextIO | RecordFile) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _write(stream: TextIO | RecordFile, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = stream.name if isinstance(stream, RecordFile) else "standard output"
        raise OutputError(f"{name}: records cannot be written ({error.strerror})") from None
