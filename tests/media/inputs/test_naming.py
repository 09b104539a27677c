"""What sources are called in records, messages and file names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heic import heic
from maskdet.errors import SourceError
from maskdet.media.files import LONGEST_NAME, beside, replacing, shortened
from maskdet.media.inputs.naming import address_stem, file_stem, split_name
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source, open_sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("door=rtsp://h/x?a=b", ("door", "rtsp://h/x?a=b")),
        ("back door 2 = 0", ("back door 2", "0")),
        ("口罩=photos/a.jpg", ("口罩", "photos/a.jpg")),
        ("rtsp://h/x?a=b", (None, "rtsp://h/x?a=b")),
        ("photos/a=b.jpg", (None, "photos/a=b.jpg")),
        ("door=", (None, "door=")),
        ("=0", (None, "=0")),
        ("0", (None, "0")),
        ("-", (None, "-")),
    ],
)
def test_names_before_an_equals_sign(text: str, expected: tuple[str | None, str]) -> None:
    """A name has neither slash nor colon, so that no address or path is divided."""
    assert split_name(text) == expected


def test_a_file_with_an_equals_sign_is_that_file(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What exists is never taken for a name and a source."""
    monkeypatch.chdir(tmp_path)
    for name in ("a=b.jpg", "b.jpg"):
        Path(name).write_bytes((samples / "coffee.jpg").read_bytes())
    assert [frame.source for frame in open_source("a=b.jpg")] == ["a=b.jpg"]
    assert [source.name for source in open_sources(["a=*.jpg"])] == ["a=*.jpg"]
    Path("a=b.jpg").unlink()
    assert [frame.source for frame in open_source("a=b.jpg")] == ["a.jpg"]
    Path("b.jpg").unlink()
    with pytest.raises(SourceError, match=r"^a=b.jpg: no such file or folder$"):
        open_source("a=b.jpg")


def test_named_sources(samples: Path, tmp_path: Path) -> None:
    """A name stands for a video in its frames and in its file; lists give names, too."""
    (tmp_path / "gate.mp4").write_bytes((samples / "astronaut.mp4").read_bytes())
    (tmp_path / "list.txt").write_text("front.door=gate.mp4\n")
    (source,) = open_sources([str(tmp_path / "list.txt")])
    assert (source.name, file_stem(source)) == ("front.door", "front.door")
    assert source.paths == (tmp_path / "gate.mp4",)
    assert next(iter(source)).source == "front.door"
    with pytest.raises(SourceError, match="only a camera, a video or one picture"):
        open_sources([f"door={samples}"])
    with pytest.raises(SourceError, match="door: is named 2 times"):
        open_sources([f"door={samples}/astronaut.mp4", f"door={samples}/astronaut.jpg"])


def test_pictures_named_one_by_one(samples: Path, tmp_path: Path) -> None:
    """Those of a folder are one source of any formats, with the same limit as a folder's."""
    (tmp_path / "a.jpg").write_bytes((samples / "coffee.jpg").read_bytes())
    with Image.open(samples / "coffee.jpg") as picture:
        (tmp_path / "b.HEIC").write_bytes(heic(np.asarray(picture.convert("RGB")), 256))
    texts = [str(tmp_path / name) for name in ("a.jpg", "b.HEIC")]
    (source,) = open_sources(texts)
    assert [frame.source for frame in source] == texts
    (small,) = open_sources(texts, ReadOptions(max_pixels=1000))
    with pytest.raises(SourceError, match=r"none of its 2 pictures .* has 600x400 pixels"):
        list(small)
    (frame,) = open_source(f"gate={texts[1]}")
    assert (frame.source, frame.image.shape) == ("gate.HEIC", (400, 600, 3))


@pytest.mark.parametrize(
    ("address", "stem"),
    [
        ("rtsp://10.0.0.5:554/Streaming/Channels/101", "10.0.0.5-554-Streaming-Channels-101"),
        ("http://h/cam?channel=1&subtype=0", "h-cam-channel-1-subtype-0"),
        ("rtsp://h/user=***_password=***_channel=1_stream=0.sdp", "h-channel-1_stream-0.sdp"),
        ("rtsps://h:7441/***?enableSrtp", "h-7441-enableSrtp"),
        ("srt://:9000?passphrase=***", "9000"),
        ("rtsp://***", "stream"),
    ],
)
def test_cameras_are_told_apart_by_their_whole_address(address: str, stem: str) -> None:
    """Server, port, path and query make the file's name; what is hidden leaves no trace."""
    assert address_stem(address) == stem


def test_long_names_are_cut_and_stay_different(tmp_path: Path) -> None:
    """Names that a file system takes are never made too long by what is added to them."""
    stem = "ü" * 200
    assert shortened("short", 10) == "short"
    cut = {shortened(stem + end, 100) for end in ("", "a", "b")}
    assert len(cut) == 3
    assert all(len(name.encode()) <= 100 for name in cut)
    path = tmp_path / ("a" * (LONGEST_NAME - 4) + ".png")
    assert len(beside(path, "partial").name) <= LONGEST_NAME
    assert beside(path, "partial").suffix == ".png"
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
