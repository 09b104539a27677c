"""What was seen, as records: a JSON object a frame, or a CSV row a face."""

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from maskdet.detections import Detections
from maskdet.errors import OutputError
from maskdet.media.files import make_folder, printable, refuse_existing
from maskdet.media.frames import Frame

STANDARD_OUTPUT = Path("-")

CSV_COLUMNS = (
    "source", "frame", "time", "track", "left", "top", "right", "bottom",
    "face_score", "label", "confidence", "wall_time",
)  # fmt: skip

# How much of a file is looked through at a time. Bytes.
_CHUNK = 1 << 16


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


@contextmanager
def open_records(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Opens a file for records, or standard output for ``-``.

    Records are appended as they come, so that another program can follow a long run.

    Raises:
        OutputError: the file exists, or cannot be written.
    """
    if path == STANDARD_OUTPUT:
        yield sys.stdout
        return
    refuse_existing(path, overwrite=overwrite)
    make_folder(path.parent)
    try:
        stream = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield stream
    finally:
        # Every record has been flushed, or its failure been said.
        with suppress(OSError):
            stream.close()
        with suppress(OSError):
            _drop_half_line(path)


def _drop_half_line(path: Path) -> None:
    """Takes away what a full disk has left of the last record: all that stay can be read."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        end = kept = file.seek(0, os.SEEK_END)
        while kept:
            start = max(0, kept - _CHUNK)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            kept = start + newline + 1
            if newline >= 0:
                break
        if kept < end:
            file.truncate(kept)


class JsonLines:
    """Records as JSON objects, one a line.

    Args:
        stream: an open text file, such as standard output.
    """

    def __init__(self, stream: TextIO) -> None:
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

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._write_row(CSV_COLUMNS)

    def write(self, record: dict[str, Any]) -> None:
        """Writes a frame's faces and flushes.

        Raises:
            OutputError: the disk is full.
        """
        for face in record["faces"]:
            self._write_row(
                (
                    record["source"],
                    record["frame"],
                    record["time"],
                    face.get("track", ""),
                    *face["box"],
                    face["face_score"],
                    face["label"],
                    face["confidence"],
                    record.get("wall_time", ""),
                )
            )

    def _write_row(self, cells: tuple[object, ...]) -> None:
        line = _Line()
        csv.writer(line, lineterminator="\n").writerow(cells)
        _write(self._stream, printable(line.text, _encoding(self._stream)))


class _Line:
    """Takes what `csv.writer` writes, so that a row reaches the file whole."""

    text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"records cannot be written ({error.strerror})") from None
