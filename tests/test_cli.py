"""Every command as a user calls it: what it prints, writes, and how it fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from command_line import SAMPLES, Cli, assert_user_error
from maskdet import __version__
from maskdet.assets import bundled
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.video import VideoSource

# Where Eileen Collins's face is in the sample, in pixels: left, top, right, bottom.
FACE = np.array([170, 60, 280, 190])


def test_version_and_help(fresh_maskdet: Cli) -> None:
    """Both say what they are for; no arguments at all is wrong usage."""
    assert fresh_maskdet("--version").stdout.split() == ["maskdet,", "version", __version__]
    listed = fresh_maskdet("--help")
    assert listed.returncode == 0
    for command in ("detect", "heatmap", "train"):
        assert f"\n  {command} " in listed.stdout
        assert fresh_maskdet(command, "--help").returncode == 0
    assert fresh_maskdet().returncode == 2
    assert fresh_maskdet("detct").returncode == 2


def test_console_script_is_the_same() -> None:
    """The installed `maskdet` answers as `python -m maskdet` does."""
    script = Path(sys.executable).with_name("maskdet")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


def test_detect_on_pictures(fresh_maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The sample pictures: the bare face red, the masked one green, none in the coffee."""
    done = fresh_maskdet("detect", "--source", f"{samples}/*.jpg", "--json")
    assert done.returncode == 0, done.stderr
    records = {
        Path(record["source"]).name: record for record in map(json.loads, done.stdout.splitlines())
    }
    assert set(records) == {"astronaut.jpg", "astronaut_masked.jpg", "coffee.jpg"}
    assert records["coffee.jpg"]["faces"] == []
    for name, label in (("astronaut.jpg", "without_mask"), ("astronaut_masked.jpg", "with_mask")):
        (face,) = records[name]["faces"]
        assert face["label"] == label
        assert face["confidence"] > 0.7
        assert np.abs(np.array(face["box"]) - FACE).max() < 40
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert "3 pictures, 2 faces" in done.stderr
    output = tmp_path / "runs" / "detect" / "1"
    assert sorted(path.name for path in output.iterdir()) == sorted(records)
    drawn = read_picture(output / "astronaut.jpg").astype(int)
    redness = drawn - read_picture(samples / "astronaut.jpg")
    changed = np.argwhere(np.abs(redness).max(axis=2) > 100)
    assert (changed.min(axis=0) > 10).all()
    assert (changed.max(axis=0) < (200, 330)).all()


def test_detect_never_overwrites(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A second run gets a folder of its own; a file that exists needs --overwrite."""
    picture = samples / "astronaut.jpg"
    for number in ("1", "2"):
        done = maskdet("detect", "--source", picture)
        assert done.returncode == 0
        assert f"written to {Path('runs') / 'detect' / number / 'astronaut.jpg'}" in done.stdout
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    refused = maskdet("detect", "--source", picture, "--output", out)
    assert_user_error(refused, "out.png", "--overwrite")
    assert out.read_bytes() == b"precious"
    assert maskdet("detect", "--source", picture, "--output", out, "--overwrite").returncode == 0
    assert read_picture(out).shape == (512, 512, 3)


def test_detect_on_video(maskdet: Cli, tmp_path: Path) -> None:
    """The sample video: bare at first, masked later, written with every frame."""
    done = maskdet(
        "detect", "--source", SAMPLES / "astronaut.mp4", "--json", "--output", tmp_path / "out.mp4"
    )
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["frame"] for record in records] == list(range(48))
    faces = [max(record["faces"], key=lambda face: face["face_score"]) for record in records]
    labels = [face["label"] for face in faces]
    assert labels[:24] == ["without_mask"] * 24
    # A track takes a new label after a few frames of clear evidence.
    assert labels[30:] == ["with_mask"] * 18
    assert len({face["track"] for face in faces}) == 1
    frames = list(VideoSource(str(tmp_path / "out.mp4")))
    assert len(frames) == 48
    assert frames[0].image.shape == (360, 480, 3)


def test_detect_can_stop_early_and_write_nothing(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """--max-frames counts; --no-output leaves no file."""
    done = maskdet(
        "detect", "--source", samples / "astronaut.mp4", "--max-frames", 3, "--no-output"
    )
    assert done.returncode == 0
    assert "3 frames" in done.stdout
    assert not list(tmp_path.iterdir())


def test_detect_confidence(maskdet: Cli, samples: Path) -> None:
    """A threshold no face reaches finds none."""
    done = maskdet(
        "detect", "--source", samples / "astronaut.jpg", "--confidence", 1.0, "--no-output"
    )
    assert done.returncode == 0
    assert "1 picture, 0 faces" in done.stdout


def bad_sources(folder: Path, samples: Path) -> dict[str, Path]:
    """Writes one of each kind of source that cannot be used."""
    portrait = (samples / "astronaut.jpg").read_bytes()
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"no picture\n" * 20,
        "cut.jpg": portrait[: len(portrait) // 2],
        "empty.mp4": b"",
        "text.mp4": b"no video\n" * 20,
        "cut.mp4": (samples / "astronaut.mp4").read_bytes()[:5000],
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "nothing").mkdir()
    return {name: folder / name for name in (*contents, "nothing", "missing.jpg", "missing")}


@pytest.mark.parametrize("command", ["detect", "heatmap"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.jpg", "is empty"),
        ("text.jpg", "not a picture"),
        ("cut.jpg", "cut short"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "not a picture or video"),
        ("cut.mp4", "cut.mp4"),
        ("nothing", "has no pictures"),
        ("missing.jpg", "no such file"),
        ("missing", "no such file"),
    ],
)
def test_bad_sources_give_one_line(
    maskdet: Cli, samples: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path,
    command: str, name: str, words: str,
) -> None:  # fmt: skip
    """Exit code 1, one line that says what is wrong, nothing written."""
    source = bad_sources(tmp_path_factory.mktemp("bad"), samples)[name]
    assert_user_error(maskdet(command, "--source", source), name, words)
    assert not list(tmp_path.iterdir())


def test_missing_camera(maskdet: Cli) -> None:
    """A camera that is not there is one line, without the drivers' own noise."""
    assert_user_error(maskdet("detect", "--source", "93"), "camera 93", "is one connected")


def test_bad_picture_among_good_ones(fresh_maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The rest of a folder is done, the bad picture named, the exit code 1."""
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(samples / "coffee.jpg", folder)
    (folder / "bad.jpg").write_text("no")
    done = fresh_maskdet("detect", "--source", folder, "--output", tmp_path / "out")
    assert_user_error(done, "bad.jpg", "not a picture")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee.jpg"]


def test_output_that_cannot_be_written(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A folder below a file cannot be made; a picture is no video; a folder needs a folder."""
    (tmp_path / "file").write_text("kept")
    picture = samples / "astronaut.jpg"
    assert_user_error(
        maskdet("detect", "--source", picture, "--output", tmp_path / "file" / "sub"), "file"
    )
    assert (tmp_path / "file").read_text() == "kept"
    assert_user_error(
        maskdet("detect", "--source", picture, "--output", "x.mp4"), "gives a picture"
    )
    assert_user_error(
        maskdet("detect", "--source", samples / "*.jpg", "--output", "x.jpg"), "need a folder"
    )
    video = samples / "astronaut.mp4"
    assert_user_error(maskdet("heatmap", "--source", video, "--record", "x.jpg"), "gives a video")


def model_copy(folder: Path) -> Path:
    """Copies the bundled classifier's card and default network, and returns the card."""
    card = bundled("models/mask_detector.json")
    network = json.loads(card.read_text())["files"]["tflite"]["name"]
    shutil.copy(card, folder)
    shutil.copy(card.with_name(network), folder)
    return folder / card.name


def test_models_that_come_with_it(maskdet: Cli, samples: Path) -> None:
    """They go by their name alone, wherever one stands; the third answer is among the counts."""
    detect = ("detect", "--source", samples / "astronaut.jpg", "--no-output")
    done = maskdet(*detect, "--model", "mask_detector3")
    assert done.returncode == 0, done.stderr
    assert "Worn Incorrectly" in done.stdout
    assert "Worn Incorrectly" not in maskdet(*detect, "--model", "mask_detector").stdout
    assert maskdet(*detect, "--model", "mask_detector9").returncode == 2


def test_bad_models(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A network missing, cut short, or of other labels than its card; no card at all."""
    card = model_copy(tmp_path)
    fields = json.loads(card.read_text())
    network = tmp_path / fields["files"]["tflite"]["name"]
    detect = ("detect", "--source", samples / "astronaut.jpg", "--no-output")
    assert maskdet(*detect, "--model", card).returncode == 0
    assert maskdet(*detect, "--model", network).returncode == 0

    whole = network.read_bytes()
    network.write_bytes(whole[: len(whole) // 2])
    assert_user_error(maskdet(*detect, "--model", card), network.name, "does not match")
    network.unlink()
    assert_user_error(maskdet(*detect, "--model", card), network.name, "no such file")
    network.write_bytes(whole)
    card.write_text(json.dumps({**fields, "labels": ["a", "b", "c"]}))
    assert_user_error(maskdet(*detect, "--model", card), "2 labels", "3")
    card.write_text("{")
    assert_user_error(maskdet(*detect, "--model", card), "is not JSON")
    card.unlink()
    assert_user_error(
        maskdet(*detect, "--model", network), "no model card (.json) beside it names it"
    )
    assert maskdet(*detect, "--model", tmp_path / "none.tflite").returncode == 2
    (tmp_path / "no-face").mkdir()
    assert_user_error(maskdet(*detect, "--face", tmp_path / "no-face"), "no-face")


def test_wrong_usage_is_exit_code_2(maskdet: Cli, samples: Path) -> None:
    """Wrong or missing words of a command are explained, with exit code 2."""
    picture = samples / "astronaut.jpg"
    assert maskdet("detect", "--source").returncode == 2
    assert maskdet("detect", "--source", picture, "--confidence", 2).returncode == 2
    both = maskdet("detect", "--source", picture, "--output", "x", "--no-output")
    assert both.returncode == 2
    assert "--no-output excludes --output" in both.stderr


def test_show_without_a_display(maskdet: Cli, samples: Path) -> None:
    """--show says that there is no display, and the run goes on."""
    picture = samples / "astronaut.jpg"
    done = maskdet(
        "detect",
        "--source",
        picture,
        "--show",
        DISPLAY="",
        WAYLAND_DISPLAY="",
        QT_QPA_PLATFORM="xcb",
    )
    assert done.returncode == 0
    assert "no display" in done.stderr
    assert "1 face" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_run_cleanly(samples: Path, tmp_path: Path, number: int) -> None:
    """Ctrl-C, SIGTERM, a lost terminal: outputs and records are whole, the summary is printed."""
    folder = tmp_path / "long"
    folder.mkdir()
    for index in range(400):
        os.link(samples / "astronaut.jpg", folder / f"{index:03}.jpg")
    records = tmp_path / "records.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "maskdet", "detect", "--source", folder, "--json", records,
         "--output", "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not records.exists() or not records.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    summary, errors = process.communicate(timeout=60)
    seen = [json.loads(line) for line in records.read_text().splitlines()]
    assert process.returncode == 0
    assert 0 < len(seen) < 400
    assert f"{len(seen)} picture" in summary
    assert "Traceback" not in errors
    assert len(list((tmp_path / "out").iterdir())) == len(seen)


def test_help_shows_its_examples_as_lines(maskdet: Cli) -> None:
    """Each example stands on a line of its own, without marks for the formatter."""
    text = maskdet("--help").stdout
    assert "\\b" not in text
    assert "\n    maskdet detect photo.jpg\n" in text


def test_train_takes_the_folder_that_is_there(maskdet: Cli, tmp_path: Path) -> None:
    """`maskdet train` alone looks into dataset/, and says what it lacks."""
    assert "Name a folder of class folders" in maskdet("train").stderr
    (tmp_path / "dataset" / ".cache").mkdir(parents=True)
    done = maskdet("train")
    assert done.returncode == 2
    assert "dataset has no class folders" in done.stderr
