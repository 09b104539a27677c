"""Pictures given in every way, bad ones among them; and one detector in many threads."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import maskdet as package
from command_line import SAMPLES, Cli

BARE, MASKED = SAMPLES / "astronaut.jpg", SAMPLES / "astronaut_masked.jpg"


@pytest.fixture(scope="module")
def detector() -> package.Detector:
    """The bundled models."""
    return package.load()


@pytest.fixture(scope="module")
def bare() -> NDArray[np.uint8]:
    """A (512, 512, 3) picture of a bare face, BGR."""
    return np.asarray(cv2.imread(str(BARE)), np.uint8)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server of the samples, one of whose pages never comes."""
    release = threading.Event()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if "hangs" in self.path:
                release.wait(20)
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SAMPLES)))
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    release.set()
    served.shutdown()
    served.server_close()


def test_a_picture_can_be_given_in_every_way(
    detector: package.Detector, bare: NDArray[np.uint8]
) -> None:
    """Path, text, bytes, arrays of both orders and layouts, and Pillow's image give one answer."""
    read_only = bare.copy()
    read_only.setflags(write=False)
    apart = np.zeros((512, 1024, 3), np.uint8)
    apart[:, ::2] = bare
    ways = [
        BARE, str(BARE), f"file://{BARE}", BARE.read_bytes(), bytearray(BARE.read_bytes()),
        bare, read_only, apart[:, ::2], Image.fromarray(bare[..., ::-1]),
    ]  # fmt: skip
    found = [detector(way) for way in ways] + [detector(bare[..., ::-1], rgb=True)]
    for faces in found:
        assert faces.labels == ["without_mask"]
        np.testing.assert_array_equal(faces.boxes, found[0].boxes)
        np.testing.assert_array_equal(faces.confidences, found[0].confidences)
    assert [faces.source for faces in found[:6]] == [str(BARE)] * 3 + ["bytes"] * 2 + ["array"]
    assert found[5].image is bare


@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "CMYK", "LA", "1"])
def test_pillow_images_of_other_modes_are_converted(detector: package.Detector, mode: str) -> None:
    """A palette, grey, transparent or printer's image is looked at as it looks."""
    with Image.open(BARE) as picture:
        converted = picture.convert(mode)
    assert detector(converted).image.shape == (512, 512, 3)


def test_pillow_images_are_turned_upright(detector: package.Detector) -> None:
    """An image that lies on its side by its EXIF orientation is seen standing."""
    with Image.open(BARE) as picture:
        lying = picture.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    lying.save(data, "JPEG", exif=exif)
    with Image.open(data) as turned:
        assert detector(turned).labels == ["without_mask"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (np.zeros((8, 8, 3)), ValueError, "float64; scale it to 0..255"),
        (np.zeros((8, 8), np.uint8), ValueError, "COLOR_GRAY2BGR"),
        (np.zeros((8, 8, 1), np.uint8), ValueError, "COLOR_GRAY2BGR"),
        (np.zeros((8, 8, 2), np.uint8), ValueError, r"got shape \(8, 8, 2\)"),
        (np.zeros((8, 8, 4), np.uint8), ValueError, "drop the transparency"),
        (np.zeros((0, 8, 3), np.uint8), ValueError, r"got shape \(0, 8, 3\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), ValueError, "as a list"),
        (Image.new("I;16", (8, 8)), ValueError, "got mode I;16"),
        (Image.new("RGB", (0, 8)), ValueError, "got size"),
        ([], ValueError, "empty list"),
        ("", ValueError, "empty path"),
        (0, TypeError, r"detector.watch\(0\)"),
        (None, TypeError, "expected a path, .* got NoneType"),
        ({"a": 1}, TypeError, "got dict"),
        (b"", package.SourceError, "is empty"),
        (b"no picture", package.SourceError, "is not a picture"),
        ("nowhere.jpg", package.SourceError, "nowhere.jpg: no such file"),
        (str(SAMPLES), package.SourceError, r"is a folder, .* detector.watch\(\)"),
        (SAMPLES / "astronaut.mp4", package.SourceError, r"is a video, .* detector.watch\(\)"),
        (SAMPLES / "README.md", package.SourceError, "README.md: is not a picture"),
        ("7", package.SourceError, "is a camera"),
        ("rtsp://door/1", package.SourceError, "is a stream"),
        ("http://127.0.0.1:9/a.jpg", package.SourceError, "cannot be opened"),
        ([BARE, "nowhere.jpg"], package.SourceError, "picture 1 of the list: nowhere.jpg"),
        ([BARE, 3], TypeError, "picture 1 of the list: expected"),
        ([np.zeros((8, 8), np.uint8)], ValueError, "picture 0 of the list: expected"),
    ],
)  # fmt: skip
def test_bad_pictures_are_refused(
    detector: package.Detector, given: Any, error: type[Exception], words: str
) -> None:
    """Whatever is no picture is told in one line: what was expected, and what came."""
    with pytest.raises(error, match=words) as raised:
        detector(given)
    assert "\n" not in str(raised.value)


def test_a_list_keeps_its_order_and_its_bad_pictures(detector: package.Detector) -> None:
    """With return_exceptions the others are found, and the error stands in its picture's place."""
    found = detector([MASKED, "nowhere.jpg", BARE], return_exceptions=True)
    assert isinstance(found[1], package.SourceError)
    labels = [faces.labels for faces in found if isinstance(faces, package.Faces)]
    assert labels == [["with_mask"], ["without_mask"]]


def test_addresses_are_read(detector: package.Detector, server: str) -> None:
    """A picture on a server is found; one that does not come ends at the time limit."""
    assert str(detector(f"{server}/astronaut.jpg")) == "1 face: 1 No Mask"
    with pytest.raises(package.SourceError, match="cannot be opened"):
        detector(f"{server}/nothing.jpg")
    with pytest.raises(package.SourceError, match="takes pictures, not"):
        detector(f"{server}/astronaut.mp4")
    with (
        package.load(timeout=0.5) as hasty,
        pytest.raises(package.SourceError, match=r"hangs\.jpg"),
    ):
        hasty(f"{server}/hangs.jpg")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"confidence": 2}, ValueError, "confidence: expected above 0 and up to 1, got 2"),
        ({"confidence": float("nan")}, ValueError, "confidence: expected"),
        ({"confidence": "high"}, TypeError, "confidence: expected a number, got 'high'"),
        ({"face_size": 10}, ValueError, "face_size: expected 100 to 2000, got 10"),
        ({"face_size": 320.5}, TypeError, "face_size: expected a whole number"),
        ({"face_detector": "mtcnn"}, ValueError, "face_detector: expected one of ssd, yunet"),
        ({"tiles": "many"}, ValueError, "tiles: 'many' is not"),
        ({"tiles": 3}, TypeError, "tiles: expected"),
        ({"precision": "float64"}, ValueError, "precision: expected one of"),
        ({"timeout": 0}, ValueError, "timeout: expected above 0"),
        ({"log": "file.txt"}, TypeError, "log: expected a callable"),
        ({"model": 3}, TypeError, "model: expected a path, got int"),
        ({"model": ""}, ValueError, "model: expected a path, got an empty one"),
        ({"model": "nowhere.json"}, package.ModelError, "nowhere.json: no such model file"),
        ({"face": "nowhere"}, package.ModelError, "nowhere"),
        ({"confidance": 0.5}, TypeError, "confidance"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    """A wrong argument is told by its name: what was expected, and what came."""
    with pytest.raises(error, match=words):
        package.load(**arguments)


def test_a_closed_detector_says_so(bare: NDArray[np.uint8]) -> None:
    """After the with-block nothing is detected any more; what was found can still be drawn."""
    with package.load() as detector:
        faces = detector(bare)
    assert detector.closed
    detector.close()
    hide = partial(faces.annotate, blur=True)
    for call in (partial(detector, bare), detector.watch, faces.heatmap, hide, detector.__enter__):
        with pytest.raises(ValueError, match="this detector is closed"):
            call()
    assert faces.annotate().bgr.shape == bare.shape


def test_unsure_faces_are_uncertain(bare: NDArray[np.uint8]) -> None:
    """Below min_confidence a face's label does not count."""
    faces = package.load(min_confidence=1)(bare)
    assert faces.labels == ["uncertain"]
    assert str(faces) == "1 face: 1 Uncertain"


def test_threads_share_a_detector(detector: package.Detector) -> None:
    """Many threads at a time get what one gets."""
    given = [BARE, MASKED, SAMPLES / "coffee.jpg"] * 8
    alone = [detector(path).to_records() for path in given[:3]]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda path: detector(path).to_records(), given))
    assert found == alone * 8


def test_nothing_is_printed(
    detector: package.Detector, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What goes well and what goes wrong leaves both standard streams alone."""
    faces = detector(BARE)
    faces.annotate().save(tmp_path / "out.png")
    faces.heatmap().save(tmp_path / "why.webp")
    with pytest.raises(package.SourceError):
        next(detector.watch("nowhere.mp4"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "bad.jpg").write_bytes(b"no picture")
    faces.annotate().save(folder / "good.jpg")
    assert len(list(detector.watch(folder))) == 1
    assert capfd.readouterr() == ("", "")


def test_what_is_passed_over_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bad picture of a folder goes to the logger "maskdet", or to the callable that was given."""
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    lines: list[str] = []
    with caplog.at_level(logging.WARNING, "maskdet"):
        assert len(list(package.load().watch(tmp_path))) == 1
    assert len(list(package.load(log=lines.append).watch(tmp_path))) == 1
    assert [record.message for record in caplog.records] == lines
    assert "bad.jpg" in lines[0]


def test_the_api_finds_what_the_command_finds(
    detector: package.Detector, maskdet: Cli, tmp_path: Path
) -> None:
    """Records and annotated pictures are those of ``maskdet detect``, to the bit."""
    out = tmp_path / "drawn.png"
    done = maskdet("detect", MASKED, "--json", "--output", out, "--quiet")
    faces = detector(MASKED)

    assert json.loads(done.stdout) == faces.to_dict()
    np.testing.assert_array_equal(cv2.imread(str(out)), faces.annotate().bgr)
    drawn = tmp_path / "why.png"
    assert maskdet("heatmap", MASKED, "--output", drawn).returncode == 0
    np.testing.assert_array_equal(cv2.imread(str(drawn)), faces.heatmap().bgr)
