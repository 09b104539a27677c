"""Networks of others: what kills whoever runs it is found out in a process of its own, once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from command_line import SAMPLES, Cli, assert_user_error
from damage import (
    as_classifier,
    as_face_detector,
    with_bits_set,
    with_changed_bytes,
    without_output,
)
from maskdet.assets import bundled, cache_folder
from maskdet.errors import ModelError
from maskdet.heatmap.methods.explainers import MapOptions
from maskdet.heatmap.methods.loading import load_model
from maskdet.vision import runtime, trust
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.faces.loading import face_detector_folder, load_face_detector
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.runtime import Network

FACES = "face_detector/ssd_faces_float16.tflite"
MASKS = "models/mask_detector_float16.tflite"
SMALL = (1, 64, 64, 3)


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any network, neither on disk nor in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(trust, "_run_before", set())


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of its own can be started: whatever wants one fails."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A healthy face detector that does not come with maskdet."""
    path = tmp_path / "faces.tflite"
    # A byte behind the end changes the hash and nothing else.
    path.write_bytes(bundled(FACES).read_bytes() + b"\0")
    return path


def test_a_face_detector_that_kills_is_one_line(maskdet: Cli, tmp_path: Path) -> None:
    """As in the case corrupt_network: an operator without output was a segmentation fault."""
    folder = as_face_detector(tmp_path / "face", without_output(bundled(FACES).read_bytes()))
    run = ("detect", "--source", SAMPLES / "astronaut.jpg", "--no-output")
    done = maskdet(*run, "--face", folder, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert_user_error(done, "faces.tflite: is damaged", "SIG", "get the file anew")
    assert not list((tmp_path / "cache").rglob("*.tflite-*"))


def test_a_classifier_that_kills_is_refused_wherever_it_is_loaded(tmp_path: Path) -> None:
    """By detection and evaluation, which share a class, and by heat maps, at another size too."""
    card = as_classifier(tmp_path, without_output(bundled(MASKS).read_bytes()))
    with pytest.raises(ModelError, match="is damaged"):
        MaskClassifier(card)
    with pytest.raises(ModelError, match="is damaged"):
        load_model(card, MapOptions(), log=print)
    with pytest.raises(ModelError, match="is damaged"):
        Network(tmp_path / "mask.tflite", input_shape=(1, 448, 448, 3))


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes_never_end_this_process(tmp_path: Path, seed: int) -> None:
    """Whatever they come to, it is an answer or an error of the user's file."""
    path = tmp_path / "faces.tflite"
    path.write_bytes(with_changed_bytes(bundled(FACES).read_bytes(), seed))
    message = ""
    try:
        Network(path, input_shape=SMALL).run(np.zeros(SMALL, np.uint8))
    except ModelError as error:
        message = str(error)
    assert message == "" or message.startswith(f"{path}: ")
    assert "\n" not in message


def test_answers_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """Else no face is found, or each is called "Mask", without a word."""
    path = tmp_path / "faces.tflite"
    path.write_bytes(with_bits_set(bundled(FACES).read_bytes()))
    with pytest.raises(ModelError, match="is not a number everywhere"):
        Network(path, input_shape=SMALL)
    with pytest.raises(ModelError, match="is not a number everywhere"):
        Network(path, input_shape=SMALL, trusted=True).run(np.zeros(SMALL, np.uint8))


@pytest.mark.usefixtures("no_process")
def test_a_network_is_tried_out_once(stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has run is remembered by its hash and size, also by another process."""
    with pytest.raises(ModelError, match="cannot be tried out in a process of its own"):
        Network(stranger, input_shape=SMALL)
    with monkeypatch.context() as able:
        able.setattr(sys, "executable", sys.orig_argv[0])
        Network(stranger, input_shape=SMALL)
    trust._run_before.clear()  # noqa: SLF001 - as in another process
    Network(stranger, input_shape=SMALL)
    with pytest.raises(ModelError, match="cannot be tried out"):
        Network(stranger, input_shape=(1, 96, 96, 3))


def test_without_a_cache_it_is_tried_out_once_a_process(
    stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that cannot be written costs time and nothing else."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(stranger))
    Network(stranger, input_shape=SMALL)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    Network(stranger, input_shape=SMALL)


@pytest.mark.usefixtures("no_process")
def test_what_comes_with_maskdet_costs_no_process(tmp_path: Path) -> None:
    """Wherever it lies: it is known by its hash."""
    for name in (None, "original"):
        for precision in ("float16", "int8"):
            load_face_detector(face_detector_folder(name), precision=precision)
    for precision in ("float16", "int8"):
        MaskClassifier(find_card(None), precision=precision)
    copy = tmp_path / "copy.tflite"
    copy.write_bytes(bundled(FACES).read_bytes())
    Network(copy, input_shape=SMALL)
    assert not cache_folder().exists()


def test_a_network_that_hangs_is_stopped(stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time that no network takes."""
    monkeypatch.setattr(trust, "TRIAL_SECONDS", 0.01)
    with pytest.raises(ModelError, match=r"does not run within 0\.01 seconds"):
        Network(stranger, input_shape=SMALL)


class FailingLane(runtime._Lane):  # noqa: SLF001 - what LiteRT does when a kernel fails
    """An interpreter whose kernel fails."""

    def __call__(self, _: np.ndarray) -> runtime.Outputs:
        """Fails as LiteRT does."""
        raise RuntimeError("tensorflow/lite/kernels/gather.cc:1 index out of range\nand more")


def test_a_kernel_that_fails_is_an_error_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteRT's RuntimeError, by invoke, becomes one line that names the file."""
    monkeypatch.setattr(runtime, "_Lane", FailingLane)
    network = Network(bundled(FACES), input_shape=SMALL)
    with pytest.raises(ModelError, match=r"ssd_faces_float16\.tflite: .*index out of range\)$"):
        network.run(np.zeros(SMALL, np.uint8))


def test_yunet_of_others_is_tried_out(tmp_path: Path, shared_data: Path) -> None:
    """OpenCV's reader is not trusted with strange bytes either; its own file costs no process."""
    original = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    data = bytearray(original.read_bytes())
    path = tmp_path / "yunet.onnx"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="is not a YuNet model"):
        YunetFaceDetector(path)
    path.write_bytes(data)
    program = (
        "import sys, pathlib; from maskdet.vision.faces.yunet import YunetFaceDetector\n"
        "sys.executable = '/nonexistent/python'\n"
        f"YunetFaceDetector(pathlib.Path({str(path)!r}))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
