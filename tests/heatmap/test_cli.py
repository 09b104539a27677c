"""`maskdet heatmap` driven as a user does: pictures, recordings, raw maps, evidence, bad input."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from command_line import Cli, assert_user_error
from maskdet.assets import bundled
from maskdet.extras import missing
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.video import VideoSource

CARD = bundled("models/mask_detector.json")


def test_picture_and_raw_maps(fresh_maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The frame is on the left, panels on the right; the raw maps add up nearly to the logits."""
    done = fresh_maskdet(
        "heatmap", "--source", samples / "astronaut_masked.jpg", "--output", "h.png",
        "--raw", "maps.npz",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 heat map in 1 frame" in done.stdout
    picture = read_picture(tmp_path / "h.png").astype(int)
    assert picture.shape[0] == 512
    assert picture.shape[1] > 512 + 2 * 200
    with np.load(tmp_path / "maps.npz") as raw:
        assert raw["labels"].tolist() == ["with_mask", "without_mask"]
        assert raw["maps"].shape[0] == len(raw["xyxy"]) == 1
        assert raw["maps"].shape[3] == 2
        left, top, right, bottom = raw["xyxy"][0].astype(int)
        differences = raw["logits"] - raw["maps"].mean(axis=(1, 2))
        assert np.abs(differences).max() < np.abs(raw["maps"]).max()
    original = read_picture(samples / "astronaut_masked.jpg").astype(int)
    change = np.abs(picture[:, :512] - original).max(axis=2)
    # Painted on the face, and on nothing far from it.
    assert change[top + 20 : bottom, left:right].mean() > 30
    assert change[-100:].max() == 0


def test_recording_is_whole(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The recorded file opens again, has every frame at the rate asked for, and shows the map."""
    done = maskdet(
        "heatmap", "--source", samples / "astronaut.mp4", "--record", "out.mp4", "--frames", 12,
        "--fps", 10, "--width", 320, "--class", "with_mask", "--colormap", "puor",
        "--blur-kernel", 5, "--morphology", "--size", 96,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    video = VideoSource(str(tmp_path / "out.mp4"))
    assert video.frame_rate == pytest.approx(10)
    frames = [frame.image for frame in video]
    assert len(frames) == 12
    assert len({frame.shape for frame in frames}) == 1
    panels = frames[5][:, 320:].astype(int)
    assert (panels.max(axis=2) - panels.min(axis=2)).max() > 60


def test_classic_recording(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """600x300 at five frames a second in XVID, the map on the right."""
    done = maskdet(
        "heatmap", "--source", samples / "astronaut.mp4", "--layout", "classic", "--frames", 6,
        "--colormap", "jet", "--normalise", "frame",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"XVID" in (tmp_path / "output.avi").read_bytes()[:512]
    video = VideoSource(str(tmp_path / "output.avi"))
    assert video.frame_rate == pytest.approx(5)
    frames = [frame.image for frame in video]
    assert [frame.shape for frame in frames] == [(300, 600, 3)] * 6
    assert np.abs(frames[3][:, :300].astype(int) - frames[3][:, 300:]).mean() > 20


def test_pictures_of_a_folder_share_a_scale(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """One run over a folder; a picture without a face is drawn as it is."""
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    for name in ("astronaut.jpg", "below/astronaut_masked.jpg", "coffee.jpg"):
        shutil.copy(samples / Path(name).name, folder / name)
    done = maskdet("heatmap", "--source", folder, "--recursive", "--output", "out", "--smooth")
    assert done.returncode == 0, done.stderr
    assert "2 heat maps in 3 frames" in done.stdout
    assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 3


def class_folders(folder: Path, samples: Path) -> Path:
    """Makes a data set of the two portraits."""
    for label, name in (("with_mask", "astronaut_masked.jpg"), ("without_mask", "astronaut.jpg")):
        (folder / label).mkdir(parents=True)
        shutil.copy(samples / name, folder / label)
    rows = ["file,group,left,top,right,bottom"]
    rows += [f"{path.relative_to(folder)},,175,50,275,170" for path in folder.glob("*/*")]
    (folder / "faces.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_evaluate(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Figures for the method and both baselines, the plots, and exact sums."""
    done = maskdet(
        "heatmap", "--evaluate", "--dataset", class_folders(tmp_path / "set", samples),
        "--methods", "cam", "--output", "found",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for word in ("cam", "random", "centre"):
        assert word in done.stdout
    # What the biases add stands in the Keras file, which is not read without the extra.
    assert ("add up to the logits" in done.stdout) == (missing("train") == ())
    names = {path.name for path in (tmp_path / "found").iterdir()}
    assert {"evidence.json", "curves.png", "road.png", "average.png"} <= names
    found = json.loads((tmp_path / "found" / "evidence.json").read_text())
    assert set(found["methods"]) == {"cam", "random", "centre"}
    assert found["faces"] == {"with_mask": 1, "without_mask": 1}
    for file in found["completeness"].values():
        assert file["largest_share_of_range"] < 1e-3
    again = maskdet("heatmap", "--evaluate", "--dataset", tmp_path / "set", "--output", "found")
    assert_user_error(again, "evidence.json", "--overwrite")


def test_evaluate_leaves_out_what_is_broken(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """It is named, the rest is measured, and nothing is said that does not name its picture."""
    folder = class_folders(tmp_path / "set", samples)
    (folder / "with_mask" / "broken.jpg").write_bytes(b"no picture")
    # The half of a picture with an end: libjpeg fills it up, and would say so.
    half = (samples / "astronaut.jpg").read_bytes()
    (folder / "without_mask" / "half.jpg").write_bytes(half[: len(half) // 2] + b"\xff\xd9")
    done = maskdet("heatmap", "--evaluate", "--dataset", folder, "--methods", "cam")
    assert done.returncode == 1
    assert "cam " in done.stdout
    assert "broken.jpg: is not a picture" in done.stderr
    assert "Corrupt JPEG" not in done.stderr


def test_wrong_usage(maskdet: Cli, samples: Path) -> None:
    """Words that contradict one another are wrong usage."""
    for words, reason in (
        (["--evaluate"], "needs --dataset"),
        (["--dataset", samples], "belong to --evaluate"),
        (["--blur-kernel", 4], "even"),
        (["--resolution", 450], "multiple of 32"),
    ):
        done = maskdet("heatmap", *words)
        assert done.returncode == 2
        assert reason in done.stderr


def test_bad_input_is_one_line(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """No such class or data set; raw maps that exist or are of another format."""
    source = ["heatmap", "--source", samples / "astronaut.jpg"]
    assert_user_error(maskdet(*source, "--class", "helmet"), "helmet", "with_mask, without_mask")
    assert_user_error(maskdet(*source, "--raw", "maps.csv"), "written as .npz")
    (tmp_path / "kept.npz").write_text("kept")
    assert_user_error(maskdet(*source, "--raw", "kept.npz"), "exists already")
    assert (tmp_path / "kept.npz").read_text() == "kept"
    (tmp_path / "set" / "helmet").mkdir(parents=True)
    shutil.copy(samples / "coffee.jpg", tmp_path / "set" / "helmet")
    evaluate = ["heatmap", "--evaluate", "--dataset"]
    assert_user_error(maskdet(*evaluate, tmp_path / "set"), "helmet", "with_mask, without_mask")
    assert_user_error(maskdet(*evaluate, tmp_path / "none"), "none", "no such folder")


def test_a_model_without_maps(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A graph that gives no map, and no Keras file to make one: said in one line."""
    card = json.loads(CARD.read_text())
    network = CARD.with_name(card["files"]["tflite"]["name"]).read_bytes()
    # The output is there under another name, as in a graph exported without maps.
    name = card["files"]["tflite"]["name"]
    (tmp_path / name).write_bytes(
        network.replace(b"\x03\x00\x00\x00cam\x00", b"\x03\x00\x00\x00mac\x00")
    )
    from maskdet.assets import sha256

    card["files"] = {"tflite": {"name": name, "sha256": sha256(tmp_path / name)}}
    (tmp_path / "m.json").write_text(json.dumps(card))
    source = ["heatmap", "--source", samples / "astronaut.jpg", "--model", tmp_path / "m.json"]
    assert_user_error(maskdet(*source), "has no output cam", ".keras file")
    assert_user_error(maskdet(*source, "--method", "gradcam"), "names no .keras file")


@pytest.mark.training
def test_no_such_layer(maskdet: Cli, samples: Path) -> None:
    """The layers that exist are listed, without a word of TensorFlow's."""
    done = maskdet(
        "heatmap", "--source", samples / "astronaut.jpg", "--method", "gradcam", "--layer", "nope"
    )
    assert_user_error(done, "no layer 'nope'", "block_12_add", "out_relu")
