"""What detect does with what it sees: figures, records, crops, places to write to."""

import json
import os
import threading
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.boxes import cut, expand_boxes
from maskdet.detect import plot, run
from maskdet.detect.crops import CropWriter
from maskdet.detect.options import DetectOptions
from maskdet.detections import Detections
from maskdet.errors import OutputError
from maskdet.media.blurring import blur_faces
from maskdet.media.frames import Frame
from maskdet.media.grid import COLUMNS, ROWS, Grid
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.pictures import PictureSource
from maskdet.media.outputs import RunOutput
from maskdet.media.record_files import open_records
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.records import CSV_COLUMNS, CsvRows, JsonLines, record_of
from maskdet.media.window import Window
from maskdet.stream import StreamOptions, gamma_table
from maskdet.summaries import MOST_BUCKETS, Summary, TimeLine, share_with_mask

LABELS = ("with_mask", "without_mask")


def faces(*bare: bool, tracks: list[int] | None = None) -> Detections:
    """Returns a face for each argument, side by side."""
    count = len(bare)
    shares = np.array([[0.1, 0.9] if b else [0.9, 0.1] for b in bare], np.float32).reshape(-1, 2)
    return Detections(
        LABELS,
        np.array([[30 * i, 10, 30 * i + 20, 40] for i in range(count)], np.float32).reshape(-1, 4),
        np.full(count, 0.8, np.float32),
        shares,
        np.log(shares),
        tracks=None if tracks is None else np.array(tracks, np.intp),
    )


class Video:
    """A moving source, for what only asks what it is."""

    kind, name, frame_rate, frame_count = "video", "door.mp4", 10.0, 100
    is_moving, is_live = True, False

    def __init__(self, name: str = "door.mp4") -> None:
        self.name = name
        self.folder: Path | None = None
        self.paths = (Path(name),)
        self.failures: list[str] = []


def frame(index: int, time: float, noise: NDArray[np.uint8]) -> Frame:
    """Returns a frame of the video."""
    return Frame("door.mp4", index, time, noise)


def test_summary_counts_faces_and_people() -> None:
    """Two people over five frames, one of whom takes the mask off; a flash in one frame is none."""
    summary = Summary("door.mp4", "video", True, LABELS)
    for index in range(5):
        summary.add(faces(False, index > 2, tracks=[1, 2]), index / 10)
    summary.add(faces(True, tracks=[3]), 0.6)
    summary.finish()
    assert summary.faces == Counter(with_mask=8, without_mask=3)
    assert summary.people == Counter(with_mask=1, without_mask=1)
    figures = summary.to_json()
    assert figures["share_with_mask"] == pytest.approx(8 / 11, abs=1e-4)
    assert figures["over_time"] == [
        {
            "from": 0.0,
            "to": 1.0,
            "faces": {"with_mask": 8, "without_mask": 3},
            "share_with_mask": figures["share_with_mask"],
        }
    ]
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize(("frames", "people"), [(2, 0), (3, 1), (4, 1)])
def test_three_frames_make_a_person(frames: int, people: int) -> None:
    """A false alarm flashes up in one or two."""
    summary = Summary("door.mp4", "video", True, LABELS)
    for index in range(frames):
        summary.add(faces(True, tracks=[1]), index / 10)
    summary.finish()
    assert summary.people["without_mask"] == people


@pytest.mark.parametrize("rate", [0.2, 25, 240])
def test_a_person_out_of_sight_for_a_while_is_counted_once(rate: float) -> None:
    """For as long as a track lasts, whatever the number of frames that is."""
    summary = Summary("door.mp4", "video", True, LABELS)
    seen, unseen = faces(True, tracks=[1]), faces(tracks=[])
    shown = [seen] * 49 + [unseen] * (2 if rate < 1 else int(2.9 * rate)) + [seen] * 60
    for index, detections in enumerate(shown):
        summary.add(detections, index / rate)
    summary.finish()
    assert summary.people == Counter(without_mask=1)


def test_people_of_a_long_run_are_counted_up() -> None:
    """Those who have gone need no memory of their own."""
    summary = Summary("door", "stream", True, LABELS)
    for index in range(3000):
        summary.add(faces(True, tracks=[index // 6]), index / 25)
    assert summary.people["without_mask"] > 400
    summary.finish()
    assert summary.people["without_mask"] == 500


def test_plot_of_many_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pictures are one row, however they were named; of too many videos the first are drawn."""
    monkeypatch.setattr(plot, "MOST_PANELS", 3)
    summaries = []
    for number in range(12):
        moving = number % 3 > 0
        summary = Summary(f"{number}", "video" if moving else "picture", moving, LABELS)
        summary.add(faces(number % 2 > 0), 0.0)
        summaries.append(summary)
    plot.plot_share(tmp_path / "p.png", summaries)
    assert read_picture(tmp_path / "p.png").shape[0] == 1152
    plot.plot_share(tmp_path / "p.svg", summaries[::3])
    drawn = (tmp_path / "p.svg").read_text()
    assert "<!-- 4 pictures -->" in drawn
    assert "<!-- picture -->" in drawn
    assert "<!-- seconds -->" not in drawn


def test_uncertain_faces_are_counted_as_neither() -> None:
    """Below the asked confidence a face is called uncertain and left out of the share."""
    summary = Summary("a.mp4", "video", True, LABELS)
    summary.add(faces(True, False).requiring(0.95), 0)
    assert summary.faces == Counter(uncertain=2)
    assert share_with_mask(summary.faces) is None
    assert any("Uncertain" in line for line in summary.lines())


def test_time_line_needs_no_more_memory_for_longer_runs() -> None:
    """Buckets are paired when there are too many; no face is lost."""
    line = TimeLine()
    for second in range(5000):
        line.add(second, ["with_mask"])
    assert len(line.buckets) <= MOST_BUCKETS
    assert line.width == 16
    assert sum(row["faces"]["with_mask"] for row in line.rows()) == 5000


def test_wall_time_in_records(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Of a live source stands when it was taken, with the zone; of a recording nothing is said."""
    zone = timezone(timedelta(hours=-3, minutes=-30))
    taken = datetime(2026, 3, 4, 23, 59, 59, 999_999, tzinfo=zone)
    live = record_of(Frame("door", 3, 0.3, noise, taken), faces(True))
    assert live["wall_time"] == "2026-03-04T23:59:59.999-03:30"
    assert "wall_time" not in record_of(frame(3, 0.3, noise), faces(True))
    with open_records(tmp_path / "out.csv", overwrite=False) as stream:
        CsvRows(stream).write(live)
    header, row = (tmp_path / "out.csv").read_text().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["wall_time"] == (
        "2026-03-04T23:59:59.999-03:30"
    )


def test_csv_rows(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A header and a row a face; a file that exists is not touched without being asked."""
    path = tmp_path / "out.csv"
    with open_records(path, overwrite=False) as stream:
        rows = CsvRows(stream)
        rows.write(record_of(Frame('a "b", c.mp4', 3, 0.3, noise), faces(True, tracks=[7])))
        rows.write(record_of(frame(4, 0.4, noise), faces()))
    header, row = path.read_text().splitlines()
    assert header == ",".join(CSV_COLUMNS)
    assert row == '"a ""b"", c.mp4",3,0.3,7,0.0,10.0,20.0,40.0,0.8,without_mask,0.9,'
    with pytest.raises(OutputError, match="--overwrite"), open_records(path, overwrite=False):
        pass
    assert path.read_text().startswith("source")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_records_into_a_pipe(tmp_path: Path) -> None:
    """A pipe to another program is there to be written to, without a word about replacing it."""
    pipe = tmp_path / "records"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open_records(pipe, overwrite=False) as stream:
        JsonLines(stream).write({"frame": 0})
    assert os.read(reader, 100) == b'{"frame": 0}\n'
    os.close(reader)


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        ('{"frame": 1}\n{"frame": 2, "fa', '{"frame": 1}\n'),
        ('{"frame": 1}\n', '{"frame": 1}\n'),
        # Whole, but for the end of its line: an editor's work.
        ('{"frame": 1}\n{"frame": 2}', '{"frame": 1}\n{"frame": 2}\n'),
        ('{"fra', ""),
        ("", ""),
        # What some file systems leave after a power cut.
        ('{"frame": 1}\n\0\0\0\0', '{"frame": 1}\n'),
        ("\0\0\0\0", ""),
        # A crowd's record is longer than what is looked through at a time.
        ('{"frame": 1}\n{' + "x" * 200_000, '{"frame": 1}\n'),
    ],
)
def test_going_on_with_json_lines(tmp_path: Path, left: str, kept: str) -> None:
    """Half a record, as a crash leaves it, is taken away; the rest stays, and more comes."""
    path = tmp_path / "a.jsonl"
    path.write_text(left)
    with open_records(path, overwrite=False, append=True) as stream:
        JsonLines(stream).write({"frame": 3})
    assert path.read_text() == kept + '{"frame": 3}\n'


@pytest.mark.parametrize("left", ["", "source,fra", f"{','.join(CSV_COLUMNS)}\n", "whole", "half"])
def test_going_on_with_csv(tmp_path: Path, noise: NDArray[np.uint8], left: str) -> None:
    """There is one header, whatever a crash has left; of a row, nothing or all."""
    path, header = tmp_path / "a.csv", ",".join(CSV_COLUMNS)
    record = record_of(frame(1, 0.1, noise), faces(True))
    row = '"a"' + "," * (len(CSV_COLUMNS) - 1)
    path.write_text({"whole": f"{header}\n{row}\n", "half": f"{header}\n{row}"}.get(left, left))
    with open_records(path, overwrite=False, append=True, header=header) as stream:
        CsvRows(stream).write(record)
    lines = path.read_text().splitlines()
    assert lines[0] == header
    assert lines.count(header) == 1
    assert len(lines) == 2 + (left == "whole")
    assert lines[-1].startswith("door.mp4,1,0.1,")


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("[1, 2]\n", None),
        ("shopping list\n- milk", None),
        ("name,age\nAnna,7\n", ",".join(CSV_COLUMNS)),
        (";".join(CSV_COLUMNS) + "\n", ",".join(CSV_COLUMNS)),
        ("shopping list", ",".join(CSV_COLUMNS)),
    ],
)
def test_going_on_with_something_else(tmp_path: Path, content: str, header: str | None) -> None:
    """A file that holds no such records is refused, and stays as it is."""
    path = tmp_path / "a.txt"
    path.write_text(content)
    with (
        pytest.raises(OutputError, match="write to another file"),
        open_records(path, overwrite=False, append=True, header=header),
    ):
        pass
    assert path.read_text() == content


def test_records_on_a_full_disk(small_disk: Path) -> None:
    """What finds no room leaves no half line; with room again, records go on."""
    with open_records(small_disk / "a.jsonl", overwrite=False) as stream:
        writer, written = JsonLines(stream), 0
        filler = small_disk / "filler"
        filler.write_bytes(bytes(50_000))
        for number in range(10_000):
            try:
                writer.write({"frame": number, "name": "x" * 300})
            except OutputError:
                break
            written += 1
        filler.unlink()
        writer.write({"frame": -1})
    records = [json.loads(line) for line in (small_disk / "a.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == [*range(written), -1]
    assert written > 10


def test_a_log_that_is_rotated(tmp_path: Path) -> None:
    """A program that copies the file and empties it finds no hole in it later."""
    path = tmp_path / "a.jsonl"
    with open_records(path, overwrite=False) as stream:
        JsonLines(stream).write({"frame": 1})
        path.write_text("")
        JsonLines(stream).write({"frame": 2})
    assert path.read_text() == '{"frame": 2}\n'


def test_crops_go_into_label_folders(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A followed face is saved once a second under its label."""
    writer, video = CropWriter(tmp_path, margin=0.0), Video()
    for index in range(25):
        seen = faces(False, True, tracks=[1, 2])
        writer.write(video, frame(index, index / 10, noise), noise, seen)  # type: ignore[arg-type]
    for label in LABELS:
        assert len(list((tmp_path / label).iterdir())) == 3
    saved = read_picture(tmp_path / "with_mask" / "door-000000-1.jpg")
    assert saved.shape == cut(noise, faces(False).xyxy[0]).shape


def test_crops_have_a_margin(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """On every side the share that the classifier reads a face with."""
    source, found = PictureSource([], "in", "pictures"), faces(True)
    CropWriter(tmp_path, margin=0.25).write(source, Frame("x.jpg", 0, 0, noise), noise, found)
    saved = read_picture(tmp_path / "without_mask" / "x-0.jpg")
    assert saved.shape == cut(noise, expand_boxes(found.xyxy, 0.25)[0]).shape
    assert saved.shape != cut(noise, found.xyxy[0]).shape


def test_crops_of_pictures_of_the_same_name(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Nothing is overwritten."""
    source = PictureSource([], "in", "pictures")
    writer = CropWriter(tmp_path, margin=0.0)
    for folder in "ab":
        writer.write(source, Frame(f"in/{folder}/x.jpg", 0, 0, noise), noise, faces(True))
    names = sorted(path.name for path in (tmp_path / "without_mask").iterdir())
    assert names == ["x-0-2.jpg", "x-0.jpg"]


def test_outputs_of_the_same_name_get_numbers(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Two videos called door.mp4, and pictures below folders, all have files of their own."""
    one, two = Video("a/door.mp4"), Video("b/door.mp4")
    pictures = PictureSource([], "in", "pictures", Path("in"))
    with RunOutput([one, two, pictures], tmp_path, "detect") as output:  # type: ignore[list-item]
        for source in (one, two):
            output.write(source, frame(0, 0, noise), noise)  # type: ignore[arg-type]
        for name in ("in/x.jpg", "in/a/x.jpg"):
            output.write(pictures, Frame(name, 0, 0, noise), noise)
        still = output.write_still(noise)
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["a/x.jpg", "door-2.mp4", "door.mp4", still.name, "x.jpg"]


def test_every_video_is_finished(
    tmp_path: Path, noise: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video whose end cannot be written does not keep the others from theirs."""
    close = VideoWriter.close

    def break_the_first(self: VideoWriter) -> None:
        close(self)
        if self.path.name == "a.mp4":
            raise OutputError("a.mp4: cannot be written on")

    monkeypatch.setattr(VideoWriter, "close", break_the_first)
    videos = [Video(f"{name}.mp4") for name in "abc"]
    output = RunOutput(videos, tmp_path, "detect")  # type: ignore[arg-type]
    for video in videos:
        output.write(video, frame(0, 0, noise), noise)  # type: ignore[arg-type]
    with output:
        pass
    assert output.failures == ["a.mp4: cannot be written on"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "c.mp4"]


def test_saved_frames_of_an_earlier_run_stay(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A key pressed in the window neither replaces a file nor ends the run."""
    (tmp_path / "frame.jpg").write_text("precious")
    for number in (2, 3):
        with RunOutput([Video()], tmp_path / "out.mp4", "detect") as output:  # type: ignore[list-item]
            assert output.write_still(noise).name == f"frame-{number}.jpg"
    assert (tmp_path / "frame.jpg").read_text() == "precious"


@pytest.mark.parametrize("keys", [[-1], [0x100000 | ord(" "), -1]])
def test_a_waiting_window_sees_that_the_run_is_stopped(
    noise: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, keys: list[int]
) -> None:
    """A picture that waits for a key, and a video that is paused, after SIGTERM."""
    stop, pressed = threading.Event(), iter(keys)

    def press(_: int) -> int:
        if (key := next(pressed)) == -1:
            stop.set()
        return key

    monkeypatch.setattr(cv2, "imshow", lambda *_: None)
    monkeypatch.setattr(cv2, "waitKey", press)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1)
    window = Window("test", lambda _: None, stop)
    assert window.show(noise, wait=len(keys) == 1)
    assert next(pressed, None) is None


def test_contact_sheets_do_not_replace_others(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """The second sheet of a long run may have been there."""
    (tmp_path / "sheet-2.png").write_text("precious")
    grid = Grid(tmp_path / "sheet.png")
    for _ in range(2 * COLUMNS * ROWS - 1):
        grid.add("a.jpg", noise)
    with pytest.raises(OutputError, match=r"sheet-2\.png: exists already"):
        grid.flush()
    assert (tmp_path / "sheet-2.png").read_text() == "precious"
    assert read_picture(tmp_path / "sheet.png").shape == (ROWS * 240, COLUMNS * 320, 3)


def test_blurred_faces_cannot_be_recognised(samples: Path) -> None:
    """Inside the face no detail is left; outside nothing has changed."""
    picture = read_picture(samples / "astronaut.jpg")
    box = np.array([[179, 58, 271, 177]], np.float32)
    blurred = blur_faces(picture.copy(), box)
    inside = (slice(80, 160), slice(195, 255))
    detail = np.abs(np.diff(picture[inside].astype(int), axis=1)).mean()
    assert np.abs(np.diff(blurred[inside].astype(int), axis=1)).mean() < detail / 2
    assert (blurred[250:] == picture[250:]).all()
    blur_faces(picture, np.array([[-50, -50, 20, 20], [600, 600, 700, 700]], np.float32))


def test_gamma_brightens_as_photographers_mean_it() -> None:
    """2.0 takes a quarter of the light to a half; 1.0 changes nothing."""
    assert gamma_table(2.0)[64] == pytest.approx(128, abs=1)
    assert (gamma_table(1.0) == np.arange(256)).all()
    assert gamma_table(0.5)[128] == pytest.approx(64, abs=1)


def test_many_videos_are_what_archive_is_for(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run over so many says so, once; fewer say nothing of it."""
    options = DetectOptions(
        (str(samples / "astronaut.mp4"),), stream=StreamOptions(max_frames=1), save=False
    )
    said: list[str] = []
    run.run(options, log=said.append)
    assert not any("archive" in line for line in said)
    monkeypatch.setattr(run, "MANY_VIDEOS", 1)
    run.run(options, log=said.append)
    assert sum("maskdet archive" in line for line in said) == 1
