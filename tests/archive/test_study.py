"""A study from begin to end in one process: what is found, written, broken off and gone on with."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from maskdet.archive import inventory, reading
from maskdet.archive import run as running
from maskdet.archive.cutting import Piece
from maskdet.archive.models import labels_of
from maskdet.archive.opening import opened
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.reading import PieceSource
from maskdet.archive.run import Tally, begin, resume
from maskdet.archive.study import Study
from maskdet.archive.tasks import Failure, Task
from maskdet.errors import MaskdetError, OptionError, OutputError, SourceError, UnreachableError
from maskdet.extras import missing
from maskdet.media.inputs.containers import decode
from maskdet.stream import StreamOptions
from maskdet.vision.networks import NetworkOptions
from square_films import HEIGHT, WIDTH, Killed, OwnCrew, no_bar, write_film

pytestmark = pytest.mark.skipif(bool(missing("archive")), reason="needs the extra archive")
SHORT = WorkOptions(piece_seconds=5, warm_up=2)
TABLES = ("faces", "tracks", "pieces")


def do(
    output: Path, *sources: object, work: WorkOptions = SHORT, again: bool = False,
    most: int | None = None, fail: Any = None, given: dict[str, Any] | None = None,
    log: Any = lambda _: None,
) -> tuple[Tally, list[Task]]:  # fmt: skip
    """Begins a study, or goes on with it, and returns what came of it and what was done."""
    crews: list[OwnCrew] = []

    def make_crew(size: int, root: str, study: Study) -> OwnCrew:
        crews.append(OwnCrew(size, root, study))
        crews[0].most, crews[0].fail = most, fail or crews[0].fail
        return crews[0]

    options = ArchiveOptions(tuple(map(str, sources)), str(output), work, workers=2)
    arguments: dict[str, Any] = {"log": log, "progress": no_bar, "make_crew": make_crew}
    tally = resume(options, given or {}, **arguments) if again else begin(options, **arguments)
    return tally, crews[0].done if crews else []


def rows(output: Path, table: str) -> list[dict[str, Any]]:
    """Reads a table, without what differs from run to run."""
    import pyarrow.parquet as pq

    found = pq.read_table(output / table).to_pylist()
    for row in found:
        for name in ("seconds", "processor_seconds", "finished", "attempts"):
            row.pop(name, None)
    return sorted(found, key=str)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a long film, and short ones, two of one name, in folders."""
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "long.mp4", 170, start="2021-03-04T10:59:55Z")
    write_film(folder / "monday" / "door.mp4", 30)
    write_film(folder / "tuesday" / "door.mp4", 20)
    return folder


@pytest.fixture(scope="module")
def whole(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of these that nothing disturbed."""
    output = tmp_path_factory.mktemp("studies") / "whole"
    do(output, films)
    return output


def test_tables_of_a_study(films: Path, whole: Path) -> None:
    """Faces, people and pieces are there, by their whole paths, with wall times where known."""
    faces, tracks, pieces = (rows(whole, name) for name in TABLES)
    assert {row["source"] for row in faces} == {
        str(films / name) for name in ("long.mp4", "monday/door.mp4", "tuesday/door.mp4")
    }
    assert sum(row["frames"] for row in pieces) == 220
    assert sum(row["faces"] for row in pieces) == len(faces) == sum(row["frames"] for row in tracks)
    long = [row for row in faces if row["source"].endswith("long.mp4")]
    assert {row["wall_time"].isoformat()[:16] for row in long} == {
        "2021-03-04T10:59", "2021-03-04T11:00"
    }  # fmt: skip
    assert {row["wall_time"] for row in faces if row not in long} == {None}
    assert {row["label"] for row in tracks} == {"with_mask", "without_mask"}
    assert all(row["person"] for row in tracks)
    assert not any((whole / ".work").iterdir())
    assert not list(whole.rglob("*.partial*"))


# Of eight tasks: a video cut, four pieces, joined, two films at once, joined.
@pytest.mark.parametrize("most", [0, 3, 5, 7])
def test_a_run_that_was_killed_is_gone_on_with(
    films: Path, whole: Path, tmp_path: Path, most: int
) -> None:
    """Wherever it was broken off, what is missing is done, and nothing twice."""
    output = tmp_path / "study"
    done: list[Task] = []
    try:
        do(output, films, most=most)
    except Killed:
        _, done = do(output, again=True)
        assert len(done) <= 8 - most + 1
    for name in TABLES:
        assert rows(output, name) == rows(whole, name)
    tally, done = do(output, again=True)
    assert (tally.files, done) == (0, [])


def test_a_piece_that_kills_its_worker_is_given_up(films: Path, tmp_path: Path) -> None:
    """After three attempts; those together with it, and all others, are done."""
    killer = str(films / "monday" / "door.mp4")

    def fail(task: Task) -> Failure | None:
        looked = [task.part.entries[place].source for place, _ in task.jobs]
        return Failure("it died") if task.kind == "look" and killer in looked else None

    tally, done = do(tmp_path / "study", films, fail=fail)
    assert tally.failures == [f"{killer}: given up after 3 attempts: it died"]
    pieces = rows(tmp_path / "study", "pieces")
    assert [row["source"] for row in pieces if row["reason"]] == [killer]
    assert sum(row["frames"] for row in pieces) == 190
    alone = [task for task in done if len(task.jobs) == 1 and fail(task)]
    assert len(alone) == 3


def test_a_lost_machine_is_no_fault_of_the_piece(films: Path, whole: Path, tmp_path: Path) -> None:
    """However often machines are lost, their pieces are tried again."""
    left = [6]

    def fail(task: Task) -> Failure | None:
        left[0] -= task.kind == "look"
        return Failure("lost", counts=False) if left[0] >= 0 and task.kind == "look" else None

    tally, _ = do(tmp_path / "study", films, fail=fail)
    assert tally.failures == []
    assert rows(tmp_path / "study", "faces") == rows(whole, "faces")


def test_what_cannot_be_read_is_in_the_inventory(tmp_path: Path) -> None:
    """Damaged, empty, audio-only and encrypted files and pictures: a reason each, no lost run."""
    import av
    import numpy as np

    folder = tmp_path / "films"
    good = write_film(folder / "good.mp4", 20)
    data = good.read_bytes()
    (folder / "noise.mp4").write_bytes(random.Random(0).randbytes(3000))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "half.mp4").write_bytes(data[: len(data) // 2])
    # What follows the header is not what it says: as of an encrypted file without its key.
    at = data.index(b"mdat") + 4
    rest = data.find(b"moov", at) - 4
    (folder / "locked.mp4").write_bytes(
        data[:at] + random.Random(0).randbytes(rest - at) + data[rest:]
    )
    with av.open(str(folder / "sound.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    (folder / "notes.csv").write_text("no video")
    said: list[str] = []
    tally, _ = do(tmp_path / "study", folder, log=said.append)
    reasons = {
        Path(row["source"]).name: row["reason"] for row in rows(tmp_path / "study", "pieces")
    }
    assert reasons["good.mp4"] is None
    assert reasons["empty.mp4"] == "is empty"
    assert "has no video stream" in reasons["sound.mp4"]
    assert {name for name, reason in reasons.items() if reason} == {
        "empty.mp4", "half.mp4", "locked.mp4", "noise.mp4", "sound.mp4",
    }  # fmt: skip
    assert tally.failed == 5
    assert "does not look at 1 file that are no videos" in said
    listed = {
        Path(row["source"]).name: row["reason"] for row in rows(tmp_path / "study", "inventory")
    }
    assert listed.keys() == reasons.keys()
    assert listed["sound.mp4"] == reasons["sound.mp4"]


def test_a_folder_that_changes(tmp_path: Path) -> None:
    """What is gone when its turn comes has a reason; what grew says so; what is new comes along."""
    folder = tmp_path / "films"
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_film(folder / name, 20)

    def fail(task: Task) -> Failure | None:
        if task.kind == "look":
            (folder / "a.mp4").unlink(missing_ok=True)
            with (folder / "b.mp4").open("ab") as file:
                file.write(bytes(100))
        return None

    do(tmp_path / "study", folder, fail=fail)
    pieces = {Path(row["source"]).name: row for row in rows(tmp_path / "study", "pieces")}
    assert pieces["a.mp4"]["reason"]
    assert [pieces[name]["changed"] for name in ("b.mp4", "c.mp4")] == [True, False]
    write_film(folder / "d.mp4", 20)
    said: list[str] = []
    tally, _ = do(tmp_path / "study", again=True, log=said.append)
    assert tally.files == 1
    assert "1 file more than before" in said
    assert {Path(row["source"]).name for row in rows(tmp_path / "study", "faces")} == {
        "b.mp4", "c.mp4", "d.mp4"
    }  # fmt: skip


def test_a_disk_that_is_taken_away_and_comes_back(films: Path, whole: Path, tmp_path: Path) -> None:
    """What was out of reach in one run is done by the next, what was done is not done again."""
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    shutil.copytree(films, disk)

    def take(task: Task) -> None:
        # In the long film, before its third piece; the others are done.
        if task.kind == "look" and task.jobs[0][1].number == 2 and disk.exists():
            disk.rename(elsewhere)

    tally, done = do(tmp_path / "study", disk, fail=take)
    assert tally.failed == tally.away == 2
    assert all("given up after 3 attempts" in line for line in tally.failures)
    assert sum(row["frames"] for row in rows(tmp_path / "study", "pieces")) == 150
    looked = sum(task.kind == "look" for task in done)
    assert looked == 1 + 2 + 2 * 3

    said: list[str] = []
    tally, done = do(tmp_path / "study", again=True, log=said.append)
    assert (tally.files, done) == (0, [])
    assert "1 video that could not be reached: not there now either" in said

    elsewhere.rename(disk)
    tally, done = do(tmp_path / "study", again=True)
    assert (tally.failed, tally.away) == (0, 0)
    pieces = [(task.jobs[0][1].number, len(task.jobs)) for task in done if task.kind == "look"]
    assert sorted(pieces) == [(2, 1), (3, 1)]
    for name in TABLES:
        assert [row | {"source": None} for row in rows(tmp_path / "study", name)] == [
            row | {"source": None} for row in rows(whole, name)
        ]
    assert not any((tmp_path / "study" / ".work").iterdir())
    tally, done = do(tmp_path / "study", again=True)
    assert (tally.files, done) == (0, [])


def test_a_disk_that_goes_in_the_middle_of_a_film(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read on because it is gone is out of reach; what is damaged is not."""
    film = tmp_path / "long.mp4"
    shutil.copy(films / "long.mp4", film)

    def breaking(*arguments: Any) -> Iterator[Any]:
        yield from islice(decode(*arguments), 20)
        raise SourceError("cannot be read on (Input/output error)")

    monkeypatch.setattr(reading, "decode", breaking)
    source = PieceSource(str(film), Piece(), SHORT)
    assert len(list(source)) == 20
    assert source.failures == ["after frame 19, cannot be read on (Input/output error)"]
    frames = iter(PieceSource(str(film), Piece(), SHORT))
    assert next(frames).number == 0
    film.unlink()
    with pytest.raises(UnreachableError, match="is gone after frame 19"):
        list(frames)


def test_what_could_not_be_reached_when_it_was_listed(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the inventory with its reason, and looked at when its turn comes."""
    away = str(films / "monday" / "door.mp4")

    @contextmanager
    def silent(source: str, *rest: Any, **more: Any) -> Iterator[Any]:
        if source == away:
            raise UnreachableError(f"{source}: did not answer within 30 seconds")
        with opened(source, *rest, **more) as container:
            yield container

    monkeypatch.setattr(inventory, "opened", silent)
    tally, _ = do(tmp_path / "study", films)
    assert tally.failures == []
    listed = {row["source"]: row for row in rows(tmp_path / "study", "inventory")}
    assert listed[away]["reason"] == "did not answer within 30 seconds"
    assert [row["away"] for row in listed.values()].count(True) == 1
    assert away in {row["source"] for row in rows(tmp_path / "study", "faces")}


def test_a_film_that_grows_while_pieces_are_looked_at(tmp_path: Path) -> None:
    """Each frame is in one row, with those that came; the last piece says that there were some."""
    folder = tmp_path / "films"
    data = write_film(tmp_path / "whole.ts", 200).read_bytes()
    film = folder / "live.ts"
    folder.mkdir()
    film.write_bytes(data[: len(data) * 3 // 4 // 188 * 188])

    def fail(task: Task) -> Failure | None:
        if task.kind == "look" and task.jobs[0][1].number == 1:
            film.write_bytes(data)
        return None

    tally, done = do(tmp_path / "study", folder, fail=fail)
    assert tally.failures == []
    assert sum(task.kind == "look" for task in done) > 2
    pieces = sorted(rows(tmp_path / "study", "pieces"), key=lambda row: row["piece"])
    assert sum(row["frames"] for row in pieces) == 200
    assert [row["changed"] for row in pieces] == [False, *[True] * (len(pieces) - 1)]
    frames = [row["frame"] for row in rows(tmp_path / "study", "faces")]
    assert max(frames.count(frame) for frame in set(frames)) <= 2
    assert max(frames) > 190


def test_frames_are_turned(films: Path, tmp_path: Path) -> None:
    """--rotate turns them before they are looked at, and the faces of the report."""
    import numpy as np

    from maskdet.archive.reporting.contact import face_pictures
    from maskdet.archive.reporting.figures import FaceSpot

    film = films / "tuesday" / "door.mp4"
    turned = WorkOptions(stream=StreamOptions(rotate=180))
    do(tmp_path / "study", film, work=turned)
    do(tmp_path / "upright", film)
    found = rows(tmp_path / "study", "faces")
    upright = rows(tmp_path / "upright", "faces")
    assert sorted((row["frame"], row["left"], row["top"], row["label"]) for row in found) == sorted(
        (row["frame"], WIDTH - row["right"], HEIGHT - row["bottom"], row["label"])
        for row in upright
    )
    row = next(row for row in found if row["label"] == "with_mask")
    box = (row["left"], row["top"], row["right"], row["bottom"])
    spot = FaceSpot(row["source"], row["time"], box, row["label"], row["confidence"])
    (right,) = face_pictures([spot], show_faces=True, rotate=180)
    (wrong,) = face_pictures([spot], show_faces=True)
    assert right is not None
    assert wrong is not None
    assert np.mean(right[50:62, 50:62]) > 220 > np.mean(wrong[50:62, 50:62])
    with pytest.raises(OutputError, match="was begun with rotate 180, not 90"):
        do(tmp_path / "study", again=True, given={"rotate": 90})


def test_other_options_and_networks_are_refused(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study is gone on with as it was begun, or not at all."""
    with pytest.raises(OutputError, match="was begun with every 1, not 3"):
        do(whole, again=True, given={"every": 3})
    with pytest.raises(OutputError, match="was begun with face-size None, not 320"):
        do(whole, again=True, given={"face_size": 320})
    do(whole, again=True, given={"every": 1, "piece_seconds": 5.0})
    monkeypatch.setattr(running, "fingerprints", lambda *_: ["other.tflite 00"])
    with pytest.raises(OutputError, match="other networks"):
        do(whole, again=True)


def test_outputs_that_cannot_be_used(films: Path, whole: Path, tmp_path: Path) -> None:
    """Another study, folders of others, no study, a damaged one: a line each."""
    with pytest.raises(OutputError, match="--resume"):
        do(whole, films)
    (tmp_path / "other" / "faces").mkdir(parents=True)
    (tmp_path / "other" / "faces" / "me.jpg").write_bytes(b"")
    with pytest.raises(OutputError, match="folder faces that no study wrote"):
        do(tmp_path / "other", films)
    with pytest.raises(OutputError, match="holds no study"):
        do(tmp_path / "nothing", again=True)
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(OutputError, match="is damaged"):
        do(tmp_path, again=True)
    with pytest.raises(SourceError, match="no such file"):
        do(tmp_path / "new", films / "none.mp4")
    # What was named wrongly has begun nothing.
    do(tmp_path / "new", films / "tuesday")


def test_a_full_disk_ends_the_run_in_a_line(films: Path, small_disk: Path) -> None:
    """It says what cannot be written; what was asked for is not lost for good."""
    (small_disk / "filler").write_bytes(bytes(84 << 10))
    with pytest.raises(MaskdetError, match="cannot be written"):
        do(small_disk / "study", films)
    (small_disk / "filler").unlink()
    tally, _ = do(small_disk / "study", again=True)
    assert tally.files_done == 3


def test_lists_patterns_and_repeats(films: Path, tmp_path: Path) -> None:
    """A file that is named three ways is looked at once; a study is not looked into."""
    (tmp_path / "list.txt").write_text(f"{films}/monday\n")
    do(tmp_path / "study", tmp_path / "list.txt", f"{films}/**/door.mp4", films / "monday/door.mp4")
    sources = {row["source"] for row in rows(tmp_path / "study", "pieces")}
    assert sources == {str(films / day / "door.mp4") for day in ("monday", "tuesday")}


@pytest.mark.skipif(os.name != "posix", reason="needs locks of POSIX")
def test_two_runs_at_once(whole: Path) -> None:
    """The second one says that there is a first."""
    import fcntl

    with (whole / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another run is at work"):
            do(whole, again=True)


def test_what_a_study_says_of_itself(whole: Path) -> None:
    """Options, networks and version stand in it."""
    said = json.loads((whole / "study.json").read_text())
    assert said["options"]["piece_seconds"] == 5
    assert any(name.startswith("mask_detector.json ") for name in said["models"])
    piece = rows(whole, "pieces")[0]
    assert (piece["version"], piece["models"]) == (said["version"], said["models"])


def test_options_are_kept_as_they_were_given() -> None:
    """What a study is gone on with equals what it was begun with, merged labels, too."""
    work = WorkOptions(NetworkOptions(merge=(("with_mask", "without_mask"),), face_size=320))
    assert WorkOptions.from_json(json.loads(json.dumps(work.to_json()))) == work
    # What cannot be merged is refused before anything is begun.
    with pytest.raises(OptionError, match="--merge"):
        labels_of(replace(work.networks, merge=(("none", "with_mask"),)), print)
