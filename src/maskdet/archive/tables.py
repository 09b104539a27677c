"""The columns of a study's tables; they are called as in `detect`'s records."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FACES, TRACKS, PIECES = "faces", "tracks", "pieces"
BOX = ("left", "top", "right", "bottom")


def faces_schema(labels: tuple[str, ...]) -> "pa.Schema":
    """Returns the columns of ``faces/``: a row a face.

    ``wall_time`` is there where the file tells when it was begun, ``track`` where faces are
    followed; it is unique within its source.
    """
    import pyarrow as pa

    return pa.schema(
        [
            ("source", pa.string()),
            ("frame", pa.int64()),
            ("time", pa.float64()),
            ("wall_time", pa.timestamp("ms", "UTC")),
            *[(side, pa.float32()) for side in BOX],
            ("face_score", pa.float32()),
            ("label", pa.string()),
            ("confidence", pa.float32()),
            ("probabilities", pa.struct([(label, pa.float32()) for label in labels])),
            ("track", pa.int64()),
        ]
    )


def work_schema(labels: tuple[str, ...]) -> "pa.Schema":
    """Returns the columns of a piece that waits to be joined: its tracks are numbered apart.

    ``own`` is false of the faces of its warm-up, by which its tracks are known in the piece before.
    """
    import pyarrow as pa

    kept = [one for one in faces_schema(labels) if one.name not in ("source", "wall_time")]
    return pa.schema([*kept, ("own", pa.bool_())])


def tracks_schema() -> "pa.Schema":
    """Returns the columns of ``tracks/``: a row a followed face.

    ``person`` is false where it was seen in too few frames to count as one.
    """
    import pyarrow as pa

    moment = pa.timestamp("ms", "UTC")
    return pa.schema(
        [
            ("source", pa.string()),
            ("track", pa.int64()),
            ("person", pa.bool_()),
            ("first_seen", pa.float64()),
            ("last_seen", pa.float64()),
            ("first_wall_time", moment),
            ("last_wall_time", moment),
            ("frames", pa.int64()),
            ("label", pa.string()),
            ("longest_label", pa.string()),
            ("best_frame", pa.int64()),
            ("best_time", pa.float64()),
        ]
    )


def pieces_schema() -> "pa.Schema":
    """Returns the columns of ``pieces/``: a row a piece of a video, done or given up.

    ``reason`` says why a piece, or the whole video, is missing, ``failures`` what of it is damaged;
    ``at_cut`` is the share of faces that this piece and the one before see alike where they
    overlap; ``seconds`` of work include the warm-up, as do ``processor_seconds``, for which it kept
    a core busy.
    """
    import pyarrow as pa

    moment = pa.timestamp("ms", "UTC")
    return pa.schema(
        [
            ("source", pa.string()),
            ("piece", pa.int32()),
            ("first_frame", pa.int64()),
            ("frames", pa.int64()),
            ("begin", pa.float64()),
            ("video_seconds", pa.float64()),
            ("begin_wall_time", moment),
            ("faces", pa.int64()),
            ("seconds", pa.float64()),
            ("processor_seconds", pa.float64()),
            ("finished", moment),
            ("attempts", pa.int32()),
            ("reason", pa.string()),
            ("failures", pa.list_(pa.string())),
            ("at_cut", pa.float64()),
            ("brightness", pa.float32()),
            ("frozen_seconds", pa.float64()),
            ("size", pa.int64()),
            ("changed", pa.bool_()),
            ("host", pa.string()),
            ("version", pa.string()),
            ("models", pa.list_(pa.string())),
        ]
    )
