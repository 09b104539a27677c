"""What moves, frame by frame: followed, and let go of however the loop ends."""

import gc
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

import maskdet as package
from command_line import SAMPLES
from mjpeg_server import serving

VIDEO = SAMPLES / "astronaut.mp4"


@pytest.fixture(scope="module")
def detector() -> package.Detector:
    """The bundled models."""
    return package.load()


def open_files() -> int:
    """Returns how many times the process has the video open (Linux)."""
    folder = Path("/proc/self/fd")
    # Whoever runs the tests opens files of its own.
    return sum(os.path.realpath(file) == str(VIDEO) for file in folder.glob("*"))


def test_faces_are_followed(detector: package.Detector) -> None:
    """Frames come in order, and a person keeps the number; without tracking there is none."""
    seen = list(detector.watch(VIDEO, max_frames=5))
    assert [faces.frame for faces in seen] == [0, 1, 2, 3, 4]
    assert {faces[0].track for faces in seen} == {1}
    assert seen[4].time > seen[1].time > 0
    assert seen[0].to_dict()["source"] == str(VIDEO)
    assert next(detector.watch(VIDEO, track=False))[0].track is None


def test_frames_are_explained_by_themselves(detector: package.Detector) -> None:
    """A frame of a video has a heat map, too."""
    faces = next(detector.watch(VIDEO, width=256))
    assert faces.image.shape[1] == 256
    assert faces.heatmap().bgr.shape[1] > 256


def test_folders_and_lists_are_gone_through(detector: package.Detector, tmp_path: Path) -> None:
    """The pictures and videos of a folder come one after another, as do those of a list."""
    shutil.copy(VIDEO, tmp_path)
    shutil.copy(SAMPLES / "astronaut.jpg", tmp_path)
    names = [Path(faces.source).name for faces in detector.watch(tmp_path, max_frames=2)]
    assert names == ["astronaut.jpg", "astronaut.mp4", "astronaut.mp4"]
    listed = detector.watch([tmp_path / "astronaut.jpg", VIDEO], max_frames=1)
    assert len(list(listed)) == 2


@pytest.mark.parametrize("end", ["break", "error", "close", "forgotten", "never begun"])
def test_sources_are_let_go_however_the_loop_ends(detector: package.Detector, end: str) -> None:
    """After many loops that ended early no thread and no file is left."""
    kept = detector.watch(VIDEO)
    next(kept)
    assert open_files() == (1 if Path("/proc/self/fd").is_dir() else 0)
    kept.close()
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(8):
        watched = detector.watch(VIDEO)
        if end == "break":
            for _ in watched:
                break
        elif end == "error":
            with pytest.raises(ZeroDivisionError):
                [1 / (faces.frame * 0) for faces in watched]
        elif end == "close":
            next(watched)
            watched.close()
        elif end == "forgotten":
            next(watched)
        del watched
    gc.collect()
    assert threading.active_count() == threads
    assert open_files() == files


def test_closing_the_detector_ends_what_is_watched() -> None:
    """A loop in which the detector is closed ends with the frame it has."""
    seen = 0
    with package.load() as detector:
        for _ in detector.watch(VIDEO):
            seen += 1
            detector.close()
    assert seen == 1


def test_a_detector_that_is_forgotten_is_gone() -> None:
    """Nothing keeps one that nobody has any more: no loop, no result of another."""
    gc.collect()
    threads = threading.active_count()
    for _ in range(3):
        detector = package.load()
        next(detector.watch(VIDEO)).heatmap()
        del detector
    gc.collect()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("source", "options", "error", "words"),
    [
        (-1, {}, ValueError, "expected a camera's number from 0"),
        (None, {}, TypeError, "got None"),
        (True, {}, TypeError, "got bool"),
        (b"data", {}, TypeError, "pictures in memory are given to the detector itself"),
        ([], {}, ValueError, "empty list"),
        (VIDEO, {"max_frames": 0}, ValueError, "max_frames: expected at least 1, got 0"),
        (VIDEO, {"width": 1}, ValueError, "width: expected 16 to 16384"),
        (VIDEO, {"gamma": 0}, ValueError, "gamma: expected 0.1 to 10"),
        (VIDEO, {"track": "yes"}, TypeError, "track: expected True or False"),
        (VIDEO, {"frames": 3}, TypeError, "frames"),
    ],
)
def test_bad_arguments_are_refused_at_once(
    detector: package.Detector,
    source: object,
    options: dict[str, object],
    error: type[Exception],
    words: str,
) -> None:
    """Not only when the first frame is asked for."""
    with pytest.raises(error, match=words):
        detector.watch(source, **options)  # type: ignore[arg-type]


def test_a_source_that_is_not_there_is_told_with_the_first_frame(
    detector: package.Detector,
) -> None:
    """A missing file is a SourceError of the loop."""
    with pytest.raises(package.SourceError, match=r"nowhere\.mp4: no such file"):
        next(detector.watch("nowhere.mp4"))


@pytest.mark.server
@pytest.mark.parametrize("end", ["break", "close the detector"])
def test_cameras_are_let_go_of(end: str) -> None:
    """A live stream gives its newest frame with the time on the clock, and its threads end."""
    with serving(SAMPLES / "astronaut.jpg") as address, package.load() as detector:
        gc.collect()
        threads = threading.active_count()
        for faces in detector.watch(address):
            assert faces.labels == ["without_mask"]
            assert faces.wall_time is not None
            if end == "break":
                break
            threading.Timer(0.2, detector.close).start()
        deadline = time.monotonic() + 10
        # Those of the server take a moment to find out.
        while threading.active_count() > threads and time.monotonic() < deadline:
            time.sleep(0.05)
        assert threading.active_count() <= threads
