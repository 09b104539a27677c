"""Writing pictures, video and records: whole files or none."""

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import OutputError
from maskdet.media.files import next_run_folder, replacing
from maskdet.media.frames import FALLBACK_FRAME_RATE, usable_rate
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.video import VideoSource
from maskdet.media.picture_files import picture_output_name, write_picture
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.records import JsonLines


def test_picture_round_trip(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A PNG is read back pixel for pixel."""
    write_picture(tmp_path / "new" / "a.png", noise)
    assert (read_picture(tmp_path / "new" / "a.png") == noise).all()


def test_picture_of_unknown_format(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A suffix that names no format is refused, and nothing is left behind."""
    with pytest.raises(OutputError, match="no picture format"):
        write_picture(tmp_path / "a.xyz", noise)
    assert not list(tmp_path.iterdir())


def test_gif_is_written_as_png() -> None:
    """A format that cannot be written well is written as PNG, under a name that says both."""
    assert picture_output_name("in/a.gif") == "a.gif.png"
    assert picture_output_name("in/a.JPG") == "a.JPG"


@pytest.mark.parametrize("name", ["out.mp4", "out.avi", "out.mkv", "out.mov"])
def test_video_can_be_read_back(tmp_path: Path, name: str) -> None:
    """Every format keeps frames, size, frame rate and what is on them."""
    with VideoWriter(tmp_path / name, 29.97) as video:
        for level in range(0, 250, 25):
            video.write(np.full((48, 64, 3), level, np.uint8))
    source = VideoSource(str(tmp_path / name))
    assert source.frame_rate == pytest.approx(29.97, abs=0.01)
    levels = [frame.image.mean() for frame in source]
    assert levels == pytest.approx(list(range(0, 250, 25)), abs=6)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.mp4", "out.avi", "out.mkv"])
def test_frames_are_shown_when_they_came(tmp_path: Path, name: str) -> None:
    """A camera that says 10 frames a second and gives fewer, with a gap, is not played faster."""
    times = [100.0, 100.1, 100.5, 102.0, 102.1]
    with VideoWriter(tmp_path / name, 10) as video:
        for time in times:
            video.write(np.full((48, 64, 3), round(time * 20) % 200, np.uint8), time)
    read = [frame.time for frame in VideoSource(str(tmp_path / name))]
    assert read == pytest.approx([time - 100 for time in times], abs=0.011)


def test_a_camera_faster_than_it_says(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Frames that come closer than the frame rate allows keep their times."""
    times = [index / 25 for index in range(20)]
    with VideoWriter(tmp_path / "out.mp4", 10) as video:
        for time in times:
            video.write(noise, time)
    read = [frame.time for frame in VideoSource(str(tmp_path / "out.mp4"))]
    assert read == pytest.approx(times, abs=0.011)


@pytest.mark.parametrize("name", ["out.mp4", "out.avi"])
def test_outages_and_clocks_set_back(tmp_path: Path, noise: NDArray[np.uint8], name: str) -> None:
    """A night without a picture takes a minute; a clock that jumps back takes one frame."""
    with VideoWriter(tmp_path / name, 10) as video:
        for time in (0, 0.1, 30_000, 30_000.1, 5, 5.1):
            video.write(noise, time)
    read = [frame.time for frame in VideoSource(str(tmp_path / name))]
    assert read == pytest.approx([0, 0.1, 60.1, 60.2, 60.3, 60.4], abs=0.011)


def test_avi_carries_the_xvid_tag(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Players of .avi look for the XVID tag."""
    with VideoWriter(tmp_path / "out.avi", 5) as video:
        video.write(noise)
    assert b"XVID" in (tmp_path / "out.avi").read_bytes()[:1000]


def test_video_of_odd_and_changing_sizes(tmp_path: Path) -> None:
    """Odd sides are padded to even ones; a frame of another size is fitted into the first's."""
    with VideoWriter(tmp_path / "out.mp4", 5) as video:
        video.write(np.full((47, 63, 3), 200, np.uint8))
        video.write(np.full((94, 63, 3), 200, np.uint8))
        video.write(np.full((10, 20, 3), 200, np.uint8))
    frames = list(VideoSource(str(tmp_path / "out.mp4")))
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 3
    # The tall frame fills the height and half the width; the rest is black.
    assert frames[1].image[24, 10].mean() > 150
    assert frames[1].image[24, 60].mean() < 60


def test_interrupted_video_keeps_its_frames(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """What was written before an error plays."""

    def broken_run() -> None:
        with VideoWriter(tmp_path / "out.mp4", 5) as video:
            video.write(noise)
            video.write(noise)
            raise RuntimeError("the detector broke")

    with pytest.raises(RuntimeError):
        broken_run()
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) == 2


@pytest.mark.parametrize("name", ["out.mp4", "out.avi", "out.mkv"])
def test_full_disk_stops_with_what_there_is(tmp_path: Path, name: str) -> None:
    """When the disk is full the run stops with one line, and the video so far plays."""
    program = f"""
import resource
from pathlib import Path
import numpy as np
from maskdet.errors import OutputError
from maskdet.media.recording.writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
generator = np.random.default_rng(0)
try:
    with VideoWriter(Path({str(tmp_path / name)!r}), 5) as video:
        for _ in range(400):
            video.write(generator.integers(0, 256, (120, 160, 3), dtype=np.uint8))
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "holds what was written so far" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert 10 < len(list(VideoSource(str(tmp_path / name)))) < 400


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("room", [0, 2_000, 6_000, 30_000, 70_000])
def test_full_disk_at_any_moment(small_disk: Path, suffix: str, room: int) -> None:
    """At the head, in the middle or with the last frames: one error, and what there is plays."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes((96 << 10) - room))
    path = small_disk / f"out{suffix}"
    generator = np.random.default_rng(0)

    def record(most: int) -> None:
        with VideoWriter(path, 10) as video:
            for _ in range(15):
                video.write(generator.integers(0, most, (96, 128, 3), dtype=np.uint8))

    with pytest.raises(OutputError, match="No space left on device") as caught:
        record(256)
    filler.unlink()
    plays = "holds what was written so far" in str(caught.value)
    assert [file.name for file in small_disk.iterdir()] == ([path.name] if plays else [])
    if plays:
        assert len(list(VideoSource(str(path)))) > 0
    record(2)
    assert len(list(VideoSource(str(path)))) == 15


def test_video_without_frames_leaves_no_file(tmp_path: Path) -> None:
    """Nothing written, nothing left."""
    with VideoWriter(tmp_path / "out.mp4", 5):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [1e-6, 1 / 2003, 0.01])
def test_very_slow_videos(tmp_path: Path, noise: NDArray[np.uint8], rate: float) -> None:
    """A picture an hour is a video, too."""
    with VideoWriter(tmp_path / "out.mp4", rate) as video:
        for number in range(3):
            video.write(noise, number * 3600)
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) == 3


@pytest.mark.parametrize("rate", [-1.0, 0.0, math.nan, math.inf, None])
def test_frame_rates_that_are_none(rate: float | None) -> None:
    """What cameras report that do not know theirs is taken as the usual rate."""
    assert usable_rate(rate) == FALLBACK_FRAME_RATE
    assert usable_rate(0.5) == 0.5


def test_a_video_whose_end_cannot_be_encoded(
    tmp_path: Path, noise: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is closed and has its name, with the frames before."""
    video = VideoWriter(tmp_path / "out.mp4", 5)
    for _ in range(30):
        video.write(noise)

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(video, "_encode", fail)
    with pytest.raises(OutputError, match="No space left"):
        video.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) > 0
    video.close()


def test_a_video_that_cannot_get_its_name(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A folder has come to stand there: one line that says where the video is."""
    video = VideoWriter(tmp_path / "out.mp4", 5)
    video.write(noise)
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(OutputError, match=r"out\.mp4: cannot be written .*partial\.mp4"):
        video.close()
    assert len(list(VideoSource(str(tmp_path / ".out.partial.mp4")))) == 1


def test_video_of_unknown_format(tmp_path: Path) -> None:
    """A suffix that names no video format is refused at once."""
    with pytest.raises(OutputError, match=r"\.avi, \.mkv, \.mov, \.mp4"):
        VideoWriter(tmp_path / "out.txt", 5)


def test_replacing_leaves_the_earlier_file_after_an_error(tmp_path: Path) -> None:
    """A file that could not be finished does not take the place of the old one."""
    target = tmp_path / "a.txt"
    target.write_text("old")

    def broken_write() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half of the ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_write()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_unwritable_places(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A folder that cannot be made is one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be created|is a file"):
        write_picture(tmp_path / "file" / "a.png", noise)
    with (
        pytest.raises(OutputError, match=r"cannot be created|is a file"),
        VideoWriter(tmp_path / "file" / "a.mp4", 5) as video,
    ):
        video.write(noise)


def test_run_folders_are_numbered_and_never_reused(tmp_path: Path) -> None:
    """Each run gets the first free number."""
    assert next_run_folder("detect", tmp_path) == tmp_path / "detect" / "1"
    (tmp_path / "detect" / "2").mkdir()
    assert next_run_folder("detect", tmp_path) == tmp_path / "detect" / "3"


def test_json_lines() -> None:
    """One object a line, letters beyond ASCII kept."""
    stream = io.StringIO()
    writer = JsonLines(stream)
    writer.write({"source": "Müller.jpg"})
    writer.write({"frame": 1})
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"source": "Müller.jpg"},
        {"frame": 1},
    ]
    assert "Müller" in stream.getvalue()
