"""Frames turned, and sources that lie on their side noticed."""

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskdet as package
from command_line import Cli
from maskdet.detections import FloatArray
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.turning import TURNS, TurnWatch, turned


def test_turning_is_clockwise() -> None:
    """The left upper corner goes to the right upper, the right lower and the left lower one."""
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0, 0] = 255
    corners = {
        turn: tuple(int(at[0]) for at in np.nonzero(turned(picture, turn)[..., 0]))
        for turn in TURNS
    }
    assert corners == {0: (0, 0), 90: (0, 3), 180: (3, 5), 270: (5, 0)}
    assert turned(picture, 90).shape == (6, 4, 3)
    assert turned(picture, 0) is picture


def faces_where_bright(edge: str, count: int) -> UInt8Array:
    """Returns a picture whose faces `looking` finds only with that edge at the top."""
    picture = np.zeros((64, 64, 3), np.uint8)
    band = {"top": np.s_[:8], "left": np.s_[:, :8], "bottom": np.s_[-8:], "right": np.s_[:, -8:]}
    picture[band[edge]] = 10 * count
    return picture


def looking(picture: UInt8Array) -> tuple[FloatArray, FloatArray]:
    """Finds a face for each ten grey levels of the upper edge."""
    count = round(float(picture[2, 20:44].mean()) / 10)
    return np.zeros((count, 4), np.float32), np.full(count, 0.9, np.float32)


def told(
    edge: str, faces: int, frames: int = 600, *, rotate: int = 0, moving: bool = True
) -> list[str]:
    """Shows the same frame to a watch and returns what it says."""
    lines: list[str] = []
    watch = TurnWatch(rotate, lines.append)
    picture = faces_where_bright(edge, faces)
    for _ in range(frames):
        watch.look("door", picture, looking, confidence=0.8, moving=moving)
    return lines


def test_a_source_on_its_side_is_told_of_once() -> None:
    """With the turn that sets it right, counted from how it is read now."""
    assert told("bottom", 2) == [
        "door: faces are found better when it is turned clockwise by 180 degrees: give --rotate 180"
    ]
    assert told("left", 4)[0].endswith("by 90 degrees: give --rotate 90")
    assert told("right", 4)[0].endswith("by 270 degrees: give --rotate 270")
    assert told("bottom", 4, rotate=90)[0].endswith("by 180 degrees: give --rotate 270")
    assert told("bottom", 4, rotate=180)[0].endswith("by 180 degrees: leave --rotate out")
    assert told("top", 4) == []
    assert told("bottom", 0) == []


def test_as_many_faces_are_told_by_how_sure_they_are() -> None:
    """Large faces are found upside down, too, but less surely; a little less says nothing."""
    for upright, warned in ((0.97, True), (0.998, False)):
        lines: list[str] = []

        def unsure(picture: UInt8Array, score: float = upright) -> tuple[FloatArray, FloatArray]:
            bright = picture[2, 20:44].mean() > 5
            return np.zeros((4, 4), np.float32), np.full(4, 0.9995 if bright else score, np.float32)

        watch = TurnWatch(0, lines.append)
        picture = faces_where_bright("bottom", 4)
        watch.look("a.jpg", picture, unsure, confidence=0.8, moving=False)
        assert bool(lines) == warned


def test_few_looks_and_few_faces() -> None:
    """A face now and then says nothing, nor do turned ones among as many upright."""
    assert told("bottom", 1, frames=300) == []
    looks = []

    def counting(picture: UInt8Array) -> tuple[FloatArray, FloatArray]:
        looks.append(picture.shape)
        return looking(picture)

    watch = TurnWatch(0, lambda _: pytest.fail("told"))
    both = np.maximum(faces_where_bright("top", 3), faces_where_bright("bottom", 4))
    for _ in range(1000):
        watch.look("door", both, counting, confidence=0.8, moving=True)
    assert len(looks) == 4 * 3
    # What the first stage is less sure of is none.
    shy = TurnWatch(0, lambda _: pytest.fail("told"))
    for _ in range(600):
        shy.look("door", faces_where_bright("left", 9), looking, confidence=0.95, moving=True)


def test_threads_tell_once() -> None:
    """Frames come from several workers."""
    lines: list[str] = []
    watch, picture = TurnWatch(0, lines.append), faces_where_bright("left", 9)

    def work() -> None:
        for _ in range(60):
            watch.look("door", picture, looking, confidence=0.8, moving=False)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(lines) == 1


def test_detect_heatmap_and_python_turn_frames(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A portrait upside down has its face where it is upright, and is written so."""
    upright = cv2.imread(str(samples / "astronaut.jpg"))
    cv2.imwrite(str(tmp_path / "down.png"), cv2.rotate(upright, cv2.ROTATE_180))
    done = maskdet("detect", "down.png", "--rotate", 180, "--json", "--output", "out.png")
    (face,) = json.loads(done.stdout)["faces"]
    usual = maskdet("detect", samples / "astronaut.jpg", "--json", "--no-output")
    assert face["label"] == "without_mask"
    (as_usual,) = json.loads(usual.stdout)["faces"]
    assert face["box"] == pytest.approx(as_usual["box"], abs=3)
    written = cv2.imread(str(tmp_path / "out.png"))
    assert np.abs(written[-40:].astype(int) - upright[-40:]).mean() < 3
    assert maskdet("heatmap", "down.png", "--rotate", 180, "--record", "h.png").returncode == 0
    drawn = cv2.imread(str(tmp_path / "h.png"))[: upright.shape[0], : upright.shape[1]]
    assert np.abs(drawn[-40:].astype(int) - upright[-40:]).mean() < 3
    assert maskdet("detect", "down.png", "--rotate", 45).returncode == 2
    with package.load() as detector:
        (found,) = detector.watch(tmp_path / "down.png", rotate=180)
        assert found.boxes[0] == pytest.approx(face["box"], abs=0.1)
        with pytest.raises(ValueError, match="expected one of 0, 90, 180, 270; got 45"):
            detector.watch(tmp_path / "down.png", rotate=45)


def test_detect_warns_of_pictures_on_their_side(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """Four faces in a picture, lying on its side."""
    face = cv2.imread(str(samples / "astronaut.jpg"))[:220, 110:330]
    crowd = np.vstack([np.hstack([face, face])] * 2)
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/a.jpg"), cv2.rotate(crowd, cv2.ROTATE_90_CLOCKWISE))
    done = maskdet("detect", "in", "--no-output")
    assert "in: faces are found better" in done.stderr
    assert "give --rotate 270" in done.stderr
    assert "rotate" not in maskdet("detect", "in", "--no-output", "--rotate", 270).stderr
