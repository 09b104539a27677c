"""Reading pictures, folders and video, good and bad."""

import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from command_line import SAMPLES
from maskdet.errors import SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.inputs.pictures import PictureSource
from maskdet.media.inputs.video import VideoSource
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sources import open_source, open_sources


def test_picture_is_one_frame(samples: Path) -> None:
    """A picture file gives one upright BGR frame."""
    source = open_source(str(samples / "astronaut.jpg"))
    assert source.kind == "picture"
    (frame,) = source
    assert frame.image.shape == (512, 512, 3)
    assert frame.image.dtype == np.uint8


def test_colour_order_is_bgr(tmp_path: Path) -> None:
    """A pure red picture has its red in the last channel."""
    path = tmp_path / "red.png"
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 2] = 255
    cv2.imwrite(str(path), red)
    assert (read_picture(path) == (0, 0, 255)).all()


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("grey.png", np.full((5, 7), 200, np.uint8)),
        ("deep.png", np.full((5, 7), 200 * 257, np.uint16)),
        ("transparent.png", np.full((5, 7, 4), 200, np.uint8)),
        ("one.png", np.full((1, 1, 3), 200, np.uint8)),
    ],
)
def test_odd_pictures_become_bgr(tmp_path: Path, name: str, picture: NDArray[np.uint8]) -> None:
    """Grey, 16-bit, transparent and one-pixel pictures come out as 8-bit BGR of that brightness."""
    cv2.imwrite(str(tmp_path / name), picture)
    image = read_picture(tmp_path / name)
    assert image.shape == (*picture.shape[:2], 3)
    assert image.dtype == np.uint8
    assert (image == 200).all()


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A photograph that says it lies on its side is turned upright."""
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:, :8] = 255
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    # An APP1 segment with one tag: orientation 6, turn a quarter clockwise to view.
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    app1 = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    (tmp_path / "turned.jpg").write_bytes(data[:2] + app1 + data[2:])
    image = read_picture(tmp_path / "turned.jpg")
    assert image.shape == (16, 8, 3)
    assert image[2].mean() > 200
    assert image[13].mean() < 50


def _bad(tmp_path: Path, samples: Path) -> dict[str, Path]:
    whole = (samples / "astronaut.jpg").read_bytes()
    contents = {"empty": b"", "text": b"hello " * 50, "cut": whole[: len(whole) // 2]}
    paths = {}
    for name, data in contents.items():
        paths[name] = tmp_path / f"{name}.jpg"
        paths[name].write_bytes(data)
    paths["missing"] = tmp_path / "missing.jpg"
    return paths


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "is empty"),
        ("text", "not a picture"),
        ("cut", "cut short"),
        ("missing", "no such file"),
    ],
)
def test_bad_pictures_say_why(tmp_path: Path, samples: Path, name: str, words: str) -> None:
    """Each kind of unreadable picture has its own reason."""
    with pytest.raises(SourceError, match=words):
        read_picture(_bad(tmp_path, samples)[name])


def test_folder_passes_over_bad_pictures(tmp_path: Path, samples: Path) -> None:
    """In a folder the good pictures are read in order of name, the bad ones noted."""
    _bad(tmp_path, samples)
    for name in ("b.jpg", "a.jpg"):
        (tmp_path / name).write_bytes((samples / "coffee.jpg").read_bytes())
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "c.jpg").write_bytes((samples / "coffee.jpg").read_bytes())
    (source,) = open_sources([str(tmp_path)])
    assert [Path(frame.source).name for frame in source] == ["a.jpg", "b.jpg"]
    assert len(source.failures) == 3


def test_folder_of_bad_pictures_alone_is_an_error(tmp_path: Path) -> None:
    """When nothing in a folder can be read, that is what the user is told."""
    (tmp_path / "bad.jpg").write_text("no")
    (source,) = open_sources([str(tmp_path)])
    assert isinstance(source, PictureSource)
    with pytest.raises(SourceError, match="none of its 1"):
        list(source)


def test_video_gives_every_frame_with_its_time() -> None:
    """The sample video has 48 frames, 1/24 s apart."""
    source = open_source(str(SAMPLES / "astronaut.mp4"))
    assert (source.kind, source.frame_rate, source.frame_count) == ("video", 24.0, 48)
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(48))
    assert frames[0].time == 0
    assert frames[47].time == pytest.approx(47 / 24, abs=1e-3)
    assert frames[0].image.shape == (360, 480, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_titles_in_another_encoding(tmp_path: Path, suffix: str) -> None:
    """A video whose titles are not UTF-8, as old programs wrote them, is read all the same."""
    path = tmp_path / f"old{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        container.metadata["title"] = stream.metadata["title"] = "QQQQ"
        for packet in [*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode(None)]:
            container.mux(packet)
    written = path.read_bytes()
    assert b"QQQQ" in written
    path.write_bytes(written.replace(b"QQQQ", b"caf\xe9"))
    assert len(list(open_source(str(path)))) == 1


def test_video_colours_survive_the_round_trip(tmp_path: Path) -> None:
    """A red video is read back red, through both conversions to BGR."""
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 2] = 255
    with VideoWriter(tmp_path / "red.mp4", 10) as video:
        video.write(red)
    (frame,) = VideoSource(str(tmp_path / "red.mp4"))
    assert np.abs(frame.image.astype(int) - red).max() < 12


def test_truncated_video_gives_the_frames_it_has(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A video cut in the middle is read up to there."""
    with VideoWriter(tmp_path / "whole.mkv", 10) as video:
        for shift in range(40):
            video.write(np.roll(noise, shift, axis=1))
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    assert 0 < len(list(VideoSource(str(tmp_path / "cut.mkv")))) < 40


def test_damaged_video_goes_on_behind_the_damage(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """Bytes overwritten in the middle cost the frames they held, and are told."""
    with VideoWriter(tmp_path / "a.mp4", 10) as video:
        for shift in range(60):
            video.write(np.roll(noise, shift, axis=1))
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    middle = len(data) // 2
    # Frames are a kilobyte or two each; 0xff is the length of none of their parts.
    data[middle : middle + 6000] = b"\xff" * 6000
    (tmp_path / "a.mp4").write_bytes(data)
    source = VideoSource(str(tmp_path / "a.mp4"))
    frames = list(source)
    assert 30 < len(frames) < 60
    assert frames[-1].time == pytest.approx(5.9)
    (failure,) = source.failures
    assert "is damaged" in failure


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"hello " * 100, "not a picture or video"),
        ("notes.txt", b"hello " * 100, "not a picture or video"),
    ],
)
def test_bad_videos_say_why(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    """A file that is no video is named as such."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=words):
        open_source(str(tmp_path / name))


def test_video_without_frames(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A video whose frames cannot be decoded is an error, not an empty success."""
    with VideoWriter(tmp_path / "none.mp4", 10) as video:
        video.write(noise)
    data = bytearray((tmp_path / "none.mp4").read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    (tmp_path / "none.mp4").write_bytes(data)
    with pytest.raises(SourceError, match="no frames"):
        list(open_source(str(tmp_path / "none.mp4")))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.mp4", "nowhere.jpg"])
def test_missing_sources(name: str) -> None:
    """A path that does not exist is said to be missing."""
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(name)


@pytest.fixture
def archive(tmp_path: Path, samples: Path, noise: NDArray[np.uint8]) -> Path:
    """A folder of pictures and videos, some below it, one no video at all."""
    folder = tmp_path / "archive"
    for name in ("b.avi", "a.mp4", "below/a.mp4", ".hidden.mp4", ".thumbnails/c.mp4"):
        with VideoWriter(folder / name, 10) as video:
            video.write(noise)
            video.write(noise)
    (folder / "below" / "broken.mov").write_bytes(b"hello " * 100)
    (folder / "notes.md").write_text("no picture")
    (folder / "x.jpg").write_bytes((samples / "coffee.jpg").read_bytes())
    return folder


def test_folder_of_pictures_and_videos(archive: Path) -> None:
    """The pictures are one source, each video one; what is hidden or below is left out."""
    sources = open_sources([str(archive)])
    assert [(source.kind, source.name) for source in sources] == [
        ("pictures", str(archive)),
        ("video", str(archive / "a.mp4")),
        ("video", str(archive / "b.avi")),
    ]
    assert [len(list(source)) for source in sources] == [1, 2, 2]
    assert [source.frame_count for source in sources] == [1, 2, 2]
    assert sources[1].frame_rate == 10


def test_folder_to_the_bottom(archive: Path) -> None:
    """--recursive finds the videos below; one that is none fails when its turn comes."""
    sources = open_sources([str(archive)], ReadOptions(recursive=True))
    assert [Path(source.name).name for source in sources[1:]] == [
        "a.mp4",
        "b.avi",
        "a.mp4",
        "broken.mov",
    ]
    assert {source.folder for source in sources} == {archive}
    with pytest.raises(SourceError, match="not a picture or video"):
        list(sources[-1])


def test_videos_of_a_folder_are_not_held_open(archive: Path) -> None:
    """A folder of thousands takes no more open files than one of two."""
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else None
    sources = open_sources([str(archive)])
    if before is not None:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert len(sources) == 3


def test_a_video_named_twice(archive: Path) -> None:
    """Found in a folder and named by itself: records could not tell the two apart."""
    with pytest.raises(SourceError, match="is named 2 times"):
        open_sources([str(archive), str(archive / "a.mp4")])


def test_folder_without_pictures(tmp_path: Path) -> None:
    """An empty folder is said to have nothing to look at."""
    with pytest.raises(SourceError, match="has no pictures or videos; --recursive"):
        open_sources([str(tmp_path)])


def test_camera_that_is_not_there() -> None:
    """A camera number without a camera is one clear line."""
    with pytest.raises(SourceError, match="camera 97: cannot be opened"):
        open_source("97")


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "I;16", "RGBA", "LA"])
def test_colour_modes(tmp_path: Path, mode: str) -> None:
    """CMYK, palette, grey, 16-bit and transparent pictures come out in their colours."""
    value: object = {"CMYK": (0, 255, 255, 0), "RGBA": (255, 0, 0, 255), "LA": (90, 255)}.get(mode)
    if mode == "P":
        picture = Image.new("RGB", (20, 10), (255, 0, 0)).convert("P")
    else:
        picture = Image.new(mode, (20, 10), {"L": 90, "I;16": 90 * 257}.get(mode, value))
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture.save(path)
    image = read_picture(path)
    expected = (90, 90, 90) if mode in ("L", "I;16", "LA") else (0, 0, 255)
    assert np.abs(image.astype(int) - expected).max() <= 4


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_animations_are_videos(tmp_path: Path, suffix: str) -> None:
    """An animated picture gives its frames at their times; a still one stays a picture."""
    levels = [10, 120, 240]
    stills = [Image.fromarray(np.full((40, 60, 3), level, np.uint8)) for level in levels]
    path = tmp_path / f"moving{suffix}"
    stills[0].save(path, save_all=True, append_images=stills[1:], duration=100, lossless=True)
    source = open_source(str(path))
    assert source.kind == "video"
    frames = list(source)
    assert [frame.image.mean() for frame in frames] == pytest.approx(levels, abs=3)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2], abs=0.02)
    (of_folder,) = open_sources([str(tmp_path)])
    assert (of_folder.kind, len(list(of_folder))) == ("video", 3)
    named = open_source(f"front.door={path}")
    assert (named.name, named.kind, list(named.paths)) == ("front.door", "video", [path])
    assert [frame.source for frame in named] == ["front.door"] * 3
    stills[1].save(tmp_path / f"still{suffix}")
    still = open_source(str(tmp_path / f"still{suffix}"))
    assert still.kind == "picture"
    assert next(iter(still)).image.shape == (40, 60, 3)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_phone_videos_are_turned_upright(tmp_path: Path, degrees: int) -> None:
    """The rotation that a phone notes in its file is applied, as OpenCV does it, too."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = (0, 0, 255)
    path = tmp_path / "phone.mp4"
    with VideoWriter(path, 10) as video:
        video.write(picture)
    data = bytearray(path.read_bytes())
    turn = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    matrix = struct.pack(">9i", turn[0] << 16, turn[1] << 16, 0, turn[2] << 16, turn[3] << 16,
                         0, 0, 0, 1 << 30)  # fmt: skip
    # The track header of version 0 holds the matrix 44 bytes into the box's content.
    start = data.rindex(b"tkhd") + 44
    data[start : start + 36] = matrix
    path.write_bytes(data)
    (frame,) = open_source(str(path))
    read, expected = cv2.VideoCapture(str(path)).read()
    assert read
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 3


def test_video_without_timestamps(tmp_path: Path) -> None:
    """A bare H.264 stream says neither rate nor count: every frame, a time for each."""
    with av.open(tmp_path / "bare.h264", "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(0, 200, 20):
            picture = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    source = open_source(str(tmp_path / "bare.h264"))
    assert source.frame_rate
    frames = list(source)
    assert len(frames) == 10
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    assert times[0] == 0
