"""YuNet: where its file comes from, and the faces it finds."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from maskdet import assets
from maskdet.assets import cached, sha256
from maskdet.errors import ModelError
from maskdet.media.inputs.decoding import read_picture
from maskdet.vision.faces.yunet import FILE_NAME, YunetFaceDetector, yunet_file


@pytest.fixture
def network(shared_data: Path) -> Path:
    """YuNet's file, which the repository does not contain."""
    return shared_data / "weights" / FILE_NAME


def test_finds_the_astronaut(network: Path, samples: Path) -> None:
    """One face in the portrait, none in the coffee, none in a pixel."""
    detector = YunetFaceDetector(network)
    boxes, scores = detector.detect(read_picture(samples / "astronaut.jpg"))
    assert boxes.shape == (1, 4)
    assert np.abs(boxes[0] - (179, 62, 271, 175)).max() < 15
    assert scores[0] > 0.8
    assert detector.detect(read_picture(samples / "coffee.jpg"))[0].shape == (0, 4)
    assert detector.detect(np.zeros((1, 1, 3), np.uint8))[1].shape == (0,)


def test_boxes_scale_with_the_frame(network: Path, samples: Path) -> None:
    """The same face in a frame twice as wide has a box twice as wide."""
    import cv2

    picture = read_picture(samples / "astronaut.jpg")
    detector = YunetFaceDetector(network, face_size=512)
    small, _ = detector.detect(picture)
    large, _ = detector.detect(cv2.resize(picture, (1024, 1024)))
    assert large[0] / 2 == pytest.approx(small[0], abs=6)


def test_files_that_are_no_yunet(tmp_path: Path) -> None:
    """Missing, garbage, and a folder with several: one clear error each."""
    with pytest.raises(ModelError, match="no such file"):
        YunetFaceDetector(tmp_path / "none.onnx")
    (tmp_path / "a.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a YuNet model"):
        YunetFaceDetector(tmp_path / "a.onnx")
    assert yunet_file(tmp_path) == tmp_path / "a.onnx"
    (tmp_path / "b.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"holds 2 \.onnx files"):
        yunet_file(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves a folder with one file on loopback."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights" * 1000)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/model.bin"
        running.shutdown()
        thread.join()


def test_downloads_once_and_checks(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is kept under its name; a second call does not need the server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    expected = sha256(tmp_path / "served" / "model.bin")
    path = cached("model.bin", server, expected)
    assert path == tmp_path / "cache" / "maskdet" / "model.bin"
    assert cached("model.bin", "http://127.0.0.1:9/gone", expected) == path
    path.write_bytes(b"damaged")
    assert sha256(cached("model.bin", server, expected)) == expected


def test_a_wrong_file_is_not_kept(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another hash than expected: an error, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match="not the expected file"):
        cached("model.bin", server, "0" * 64)
    assert not list(assets.cache_folder().iterdir())


def test_no_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers: where the file is to be had and where to put it, and nothing left behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match=r"cannot be downloaded .* or give its path"):
        cached("model.bin", "http://127.0.0.1:9/model.bin", "0" * 64)
    assert not list(assets.cache_folder().iterdir())
