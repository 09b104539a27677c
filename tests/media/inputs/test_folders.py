"""What there is to look at in a folder, what is passed over, and who is told."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from heic import heic
from maskdet.errors import SourceError
from maskdet.media.inputs.formats import kind_of, read_head
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source, open_sources
from maskdet.suffixes import PICTURE_SUFFIXES, RAW_SUFFIXES, SIDECAR_SUFFIXES, VIDEO_SUFFIXES


def _picture(form: str) -> bytes:
    memory = io.BytesIO()
    Image.new("RGB", (40, 30), (0, 90, 200)).save(memory, form)
    return memory.getvalue()


def _video(path: Path, form: str, codec: str) -> None:
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuv420p"
        for level in range(0, 250, 25):
            picture = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


@pytest.fixture
def lines() -> list[str]:
    """What was told."""
    return []


@pytest.fixture
def options(lines: list[str]) -> ReadOptions:
    """Reading that notes what it tells."""
    return ReadOptions(recursive=True, log=lines.append)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.avif", "AVIF"),
        ("a.bmp", "BMP"),
        ("a.dib", "BMP"),
        ("a.gif", "GIF"),
        ("a.jfif", "JPEG"),
        ("a.jpe", "JPEG"),
        ("a.JPG", "JPEG"),
        ("a.j2k", "JPEG2000"),
        ("a.jp2", "JPEG2000"),
        ("a.pgm", "PPM"),
        ("a.pnm", "PPM"),
        ("a.ppm", "PPM"),
        ("a.tif", "TIFF"),
        ("a.webp", "WEBP"),
        ("without_ending", "PNG"),
        ("photo.jpg_large", "JPEG"),
        ("photo.jpg", "WEBP"),
        ("photo.JPG~", "JPEG"),
    ],
)
def test_pictures_of_a_folder(
    tmp_path: Path, options: ReadOptions, lines: list[str], name: str, form: str
) -> None:
    """Whatever its ending, a picture is looked at; as in the case skipped_suffixes."""
    (tmp_path / name).write_bytes(_picture(form))
    (source,) = open_sources([str(tmp_path)], options)
    (frame,) = source
    assert frame.source == str(tmp_path / name)
    assert frame.image.shape == (30, 40, 3)
    assert np.abs(frame.image.astype(int) - (200, 90, 0)).max() < 12
    assert not lines


def test_heic_of_a_folder(tmp_path: Path, samples: Path) -> None:
    """A phone's pictures and its videos lie in one folder."""
    with Image.open(samples / "astronaut.jpg") as picture:
        (tmp_path / "IMG_1.HEIC").write_bytes(heic(np.asarray(picture)[:200, :100], 128))
    (source,) = open_sources([str(tmp_path)])
    assert next(iter(source)).image.shape == (200, 100, 3)


@pytest.mark.parametrize(
    ("name", "form", "codec"),
    [
        ("00001.MTS", "mpegts", "libx264"),
        ("00001.m2ts", "mpegts", "libx264"),
        ("a.ts", "mpegts", "mpeg2video"),
        ("MOV001.MOD", "mpeg", "mpeg2video"),
        ("a.3gp", "3gp", "mpeg4"),
        ("a.flv", "flv", "libx264"),
        ("a.m4v", "mp4", "libx264"),
        ("a.mpg", "mpeg", "mpeg1video"),
        ("a.mxf", "mxf", "mpeg2video"),
        ("a.vob", "vob", "mpeg2video"),
        ("a.wmv", "asf", "mpeg4"),
        ("a.webm", "matroska", "libx264"),
        ("a.y4m", "yuv4mpegpipe", "rawvideo"),
        ("recording", "mp4", "libx264"),
    ],
)
def test_videos_of_a_folder(
    tmp_path: Path, options: ReadOptions, lines: list[str], name: str, form: str, codec: str
) -> None:
    """Whatever its ending, a video is looked at; as in the case skipped_suffixes."""
    _video(tmp_path / name, form, codec)
    (source,) = open_sources([str(tmp_path)], options)
    assert source.kind == "video"
    assert len(list(source)) == 10
    assert not lines


def test_what_is_passed_over_is_named(
    tmp_path: Path, options: ReadOptions, lines: list[str]
) -> None:
    """A few files are named; files that lie beside pictures are counted."""
    (tmp_path / "a.jpg").write_bytes(_picture("JPEG"))
    (tmp_path / "b.docx").write_bytes(b"PK")
    (tmp_path / "DSC1.NEF").write_bytes(b"MM\0*" + bytes(100))
    for name in ("a.json", "a.xmp", "notes.txt", ".hidden"):
        (tmp_path / name).write_text("{}")
    open_sources([str(tmp_path)], options)
    assert lines == [f"{tmp_path}: does not look at DSC1.NEF, b.docx, and 3 files beside them"]


def test_many_that_are_passed_over_are_counted(
    tmp_path: Path, options: ReadOptions, lines: list[str]
) -> None:
    """Of many files it says how many there are of each ending; named they are if asked for."""
    (tmp_path / "a.jpg").write_bytes(_picture("JPEG"))
    for number in range(9):
        (tmp_path / f"{number}.{'pdf' if number % 3 else 'dng'}").write_bytes(b"%PDF")
    open_sources([str(tmp_path)], options)
    assert lines == [f"{tmp_path}: does not look at 9 files (.pdf 6, .dng 3)"]
    lines.clear()
    open_sources([str(tmp_path)], ReadOptions(log=lines.append, name_all=True))
    assert len(lines) == 9
    assert lines[0] == f"{tmp_path / '0.dng'}: is not looked at (a camera's raw picture)"
    assert lines[1] == f"{tmp_path / '1.pdf'}: is not looked at (no picture or video)"


def test_files_beside_pictures_alone(
    tmp_path: Path, options: ReadOptions, lines: list[str]
) -> None:
    """Labels and metadata need no more than their number."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jpg").write_bytes(_picture("JPEG"))
        (tmp_path / f"{name}.xml").write_text("<a/>")
    open_sources([str(tmp_path)], options)
    assert lines == [f"{tmp_path}: does not look at 2 files (.xml 2)"]


def test_programs_are_no_videos(tmp_path: Path, options: ReadOptions, lines: list[str]) -> None:
    """TypeScript and Go have endings of videos: their first bytes tell."""
    (tmp_path / "a.jpg").write_bytes(_picture("JPEG"))
    (tmp_path / "index.ts").write_text("export const GG = 1;\n" * 200)
    (tmp_path / "go.mod").write_text("module example\n")
    (source,) = open_sources([str(tmp_path)], options)
    assert source.kind == "pictures"
    assert lines == [f"{tmp_path}: does not look at go.mod, index.ts"]


def test_folders_that_are_not_looked_into(tmp_path: Path, lines: list[str]) -> None:
    """Folders in a folder are passed over unless asked for, and that is told."""
    (tmp_path / "a.jpg").write_bytes(_picture("JPEG"))
    for name in ("below", "beside", ".hidden"):
        (tmp_path / name).mkdir()
    open_sources([str(tmp_path)], ReadOptions(log=lines.append))
    assert lines == [f"{tmp_path}: does not look into 2 folders in it; --recursive does"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of pictures in which maskdet has been run."""
    places = ["a.jpg", "runs/b.jpg", "runs/detect/1/a.jpg", "runs/heatmap/12/a.jpg"]
    places += ["runs/detect/exp/c.jpg", "out/a.jpg", "crops/with_mask/d.jpg"]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(_picture("JPEG"))
    return tmp_path


def test_results_are_no_sources(results: Path, lines: list[str]) -> None:
    """What earlier runs wrote is left out: by its place, and where this run is to write."""
    own = (results / "out", results / "crops", results / "none")
    options = ReadOptions(recursive=True, log=lines.append, own=own)
    (source,) = open_sources([str(results)], options)
    names = [Path(frame.source).relative_to(results).as_posix() for frame in source]
    assert names == ["a.jpg", "runs/b.jpg", "runs/detect/exp/c.jpg"]
    (line,) = lines
    for word in ("what maskdet wrote", "out", "crops", "detect/1", "heatmap/12"):
        assert word in line


def test_results_that_are_named(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a run's folder means it."""
    (source,) = open_sources([str(results / "runs" / "detect" / "1")])
    assert len(list(source)) == 1
    (source,) = open_sources([str(results / "runs" / "*" / "*" / "a.jpg")])
    assert len(list(source)) == 2
    monkeypatch.chdir(results)
    (source,) = open_sources(["**/a.jpg"])
    assert [frame.source for frame in source] == ["a.jpg", "out/a.jpg"]


def test_a_raw_picture(tmp_path: Path) -> None:
    """A camera's raw picture would be read as its thumbnail: it is refused."""
    (tmp_path / "DSC1.dng").write_bytes(_picture("TIFF"))
    with pytest.raises(SourceError, match=r"DSC1\.dng: is a camera's raw picture; save it as JPEG"):
        open_source(str(tmp_path / "DSC1.dng"))


def test_lists_of_endings() -> None:
    """An ending stands for one thing, save GIF and PNG, which may move."""
    lists = [PICTURE_SUFFIXES, VIDEO_SUFFIXES, RAW_SUFFIXES, SIDECAR_SUFFIXES]
    assert sum(map(len, lists)) == len(frozenset().union(*lists))
    assert all(ending.startswith(".") and ending == ending.lower() for ending in lists[0])


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is gone, or a folder, has no first bytes; its name tells then."""
    assert read_head(tmp_path) == read_head(tmp_path / "gone.jpg") == b""
    assert kind_of(tmp_path / "gone.jpg") == "picture"
    assert kind_of(tmp_path / "gone") is None
