"""What `maskdet detect` looks at, as a user sees it."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from command_line import Cli, assert_user_error
from heic import heic
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.video import VideoSource


def test_a_phones_picture(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A HEIC picture of many tiles that lies on its side is seen upright and whole."""
    with Image.open(samples / "astronaut.jpg") as picture:
        turned = np.rot90(np.asarray(picture.convert("RGB")))
    (tmp_path / "IMG_1.HEIC").write_bytes(heic(np.ascontiguousarray(turned), 256, turns=3, exif=6))
    done = maskdet("detect", "--source", "IMG_1.HEIC", "--json", "--output", "out")
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, done.stdout.splitlines())
    assert (record["width"], record["height"], len(record["faces"])) == (512, 512, 1)
    assert read_picture(tmp_path / "out" / "IMG_1.HEIC.png").shape == (512, 512, 3)


def test_results_do_not_come_back(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A second run over a folder with the results of the first sees what the first saw."""
    shutil.copy(samples / "astronaut.jpg", tmp_path)
    run = ("detect", "--source", ".", "--recursive", "--save-crops", "faces", "--overwrite")
    for more in ((), (), ("--output", "mine"), ("--output", "mine")):
        done = maskdet(*run, *more)
        assert done.returncode == 0, done.stderr
        assert "1 picture, 1 face" in done.stdout
    assert ".: does not look at what maskdet wrote" in done.stderr
    for name in ("faces", "mine", "runs/detect/1", "runs/detect/2"):
        assert name in done.stderr
    shutil.rmtree(tmp_path / "faces")
    done = maskdet("heatmap", "--source", ".", "--recursive", "--output", "mine", "--overwrite")
    assert "1 heat map in 1 frame" in done.stdout
    assert maskdet(*run, "--quiet").stderr == ""


def test_the_limit_of_pixels(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A file, a folder's and one on standard input are refused by the same words; a video, too."""
    shutil.copy(samples / "astronaut.jpg", tmp_path)
    shutil.copy(samples / "astronaut.mp4", tmp_path)
    limit = ("--max-megapixels", 0.1, "--no-output", "--max-frames", 1)
    for source in ("astronaut.jpg", "astronaut.mp4"):
        done = maskdet("detect", "--source", source, *limit)
        assert_user_error(done, "pixels, more than 0.1 million", "--max-megapixels")
    done = maskdet("heatmap", "--source", "*.jpg", "--max-megapixels", 0.1)
    assert_user_error(done, "none of its 1 pictures", "astronaut.jpg: has 512x512 pixels")
    piped = subprocess.run(
        [sys.executable, "-m", "maskdet", "detect", "--source", "-", *map(str, limit)],
        input=(samples / "astronaut.jpg").read_bytes(), capture_output=True, check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert piped.returncode == 1
    assert b"has 512x512 pixels, more than 0.1 million" in piped.stderr
    done = maskdet("detect", "--source", "astronaut.jpg", *limit, "--max-megapixels", 0.3)
    assert done.returncode == 0, done.stderr


def test_a_tapes_pixels(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Boxes and outputs of an anamorphic video are in pixels as it is shown."""
    face = cv2.imread(str(samples / "astronaut.jpg"))
    with av.open(str(tmp_path / "tape.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 352, 512, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        frame = av.VideoFrame.from_ndarray(cv2.resize(face, (352, 512)), format="bgr24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    done = maskdet("detect", "--source", "tape.mp4", "--json", "--output", "out.mp4")
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, done.stdout.splitlines())
    assert (record["width"], record["height"]) == (512, 512)
    still = maskdet("detect", "--source", samples / "astronaut.jpg", "--json", "--no-output")
    (expected,) = map(json.loads, still.stdout.splitlines())
    assert np.allclose(record["faces"][0]["box"], expected["faces"][0]["box"], atol=8)
    (written,) = VideoSource(str(tmp_path / "out.mp4"))
    assert written.image.shape == (512, 512, 3)


def test_outputs_that_only_can_be_read(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A format that is read and not written is refused before the first frame."""
    for source, name in (("coffee.jpg", "a.heic"), ("astronaut.mp4", "a.webm")):
        done = maskdet("detect", "--source", samples / source, "--output", name)
        assert_user_error(done, f"{name}: ", "end the name in ")
    assert not list(tmp_path.iterdir())
