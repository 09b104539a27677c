"""How frames of a video are shown: their shape, their turn, their number, their size."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import SourceError
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source, open_sources


def _circle(width: int, height: int, aspect: float) -> NDArray[np.uint8]:
    """Draws what is a circle where pixels are so many times as wide as high."""
    picture = np.zeros((height, width, 3), np.uint8)
    radius = min(height / 3, width * aspect / 3)
    axes = (round(radius / aspect), round(radius))
    cv2.ellipse(picture, (width // 2, height // 2), axes, 0, 0, 360, (255, 255, 255), -1)
    return picture


def _write(path: Path, picture: NDArray[np.uint8], aspect: Fraction, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def _proportions(image: NDArray[np.uint8]) -> float:
    """Returns how many times as wide as high the white part of a picture is."""
    rows, columns = np.nonzero(image[..., 0] > 128)
    return float(np.ptp(columns) + 1) / float(np.ptp(rows) + 1)


@pytest.mark.parametrize(
    ("size", "aspect", "codec", "name", "shown"),
    [
        ((720, 576), Fraction(16, 11), "libx264", "pal.mp4", (1047, 576)),
        ((720, 576), Fraction(64, 45), "mpeg2video", "dvd.mpg", (1024, 576)),
        ((720, 480), Fraction(8, 9), "libx264", "ntsc.mkv", (720, 540)),
        ((352, 480), Fraction(20, 11), "libx264", "half.ts", (640, 480)),
        ((1440, 1080), Fraction(4, 3), "libx264", "hdv.mov", (1920, 1080)),
        ((96, 64), Fraction(1, 1), "libx264", "square.mp4", (96, 64)),
        ((96, 64), Fraction(1, 400), "libx264", "nonsense.mkv", (96, 64)),
    ],
)
def test_pixels_become_square(
    tmp_path: Path,
    size: tuple[int, int],
    aspect: Fraction,
    codec: str,
    name: str,
    shown: tuple[int, int],
) -> None:
    """Tapes, discs and broadcasts are shown as players show them: a circle is round."""
    path = tmp_path / name
    nonsense = aspect < Fraction(1, 8)
    _write(path, _circle(*size, 1 if nonsense else float(aspect)), aspect, codec)
    (frame,) = open_source(str(path))
    assert frame.image.shape == (shown[1], shown[0], 3)
    assert _proportions(frame.image) == pytest.approx(1, abs=0.03)
    assert frame.image.flags.c_contiguous


def test_stretched_and_turned(tmp_path: Path) -> None:
    """A turn is one of what is shown: the pixels become square before it."""
    path = tmp_path / "phone.mp4"
    picture = _circle(96, 64, 2.0)
    picture[:10, :10] = 255
    _write(path, picture, Fraction(2, 1), "libx264")
    data = bytearray(path.read_bytes())
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    # The track header of version 0 holds the matrix 44 bytes into the box's content.
    start = data.rindex(b"tkhd") + 44
    data[start : start + 36] = matrix
    path.write_bytes(data)
    (frame,) = open_source(str(path))
    assert frame.image.shape == (192, 64, 3)
    # A quarter clockwise: what was at the top on the left is at the top on the right.
    assert frame.image[:15, -6:].mean() > 200
    assert frame.image[-15:, :].mean() < 20


def test_gif_keeps_its_shape(tmp_path: Path) -> None:
    """Viewers pass over the pixels' shape that a GIF states; so it stays."""
    from PIL import Image

    stills = [Image.fromarray(np.full((40, 60, 3), level, np.uint8)) for level in (0, 200)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:])
    data = bytearray((tmp_path / "a.gif").read_bytes())
    data[12] = 100
    (tmp_path / "a.gif").write_bytes(data)
    assert {frame.image.shape for frame in open_source(str(tmp_path / "a.gif"))} == {(40, 60, 3)}


@pytest.mark.parametrize("name", ["raw.mjpeg", "raw.MJPG", "raw.h264", "raw.264", "raw.hevc"])
def test_frames_without_a_container(tmp_path: Path, noise: NDArray[np.uint8], name: str) -> None:
    """All of a bare stream's frames are read, by itself and in a folder; as the case raw.mjpeg."""
    path = tmp_path / name
    if name.lower().startswith("raw.mj"):
        one = cv2.imencode(".jpg", noise)[1].tobytes()
        path.write_bytes(one * 12)
    else:
        codec, form = ("libx265", "hevc") if name == "raw.hevc" else ("libx264", "h264")
        with av.open(str(path), "w", format=form) as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = noise.shape[:2]
            stream.pix_fmt = "yuv420p"
            if codec == "libx265":
                stream.options = {"x265-params": "log-level=none"}
            frames = [av.VideoFrame.from_ndarray(noise, format="bgr24") for _ in range(12)]
            for frame in [*frames, None]:
                container.mux(stream.encode(frame))
    (of_folder,) = open_sources([str(tmp_path)])
    for source in (open_source(str(path)), of_folder):
        assert source.kind == "video"
        frames = list(source)
        assert len(frames) == 12
        assert [frame.time for frame in frames] == sorted({frame.time for frame in frames})
        assert source.frame_rate


def test_huge_videos_are_refused_by_their_header(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A video's frames may have as many pixels as pictures may, and an option raises that."""
    path = tmp_path / "large.mp4"
    _write(path, noise, Fraction(1, 1), "libx264")
    height, width = noise.shape[:2]
    limit = ReadOptions(max_pixels=height * width - 1)
    with pytest.raises(SourceError, match=rf"has {width}x{height} pixels, more than .* million"):
        open_source(str(path), limit)
    (source,) = open_sources([str(tmp_path)], limit)
    with pytest.raises(SourceError, match="more than"):
        list(source)
    assert len(list(open_source(str(path), ReadOptions(max_pixels=height * width)))) == 1


def test_a_video_that_grows(tmp_path: Path) -> None:
    """Frames that grow beyond the limit in the middle of a stream are not decoded."""
    path = tmp_path / "grows.mjpeg"
    small, large = (np.zeros((side, side, 3), np.uint8) for side in (32, 400))
    pictures = [small, small, large, large]
    path.write_bytes(b"".join(cv2.imencode(".jpg", one)[1].tobytes() for one in pictures))
    source = open_source(str(path), ReadOptions(max_pixels=2000))
    assert [frame.image.shape for frame in source] == [(32, 32, 3)] * 2
    assert "after frame 1, cannot be read on" in source.failures[0]
