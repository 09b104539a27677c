"""Recordings as people get them: with the sound of their source, and one index in front."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import OutputError
from maskdet.media.inputs.live import LiveSource
from maskdet.media.inputs.video import VideoSource
from maskdet.media.outputs import RunOutput
from maskdet.media.recording.finish import finish
from maskdet.media.recording.writer import VideoWriter
from sound_clips import MARK, SECONDS, length, marks, write_clip


def boxes(path: Path) -> list[bytes]:
    """Returns the names of an MP4 file's outermost boxes."""
    data, names, at = path.read_bytes(), [], 0
    while at < len(data):
        names.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return names


def record(clip: Path, target: Path, *, frames: int | None = None, keep_times: bool = True) -> str:
    """Writes a clip's frames as a run does; returns what was said."""
    lines: list[str] = []
    source = VideoSource(str(clip))
    with RunOutput([source], target, "detect", keep_times=keep_times, log=lines.append) as output:
        for frame in islice(source, frames):
            output.write(source, frame, frame.image)
    assert not output.failures
    assert [path.name for path in target.parent.iterdir() if path != clip] == [target.name]
    return "\n".join(lines)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_index_is_in_front(tmp_path: Path, noise: NDArray[np.uint8], suffix: str) -> None:
    """A browser plays it while it fetches it: no fragments, and the index before the frames."""
    with VideoWriter(tmp_path / f"out{suffix}", 10) as video:
        for _ in range(50):
            video.write(noise)
    names = boxes(tmp_path / f"out{suffix}")
    assert names.index(b"moov") < names.index(b"mdat")
    assert b"moof" not in names


@pytest.mark.parametrize(
    ("clip", "sound", "begin", "target"),
    [
        ("a.mp4", "aac", 0.0, "out.mp4"),
        ("a.mp4", "aac", 0.0, "out.mkv"),
        ("a.mp4", "aac", 0.0, "out.avi"),
        ("a.mp4", "aac", 0.0, "out.mov"),
        # As broadcasts and pieces of a stream begin.
        ("a.ts", "aac", 37.0, "out.mp4"),
        ("a.ts", "mp2", 37.0, "out.mkv"),
        ("a.avi", "pcm_s16le", 0.0, "out.avi"),
        ("a.avi", "pcm_s16le", 0.0, "out.mkv"),
        ("a.mkv", "flac", 0.0, "out.mp4"),
        ("a.mkv", "libopus", 0.0, "out.mp4"),
        # As cameras record it.
        ("a.avi", "pcm_mulaw", 0.0, "out.mov"),
    ],
)
def test_sound_is_kept_in_time(
    tmp_path: Path, clip: str, sound: str, begin: float, target: str
) -> None:
    """The tone begins with the white frame, in every format and from every clock."""
    if target.endswith(".avi") and int(av.__version__.split(".")[0]) < 17:
        pytest.skip("needs PyAV 17, to copy frames into .avi at their rate")
    write_clip(tmp_path / clip, sound, begin=begin)
    assert record(tmp_path / clip, tmp_path / target) == ""
    white, tone = marks(tmp_path / target)
    before, after = marks(tmp_path / clip)
    assert after is not None
    assert tone is not None
    assert tone - white == pytest.approx(after - before, abs=0.03)
    assert white == pytest.approx(MARK, abs=0.15)
    assert length(tmp_path / target) == pytest.approx(SECONDS, abs=0.15)
    if target.endswith(".avi"):
        assert VideoSource(str(tmp_path / target)).frame_rate == 10


def test_sound_ends_with_the_frames(tmp_path: Path) -> None:
    """Of a run that was stopped, only what was seen is heard."""
    write_clip(tmp_path / "a.mp4")
    record(tmp_path / "a.mp4", tmp_path / "out.mp4", frames=10)
    assert length(tmp_path / "out.mp4") == pytest.approx(1.0, abs=0.1)


def test_sound_that_is_longer_than_the_frames(tmp_path: Path) -> None:
    """A talk under one picture is kept to its end."""
    write_clip(tmp_path / "a.mkv", seconds=9)
    record(tmp_path / "a.mkv", tmp_path / "out.mp4")
    assert length(tmp_path / "out.mp4") == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("sound", ["pcm_mulaw", "pcm_alaw"])
def test_sound_that_the_format_cannot_hold(tmp_path: Path, sound: str) -> None:
    """One line says so; the frames are whole."""
    write_clip(tmp_path / "a.avi", sound)
    said = record(tmp_path / "a.avi", tmp_path / "out.mp4")
    assert said.count("\n") == 0
    assert f"out.mp4: is without sound as a .mp4 file, which cannot hold {sound}" in said
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) == SECONDS * 10


def test_sound_at_another_rate(tmp_path: Path) -> None:
    """Frames that are shown faster than they were taken leave their sound behind, and say so."""
    write_clip(tmp_path / "a.mp4")
    said = record(tmp_path / "a.mp4", tmp_path / "out.mp4", keep_times=False)
    assert "is without sound, as its frames are shown at another rate" in said
    assert marks(tmp_path / "out.mp4")[1] is None


def test_sound_of_a_stream(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """That of a camera is not recorded, which is said once."""

    class Feed:
        frame_rate, has_sound = 10.0, True

        def __iter__(self) -> Iterator[NDArray[np.uint8]]:
            yield noise

        def close(self) -> None:
            """Has nothing to close."""

    lines: list[str] = []
    source = LiveSource("stream", "door", Feed(), Feed, reconnect=0)
    with RunOutput([source], tmp_path / "out.mp4", "detect", log=lines.append) as output:
        for frame in source:
            output.write(source, frame, frame.image)
    assert lines == [f"{tmp_path / 'out.mp4'}: is without sound, as that of door is not recorded"]


def test_a_damaged_sound_track(tmp_path: Path) -> None:
    """Where the file is cut off, sound ends; the frames that can be read are there."""
    write_clip(tmp_path / "a.ts")
    data = (tmp_path / "a.ts").read_bytes()
    (tmp_path / "a.ts").write_bytes(data[: len(data) // 2])
    record(tmp_path / "a.ts", tmp_path / "out.mp4")
    assert 1 < length(tmp_path / "out.mp4") < 3


def test_sound_of_a_file_with_titles_in_another_encoding(tmp_path: Path) -> None:
    """What the source's titles are written in is nothing to its sound."""
    write_clip(tmp_path / "a.avi", "pcm_s16le", title="QQQQ")
    written = (tmp_path / "a.avi").read_bytes()
    assert b"QQQQ" in written
    (tmp_path / "a.avi").write_bytes(written.replace(b"QQQQ", b"caf\xe9"))
    assert record(tmp_path / "a.avi", tmp_path / "out.mkv") == ""
    assert marks(tmp_path / "out.mkv")[1] == pytest.approx(MARK, abs=0.1)


def test_a_copy_that_cannot_be_written(
    tmp_path: Path, noise: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for a second copy the recording itself is what there is; it plays."""
    lines: list[str] = []
    opened = av.open

    def full(file: object, mode: str = "r", *arguments: object, **options: object) -> object:
        if mode == "w":
            raise OSError(28, "No space left on device")
        return opened(file, mode, *arguments, **options)  # type: ignore[call-overload]

    with VideoWriter(tmp_path / "out.mp4", 10, lines.append) as video:
        for _ in range(30):
            video.write(noise)
        monkeypatch.setattr(av, "open", full)
    monkeypatch.undo()
    assert lines == [
        f"{tmp_path / 'out.mp4'}: is without an index, as no second copy could be written "
        "(No space left on device)"
    ]
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) == 30
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_recording_that_is_gone(tmp_path: Path) -> None:
    """Somebody tidied up while it was written: one line, and no traceback."""
    with pytest.raises(OutputError, match="cannot be written"):
        finish(tmp_path / ".out.partial.mp4", tmp_path / "out.mp4", lambda _: None)
