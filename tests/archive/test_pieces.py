"""Videos cut into pieces, looked at apart and joined again, against one pass over the file."""

from pathlib import Path

import pytest

from maskdet.archive.cutting import FrameTable, Piece, cut_video, pieces_of
from maskdet.archive.inventory import Entry
from maskdet.archive.joining import Joiner
from maskdet.archive.looking import look_at
from maskdet.archive.options import WorkOptions
from maskdet.archive.reading import PieceSource
from maskdet.extras import missing
from maskdet.media.inputs.video import VideoSource
from maskdet.stream import StreamOptions, detect_frames
from square_films import square_detector, write_film

pytestmark = pytest.mark.skipif(bool(missing("archive")), reason="needs the extra archive")
SHORT = WorkOptions(piece_seconds=5, warm_up=2)


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [
        ("a.mp4", "libx264", 2),
        ("a.mkv", "libx264", 2),
        ("a.ts", "libx264", 2),
        ("a.avi", "mpeg4", 0),
    ],
)
def test_pieces_are_one_pass_cut_up(tmp_path: Path, name: str, codec: str, b_frames: int) -> None:
    """Every frame is in one piece alone, with the number, time and pixels of one pass."""
    film = write_film(tmp_path / name, 170, codec=codec, b_frames=b_frames)
    pieces = cut_video(str(film), SHORT)
    whole = list(VideoSource(str(film)))
    assert [piece.first for piece in pieces] == [0, 50, 100, 150]
    own = [frame for piece in pieces for frame in PieceSource(str(film), piece, SHORT) if frame.own]
    assert [frame.number for frame in own] == list(range(170))
    for one, other in zip(own, whole, strict=True):
        assert one.time == pytest.approx(other.time, abs=1e-6)
        assert (one.image == other.image).all()


def test_a_piece_warms_up_before_it_begins(tmp_path: Path) -> None:
    """Its first frames are those of the piece before, from where one pass looks about."""
    film = str(write_film(tmp_path / "a.mp4", 170))
    piece = cut_video(film, SHORT)[2]
    numbers = [frame.number for frame in PieceSource(film, piece, SHORT) if not frame.own]
    assert piece.first == 100
    assert numbers == list(range(60, 100))


def test_a_rate_that_varies_is_cut_by_time(tmp_path: Path) -> None:
    """Pieces are as long as asked, however many frames that is."""
    film = str(
        write_film(
            tmp_path / "a.mkv", 100, moments=lambda at: at if at < 60 else 60 + (at - 60) * 4
        )
    )
    pieces = cut_video(film, SHORT)
    assert [piece.first for piece in pieces] == [0, 50, 70, 90]
    numbers = [
        frame.number for piece in pieces for frame in PieceSource(film, piece, SHORT) if frame.own
    ]
    assert numbers == list(range(100))


def test_one_frame_in_so_many(tmp_path: Path) -> None:
    """--every counts from the video's first frame, in whichever piece."""
    film = str(write_film(tmp_path / "a.mp4", 170))
    options = WorkOptions(piece_seconds=5, warm_up=2, every=7)
    numbers = [
        frame.number
        for piece in cut_video(film, options)
        for frame in PieceSource(film, piece, options)
        if frame.own
    ]
    assert numbers == list(range(0, 170, 7))


def test_key_frames_alone(tmp_path: Path) -> None:
    """They have the numbers and pixels that one pass gives them."""
    film = str(write_film(tmp_path / "a.mp4", 100))
    options = WorkOptions(piece_seconds=5, key_frames=True)
    whole = list(VideoSource(film))
    frames = [
        frame for piece in cut_video(film, options) for frame in PieceSource(film, piece, options)
    ]
    assert [frame.number for frame in frames] == list(range(0, 100, 10))
    for frame in frames:
        assert (frame.image == whole[frame.number].image).all()


def test_no_short_piece_is_left_at_the_end() -> None:
    """Eleven minutes are two pieces, not two and a rest; without key frames there is one."""
    moments = list(range(660))
    table = FrameTable(moments, moments, 1.0, 1.0)
    assert [piece.first for piece in pieces_of(table, WorkOptions())] == [0, 300]
    assert len(pieces_of(FrameTable(moments, [0], 1.0, 1.0), WorkOptions())) == 1


def test_joined_pieces_are_one_pass(tmp_path: Path) -> None:
    """Boxes, scores, labels and people of a film in pieces are those of the whole film."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    film = str(write_film(tmp_path / "a.mp4", 300))
    detector, path = square_detector(), tmp_path / "piece.parquet"
    joiner = Joiner(film, detector.labels, None, follows=True)
    tables, agreeing = [], []
    pieces = cut_video(film, SHORT)
    assert len(pieces) == 6
    for piece in pieces:
        look_at(Entry(film), piece, detector, SHORT, path)
        rows = pq.read_table(path)
        own = rows["own"].to_numpy()
        warm_up, kept = rows.filter(~own), rows.filter(own)
        for faces, share in joiner.join(warm_up, [kept]):
            tables.append(faces)
            agreeing.append(share)
    faces = pa.concat_tables(tables)
    expected = [
        (seen.frame.index, tuple(face["box"]), face["label"], face["track"])
        for seen in detect_frames([VideoSource(film)], detector)
        for face in seen.detections.to_records()
    ]
    found = [
        (row["frame"], (row["left"], row["top"], row["right"], row["bottom"]), row["label"])
        for row in faces.to_pylist()
    ]
    assert found == [row[:3] for row in expected]
    assert agreeing[1:] == [1.0] * 5
    people = joiner.tracks().to_pylist()
    assert len(people) == len({track for *_, track in expected}) == 8
    # Each track of the whole is one of the joined, from end to end.
    pairs = {
        (track, row["track"]) for (*_, track), row in zip(expected, faces.to_pylist(), strict=True)
    }
    assert len(pairs) == 8
    assert sum(person["frames"] for person in people) == len(found)


def test_faces_that_are_not_followed_have_no_track(tmp_path: Path) -> None:
    """--no-track gives faces, and nobody is counted."""
    import pyarrow.parquet as pq

    film = str(write_film(tmp_path / "a.mp4", 20))
    options = WorkOptions(stream=StreamOptions(track=False))
    look_at(Entry(film), Piece(), square_detector(), options, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.num_rows > 20
    assert table["track"].null_count == table.num_rows
