"""What `maskdet info` says of the machine, the installation and the models."""

import json
import shutil
from pathlib import Path

import pytest

from command_line import Cli
from maskdet import __version__
from maskdet import processor as processors
from maskdet.assets import bundled
from maskdet.info.models import try_files
from maskdet.media import cameras
from maskdet.processor import Processor

X86 = """processor\t: 0
model name\t: Some CPU @ 3 GHz
flags\t\t: fpu sse4_2 avx avx2 avx512_vnni made_up

processor\t: 1
model name\t: Another
"""
RASPBERRY = """processor\t: 0
Features\t: fp asimd evtstrm crc32 asimddp
Model\t\t: Raspberry Pi 5 Model B
"""


def test_command(fresh_maskdet: Cli, tmp_path: Path) -> None:
    """Every network file is checked and timed, for people and for programs."""
    done = fresh_maskdet("info", "--no-cameras")
    assert done.returncode == 0, done.stderr
    assert f"maskdet {' ' * 12}{__version__}" in done.stdout
    assert "cameras             not looked for" in done.stdout
    assert sum(line.endswith("yes") for line in done.stdout.splitlines()) >= 2
    found = json.loads(fresh_maskdet("info", "--no-cameras", "--json").stdout)
    assert {(network["stage"], network["precision"]) for network in found["networks"]} == {
        (stage, precision) for stage in ("faces", "masks") for precision in ("int8", "float16")
    }
    for network in found["networks"]:
        assert network["milliseconds"] > 0
        assert Path(network["path"]).is_file()
    assert found["libraries"]["numpy"]
    assert found["processor"]["cores"] >= 1
    assert found["runs"] == str(tmp_path / "runs")


def test_a_damaged_model_is_told(maskdet: Cli, tmp_path: Path) -> None:
    """The file that is not its card's is named, the others are timed, and the exit code is 1."""
    for path in bundled("models").glob("mask_detector*"):
        shutil.copy(path, tmp_path)
    (tmp_path / "mask_detector_float16.tflite").write_bytes(b"damaged")
    done = maskdet("info", "--no-cameras", "--model", tmp_path / "mask_detector.json", "--json")
    assert done.returncode == 1
    assert "mask_detector_float16.tflite: does not match" in done.stderr
    networks = {network["precision"]: network for network in json.loads(done.stdout)["networks"]}
    assert networks["int8"]["milliseconds"] > 0
    assert networks["float16"]["milliseconds"] is None
    assert networks["float16"]["problem"] in done.stderr


def test_a_model_that_is_not_there_is_told(maskdet: Cli) -> None:
    """The rest is still said: a report of a fault should not be empty."""
    done = maskdet("info", "--no-cameras", "--face", "nowhere")
    assert done.returncode == 1
    assert "nowhere: no such folder" in done.stderr
    assert "masks: " in done.stdout


def test_default_files_are_marked() -> None:
    """The files that run unless told otherwise are the cards' own choice."""
    for stage, card in (
        ("faces", "face_detector/ssd_faces.json"),
        ("masks", "models/mask_detector.json"),
    ):
        files = try_files(stage, bundled(card))
        assert [file.default for file in files].count(True) == 1
        assert len({file.path for file in files}) == 2


@pytest.mark.parametrize(
    ("text", "name", "extensions", "dots"),
    [
        (X86, "Some CPU @ 3 GHz", ("sse4_2", "avx", "avx2", "avx512_vnni"), True),
        (RASPBERRY, "Raspberry Pi 5 Model B", ("asimd", "asimddp"), True),
        ("flags: sse4_2 avx2\n", "unknown", ("sse4_2", "avx2"), False),
        ("", "unknown", (), None),
    ],
    ids=["x86", "Arm", "without dot products", "empty"],
)
def test_processors_are_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    name: str,
    extensions: tuple[str, ...],
    dots: bool | None,
) -> None:
    """Names and extensions out of Linux's own list, of both families."""
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "cpuinfo")
    found = processors.processor.__wrapped__()
    assert isinstance(found, Processor)
    assert (found.name, found.extensions, found.dot_products) == (name, extensions, dots)


def test_cameras_that_do_not_answer_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that cannot be opened is no camera that answers."""
    monkeypatch.setattr(cameras, "camera_numbers", lambda: [97, 98])
    assert cameras.answering_cameras() == ()
